"""Which fee a plan had when: each disposition by hand, and many at random against a model."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import pytest

from subscriptions.answers.plan_history import COPIED, PlanHistory, PlanLoad, Version, replay
from subscriptions.tests.answers.hand_made import PREMIUM, day
from subscriptions.tests.load.model_of_history import ModelTable

DAYS: Final = ("01-01", "02-01", "03-01", "04-01", "05-01")


def load(text: str, disposition: str, fee: int) -> PlanLoad:
    return PlanLoad(day(text), disposition, {PREMIUM: Decimal(fee)})


def fees(*loads: PlanLoad, copied: tuple[Version, ...] = ()) -> list[int]:
    """What a subscription costs that starts on each of the days."""
    history = replay(loads, copied)
    return [int(history.fee(PREMIUM, day(text))) for text in DAYS]


FIRST: Final = load("02-01", "scd2", 20)


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        ("replace", [25, 25, 25, 25, 25]),
        ("append", [20, 20, 20, 25, 25]),
        ("merge", [25, 25, 25, 25, 25]),
        ("scd2", [20, 20, 20, 25, 25]),
    ],
)
def test_a_load_with_another_fee(disposition: str, expected: list[int]) -> None:
    assert fees(FIRST, load("04-01", disposition, 25)) == expected


def test_a_merge_changes_the_newest_and_leaves_the_older_ones() -> None:
    assert fees(FIRST, load("03-01", "scd2", 25), load("05-01", "merge", 30)) == [
        20, 20, 30, 30, 30,
    ]  # fmt: skip


def test_a_later_load_of_the_same_day_corrects_that_day() -> None:
    loads = FIRST, load("04-01", "scd2", 25)
    assert fees(*loads, load("04-01", "scd2", 30)) == [20, 20, 20, 30, 30]
    back = load("04-01", "scd2", 20)
    assert fees(*loads, back) == [20] * 5
    assert fees(*loads, back, load("05-01", "scd2", 30)) == [20, 20, 20, 20, 30]


def test_the_copies_of_an_append_are_cleared_away_but_for_the_oldest() -> None:
    loads = FIRST, load("03-01", "append", 25)
    assert fees(*loads) == [20, 20, 25, 25, 25]
    assert fees(*loads, load("05-01", "merge", 30)) == [30] * 5
    assert fees(*loads, load("05-01", "scd2", 25)) == [20, 20, 20, 20, 25]


def test_a_copied_history_is_as_it_was_stored_and_goes_on() -> None:
    copied = (
        Version(PREMIUM, Decimal(20), day("01-01"), day("02-01")),
        Version(PREMIUM, Decimal(22), day("02-01"), day("05-01")),  # closed since
        Version(PREMIUM, Decimal(30), day("05-01")),
    )
    copy = load("03-01", COPIED, 22)
    assert fees(FIRST, copy, copied=copied) == [20, 22, 22, 22, 22]
    assert fees(FIRST, copy, load("05-01", "scd2", 30), copied=copied) == [20, 22, 22, 22, 30]


def test_what_a_later_merge_did_to_a_copied_version_was_not_so_before() -> None:
    copied = (Version(PREMIUM, Decimal(30), day("02-01")),)
    copy = load("03-01", COPIED, 22)
    assert fees(copy, copied=copied) == [22] * 5
    assert fees(copy, load("05-01", "merge", 30), copied=copied) == [30] * 5
    closed = (
        replace(copied[0], valid_to=day("05-01")),
        Version(PREMIUM, Decimal(35), day("05-01")),
    )
    assert fees(copy, copied=closed) == [22] * 5


def modelled(table: ModelTable) -> PlanHistory:
    """The versions that the model of the load step has left."""
    return PlanHistory(
        [
            Version(PREMIUM, version.row["fee"], version.valid_from, version.valid_to)
            for version in table.versions
        ]
    )


@pytest.mark.parametrize("seed", range(40))
def test_random_loads_leave_what_the_model_of_the_load_step_has(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    table = ModelTable("plan_id")
    loads: list[PlanLoad] = []
    on = date(2026, 1, 1)
    for _ in range(12):
        on += timedelta(days=rng.choice([0, 1, 1, 2]))
        disposition = rng.choice(["replace", "append", "merge", "scd2", "scd2", "scd2"])
        fee = Decimal(rng.choice([20, 21, 22]))
        table.load(disposition, [{"plan_id": PREMIUM, "fee": fee}], on)
        loads.append(PlanLoad(on, disposition, {PREMIUM: fee}))
        ours, theirs = replay(loads), modelled(table)
        starts = [date(2025, 12, 30) + timedelta(days=n) for n in range(30)]
        for start in starts:
            assert ours.fee(PREMIUM, start) == theirs.fee(PREMIUM, start), (loads, start)
