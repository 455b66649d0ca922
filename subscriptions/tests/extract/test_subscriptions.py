"""Subscriptions: months as PostgreSQL reckons them, renewals, moves, returns and retention."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from subscriptions.extract import Company
from subscriptions.extract.growth import day_number
from subscriptions.extract.subscriptions import month_later
from subscriptions.tests.extract import datasets
from subscriptions.tests.extract.datasets import EPOCH, Row, chains, rows

COMPANY = Company(42, 20_000, EPOCH)
PAIRS = tuple[Row, Row]


@pytest.fixture(scope="module")
def histories() -> dict[str, list[Row]]:
    """The chains of a company's users at its epoch."""
    return chains(rows(COMPANY, EPOCH)["subscription"])


@pytest.fixture(scope="module")
def renewals(histories: dict[str, list[Row]]) -> list[PAIRS]:
    """Each paid subscription that was followed by another, with its follower."""
    return [
        (one, two)
        for chain in histories.values()
        for one, two in pairwise(chain)
        if one["plan_id"] != 1
    ]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ((2025, 1, 31), (2025, 2, 28)),
        ((2028, 1, 31), (2028, 2, 29)),
        ((2028, 1, 29), (2028, 2, 29)),
        ((2027, 1, 29), (2027, 2, 28)),
        ((2025, 2, 28), (2025, 3, 28)),
        ((2028, 2, 29), (2028, 3, 29)),
        ((2025, 3, 31), (2025, 4, 30)),
        ((2025, 12, 31), (2026, 1, 31)),
        ((2100, 1, 30), (2100, 2, 28)),
    ],
)
def test_a_month_later_is_postgresqls(
    start: tuple[int, int, int], end: tuple[int, int, int]
) -> None:
    days = np.array([day_number(date(*start))])
    assert month_later(days).tolist() == [day_number(date(*end))]


def test_a_month_later_agrees_with_the_calendar_on_every_day() -> None:
    days = [date(2024, 8, 1) + timedelta(days=n) for n in range(40_000)]
    numbers = np.array([day_number(day) for day in days])
    expected = [day_number(datasets.month_later(day)) for day in days]
    assert month_later(numbers).tolist() == expected
    assert month_later(numbers[:0]).tolist() == []


def test_renewals_follow_within_a_week_or_are_returns(renewals: list[PAIRS]) -> None:
    gaps = Counter((two["start_date"] - one["end_date"]).days - 1 for one, two in renewals)
    short = sum(gaps[gap] for gap in range(8))
    assert set(gaps) <= {*range(8), *range(30, 121)}
    assert min(gaps[gap] for gap in range(8)) > 0.7 * short / 8
    assert 0.01 < 1 - short / len(renewals) < 0.05


def test_three_renewals_in_ten_change_plan_more_of_them_upwards(renewals: list[PAIRS]) -> None:
    moves = [two["plan_id"] - one["plan_id"] for one, two in renewals]
    up, down = sum(move > 0 for move in moves), sum(move < 0 for move in moves)
    assert (up + down) / len(moves) == pytest.approx(0.3, abs=0.015)
    assert up > 1.5 * down
    to_free = sum(two["plan_id"] == 1 for _, two in renewals)
    assert 0.002 < to_free / len(moves) < 0.03


def test_some_free_users_convert_after_weeks(histories: dict[str, list[Row]]) -> None:
    free = [chain for chain in histories.values() if chain[0]["plan_id"] == 1]
    waits = [(c[1]["start_date"] - c[0]["start_date"]).days for c in free if len(c) > 1]
    assert 0.05 < len(waits) / len(free) < 0.3
    assert 14 <= min(waits) <= max(waits) <= 180
    assert np.median(waits) < 70


def test_payment_changes_seldom(renewals: list[PAIRS]) -> None:
    paid = [(one, two) for one, two in renewals if two["plan_id"] != 1]
    changed = sum(one["payment_method"] != two["payment_method"] for one, two in paid)
    assert 0.02 < changed / len(paid) < 0.12


def test_retention_is_steep_at_first_and_flat_later(histories: dict[str, list[Row]]) -> None:
    def kept(step: int) -> float:
        old = [
            chain
            for chain in histories.values()
            if chain[0]["plan_id"] != 1 and (EPOCH - chain[0]["start_date"]).days >= 39 * (step + 1)
        ]
        return sum(len(chain) > step + 1 for chain in old) / sum(len(chain) > step for chain in old)

    course = [kept(step) for step in (0, 1, 2, 5)]
    assert 0.25 < course[0] < 0.5
    assert course == sorted(course)
    assert course[-1] > 0.75


def test_retention_goes_on_after_the_epoch_as_before() -> None:
    def renewed(tables: dict[str, list[Row]], first: date, last: date) -> float:
        """The share of paid subscriptions ended in a period that were followed by another."""
        outcomes = [
            follower is not None
            for chain in chains(tables["subscription"]).values()
            for row, follower in zip(chain, [*chain[1:], None], strict=True)
            if row["plan_id"] != 1 and first <= row["end_date"] <= last
        ]
        return sum(outcomes) / len(outcomes)

    company = Company(8, 8000, EPOCH)
    later = rows(company, EPOCH + timedelta(days=80))
    before = renewed(later, EPOCH - timedelta(days=70), EPOCH - timedelta(days=10))
    after = renewed(later, EPOCH + timedelta(days=10), EPOCH + timedelta(days=70))
    assert after == pytest.approx(before, abs=0.06)


def test_a_free_subscription_ends_only_once_the_paid_one_has_begun() -> None:
    chain = next(
        chain
        for chain in chains(rows(COMPANY, EPOCH)["subscription"]).values()
        if chain[0]["plan_id"] == 1 and len(chain) > 1
    )
    eve, begun = chain[0]["end_date"], chain[1]["start_date"]
    key = chain[0]["subscription_id"]
    for as_of, end, status in ((eve, None, "Active"), (begun, eve, "Inactive")):
        found = {row["subscription_id"]: row for row in rows(COMPANY, as_of)["subscription"]}[key]
        assert (found["end_date"], found["status"]) == (end, status)
