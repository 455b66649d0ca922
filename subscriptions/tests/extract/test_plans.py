"""Plans: the contract's price list, its features, and later prices."""

import json
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np

from subscriptions.extract import Company
from subscriptions.tests.extract.datasets import EPOCH, OPENING

COMPANY = Company(42, 1000, EPOCH)


def fees(as_of: date) -> list[Decimal]:
    """The five fees as of a date."""
    fees: list[Decimal] = COMPANY.plans(as_of)["monthly_fee"].to_pylist()
    return fees


def test_the_price_list_is_the_contracts() -> None:
    plans: list[dict[str, Any]] = COMPANY.plans(EPOCH).to_pylist()
    assert [
        (row["plan_id"], row["plan_name"], str(row["monthly_fee"]), row["max_users"])
        for row in plans
    ] == [
        (1, "Free", "0.00", "2"),
        (2, "Basic", "20.00", "10"),
        (3, "Premium", "35.00", "25"),
        (4, "Enterprise", "70.00", "unlimited"),
        (5, "Ultimate", "100.00", "unlimited"),
    ]
    storage = ["500 MB", "5 GB", "25 GB", "100 GB", "1 TB"]
    for row, room in zip(plans, storage, strict=True):
        features = json.loads(row["features"])
        assert 4 <= len(features) == len(set(features)) <= 8
        assert all(isinstance(feature, str) for feature in features)
        assert sum(room in feature for feature in features) == 1


def test_fees_do_not_move_by_the_epoch() -> None:
    assert fees(OPENING) == fees(date(2025, 12, 1)) == fees(EPOCH)


def test_fees_rise_now_and_then_after_the_epoch() -> None:
    daily = [fees(EPOCH + timedelta(days=n)) for n in range(1001)]
    assert {day[0] for day in daily} == {Decimal("0.00")}
    calendars, factors = set(), set()
    for plan in range(1, 5):
        rises = [
            (n, a[plan], b[plan])
            for n, (a, b) in enumerate(pairwise(daily), 1)
            if a[plan] != b[plan]
        ]
        days = [n for n, _, _ in rises]
        assert 2 <= len(days) <= 4
        assert all(200 <= gap <= 400 for gap in np.diff([0, *days]))
        for _, old, new in rises:
            assert Decimal("0.50") <= new - old <= old / 10
            assert new % Decimal("0.50") == 0
            factors.add(new / old)
        calendars.add(tuple(days))
    assert len(calendars) == 4, "all plans rise on the same days"
    assert max(factors) - min(factors) > Decimal("0.02")


def test_another_seed_raises_prices_at_other_times() -> None:
    later = EPOCH + timedelta(days=1200)
    assert Company(1, 1000, EPOCH).plans(later) != COMPANY.plans(later)
