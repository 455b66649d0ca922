"""What is loaded, given what was named and what the dataset holds."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from subscriptions.extract import Company
from subscriptions.load.errors import LoadError
from subscriptions.load.receipt import Receipt
from subscriptions.load.request import Request, disposition, resolve
from subscriptions.load.tables import DISPOSITIONS

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)
RECORDED = Receipt("1", 5, 300, date(2026, 6, 1), TODAY, {}, {}, {})


def test_the_first_load_founds_a_company_whose_epoch_is_its_as_of() -> None:
    load = resolve(Request(), None, NOW)
    assert load.company == Company(seed=42, users=1000, epoch=TODAY)
    assert load.as_of == TODAY
    assert load.dispositions == {
        "plan": "scd2",
        "user": "scd2",
        "subscription": "scd2",
        "usage": "merge",
    }


def test_what_is_named_is_taken_at_the_first_load() -> None:
    request = Request(
        users=7, seed=9, as_of=date(2026, 2, 1), epoch=date(2026, 1, 1), write_disposition="append"
    )
    load = resolve(request, None, NOW)
    assert load.company == Company(seed=9, users=7, epoch=date(2026, 1, 1))
    assert load.as_of == date(2026, 2, 1)
    assert set(load.dispositions.values()) == {"append"}


@pytest.mark.parametrize("name", [None, "append", "merge", "scd2", "replace"])
def test_what_is_not_named_comes_from_the_dataset(name: str | None) -> None:
    load = resolve(Request(write_disposition=disposition(name)), RECORDED, NOW)
    assert load.company == Company(seed=5, users=300, epoch=date(2026, 6, 1))


def test_a_day_that_no_company_can_reach_is_told_with_the_epoch_that_is_meant() -> None:
    request = Request(as_of=date(9000, 1, 1))
    request.check()
    with pytest.raises(LoadError, match="with 300 users on 2026-06-01 runs out of 32-bit keys"):
        resolve(request, RECORDED, NOW)
    with pytest.raises(LoadError, match="with 1,000 users on 9000-01-01 runs out of 32-bit keys"):
        resolve(request, None, NOW)


def test_as_of_is_the_later_of_today_and_the_recorded_one() -> None:
    earlier = datetime(2026, 11, 1, tzinfo=UTC)
    assert resolve(Request(), RECORDED, earlier).as_of == TODAY
    later = datetime(2026, 12, 1, tzinfo=UTC)
    assert resolve(Request(write_disposition="replace"), RECORDED, later).as_of == later.date()


def test_a_company_that_is_founded_begins_today_wherever_the_last_one_was() -> None:
    earlier = datetime(2026, 11, 1, tzinfo=UTC)
    load = resolve(Request(write_disposition="replace", users=20), RECORDED, earlier)
    assert (load.as_of, load.company.epoch) == (earlier.date(), earlier.date())
    again = resolve(Request(write_disposition="replace"), RECORDED, earlier)
    assert again.as_of == TODAY


def test_replace_with_another_identity_founds_a_company() -> None:
    load = resolve(Request(write_disposition="replace", users=20), RECORDED, NOW)
    assert load.company == Company(seed=5, users=20, epoch=TODAY)


def test_replace_with_a_size_has_that_many_users_on_the_day() -> None:
    load = resolve(Request(write_disposition="replace", users=300), RECORDED, NOW)
    assert load.company == Company(seed=5, users=300, epoch=TODAY)


def test_replace_alone_keeps_the_company() -> None:
    load = resolve(Request(write_disposition="replace"), RECORDED, NOW)
    assert load.company == Company(seed=5, users=300, epoch=date(2026, 6, 1))


@pytest.mark.parametrize("name", [None, "append", "merge", "scd2"])
@pytest.mark.parametrize(
    ("other", "named"),
    [
        (Request(seed=6), "--seed 6"),
        (Request(users=301), "--users 301"),
        (Request(epoch=TODAY), "--epoch 2026-11-23"),
    ],
)
def test_another_company_is_refused_under_a_keeping_disposition(
    name: str | None, other: Request, named: str
) -> None:
    request = Request(other.users, other.seed, None, other.epoch, disposition(name))
    with pytest.raises(LoadError, match=f"leave out {named}.*--write-disposition replace"):
        resolve(request, RECORDED, NOW)


def test_an_earlier_day_is_refused_under_a_keeping_disposition() -> None:
    earlier = date(2026, 11, 22)
    for name in (None, "append", "merge", "scd2"):
        request = Request(as_of=earlier, write_disposition=disposition(name))
        with pytest.raises(LoadError, match="cannot be undone: name --as-of 2026-11-23 or a later"):
            resolve(request, RECORDED, NOW)
    assert resolve(Request(as_of=earlier, write_disposition="replace"), RECORDED, NOW)


def test_a_later_day_is_the_same_company_s() -> None:
    for request in (Request(as_of=date(2026, 12, 23)), Request(advance="1m")):
        load = resolve(request, RECORDED, NOW)
        assert load.as_of == date(2026, 12, 23)
        assert load.company == Company(seed=5, users=300, epoch=date(2026, 6, 1))


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (Request(users=0), "1 to 50,000,000 users, not 0"),
        (Request(users=-3), "not -3"),
        (Request(users=50_000_001), "not 50,000,001"),
        (Request(seed=-1), "seed"),
        (Request(as_of=date(2024, 7, 31)), "2024-08-01"),
        (Request(epoch=date(2024, 7, 31)), "2024-08-01"),
        (Request(workers=0), "--workers must be 1 or more"),
        (Request(advance="1 day"), "such as 30d, 2w or 3m, not '1 day'"),
        (Request(advance="1d", as_of=TODAY), "not both"),
    ],
)
def test_the_impossible_is_refused_before_the_database_is_asked(
    request_: Request, says: str
) -> None:
    with pytest.raises(LoadError, match=says):
        request_.check()


@pytest.mark.parametrize(
    "request_",
    [
        Request(users=50_000_000),
        Request(users=50_000_000, as_of=TODAY),
        Request(users=1, as_of=date(2024, 8, 1)),
        Request(users=100_000, epoch=TODAY, as_of=date(2025, 1, 1)),
    ],
)
def test_the_possible_is_not_refused(request_: Request) -> None:
    request_.check()
    assert resolve(request_, None, NOW)


def test_an_unknown_disposition_is_refused_by_name() -> None:
    with pytest.raises(LoadError, match=f"'upsert': use {', '.join(DISPOSITIONS)}"):
        disposition("upsert")
