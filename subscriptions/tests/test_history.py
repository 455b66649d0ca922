"""The story of a record, told of versions that never were in a database."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from subscriptions.history import Change, story
from subscriptions.models import PlanVersion, UserVersion
from subscriptions.tests.histories import INTERRUPTED, LIVED, History

COLUMNS = ("plan_name", "monthly_fee")


def version(first: int, last: int | None, fee: str, name: str = "Basic") -> PlanVersion:
    """A plan that cost that much from one day of 2026 to another."""
    return PlanVersion(
        valid_from=datetime(2026, 1, first, tzinfo=UTC),
        valid_to=datetime(2026, 1, last, tzinfo=UTC) if last else None,
        monthly_fee=Decimal(fee),
        plan_name=name,
    )


def told(*versions: PlanVersion) -> list[tuple[str, str | None, dict[str, tuple[object, object]]]]:
    chapters = story(versions, COLUMNS)
    assert [chapter.version for chapter in chapters] == list(versions)
    assert [chapter.previous for chapter in chapters[1:]] == list(versions[:-1])
    return [
        (c.began, c.ended, {change.column: (change.before, change.after) for change in c.changes})
        for c in chapters
    ]


DEARER = {"monthly_fee": (Decimal(20), Decimal(21))}


def test_nothing_to_tell() -> None:
    assert story([], COLUMNS) == []


def test_what_never_changed() -> None:
    assert told(version(1, None, "20")) == [("appeared", None, {})]


def test_a_change() -> None:
    assert told(version(1, 5, "20"), version(5, None, "21")) == [
        ("appeared", "superseded", {}),
        ("changed", None, DEARER),
    ]


def test_a_change_of_two_columns_is_told_in_their_order() -> None:
    [_, chapter] = story([version(1, 5, "20"), version(5, None, "21", "Base")], COLUMNS)
    assert chapter.changes == [
        Change("plan_name", "Basic", "Base"),
        Change("monthly_fee", Decimal(20), Decimal(21)),
    ]


def test_other_columns_do_not_count() -> None:
    versions = [version(1, 5, "20"), version(5, None, "21")]
    assert story(versions, ("plan_name",))[1].changes == []


def test_there_and_back_again() -> None:
    began = [
        step[0] for step in told(version(1, 5, "20"), version(5, 7, "21"), version(7, 9, "20"))
    ]
    assert began == ["appeared", "changed", "changed"]


def test_gone() -> None:
    assert told(version(1, 5, "20")) == [("appeared", "disappeared", {})]


def test_gone_and_returned_as_it_was() -> None:
    assert told(version(1, 5, "20"), version(7, None, "20")) == [
        ("appeared", "disappeared", {}),
        ("returned", None, {}),
    ]


def test_gone_and_returned_otherwise() -> None:
    assert told(version(1, 5, "20"), version(7, 9, "21"))[1] == ("returned", "disappeared", DEARER)


def test_an_append_repeats() -> None:
    assert told(version(1, None, "20"), version(5, None, "20")) == [
        ("appeared", None, {}),
        ("repeated", None, {}),
    ]
    assert told(version(1, None, "20"), version(5, None, "21"))[1] == ("changed", None, DEARER)


def test_the_first_day(lived: History) -> None:
    assert UserVersion.objects.first_day() == lived.days[0] == LIVED.days[0]
    assert UserVersion.objects.none().first_day() is None


@pytest.mark.usefixtures("interrupted")
def test_the_first_day_of_what_is_gone() -> None:
    assert PlanVersion.objects.first_day() == INTERRUPTED.days[0]


def test_known_on_a_day_is_what_is_valid_at_its_beginning(lived: History) -> None:
    old, new = PlanVersion.objects.filter(current=3).order_by("valid_from")[:2]
    assert old.valid_to == new.valid_from == datetime(2026, 2, 1, tzinfo=UTC)
    plans = PlanVersion.objects.filter(current=3)
    assert plans.as_of(date(2026, 1, 31)).get() == old
    assert plans.as_of(date(2026, 2, 1)).get() == new
