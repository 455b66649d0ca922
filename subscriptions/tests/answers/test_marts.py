"""The real marts, built by the real transform, held against the answer key, cell by cell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

import pytest

from subscriptions.answers.comparison import compare
from subscriptions.answers.key import answers
from subscriptions.answers.marts import MARTS
from subscriptions.answers.stored import stored
from subscriptions.load.target import Target
from subscriptions.tests.answers.conftest import Known, Load
from subscriptions.tests.conftest import TRANSFORMED
from subscriptions.transform.run import run as transform

Wrong = Callable[..., list[str]]


@pytest.fixture
def dataset_name() -> str:
    """The dataset's, by which dbt knows the project as parsed."""
    return TRANSFORMED


@pytest.fixture
def wrong(target: Target, known: Known) -> Wrong:
    """Transform, and say what is not as it has to be; `rows` is how many each mart has."""

    def differences(*, rows: int | None = None) -> list[str]:
        transform(target, lambda _line: None)
        remembered = known()
        with target.connect("test") as session:
            found = stored(session, target.dataset, remembered.last, list(MARTS.values()))
        truth = remembered.truth()
        if rows is not None:
            assert {len(some) for some in found.values()} == {rows}
        return [
            f"{mart.name}, {difference.place}: {difference.sentence}"
            for mart in MARTS.values()
            for difference in compare(mart, found[mart.name], answers(mart, truth))
        ]

    return differences


EPOCH: Final = date(2025, 4, 1)


def test_after_a_load_before_the_first_user_and_advances_of_days_and_months(
    load: Load, wrong: Wrong
) -> None:
    load(seed=5, users=160, epoch=EPOCH, as_of=date(2024, 8, 1))
    assert wrong(rows=0) == []
    load(as_of=date(2025, 5, 28))
    assert wrong() == []
    load(advance="4d")
    assert wrong() == []
    load(advance="11m")
    load(advance="1d")
    assert wrong() == []


def test_under_every_disposition(load: Load, wrong: Wrong) -> None:
    load(seed=6, users=70, epoch=EPOCH, as_of=date(2025, 11, 30))
    load(as_of=date(2026, 4, 10), write_disposition="append")
    assert wrong() == []
    load(as_of=date(2026, 9, 2), write_disposition="merge")
    assert wrong() == []
    load(as_of=date(2027, 3, 1), write_disposition="scd2")
    assert wrong() == []
    load(seed=8, users=90, as_of=date(2025, 2, 14), write_disposition="replace")
    assert wrong() == []


def test_after_a_backfill(load: Load, wrong: Wrong) -> None:
    first, last = date(2026, 1, 1), date(2026, 3, 15)
    load(seed=7, users=50, epoch=EPOCH, as_of=last, backfill="monthly", first=first)
    assert wrong() == []
