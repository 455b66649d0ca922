"""The contract's six invariants, at several sizes and dates, checked in plain Python."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from subscriptions.extract import Company
from subscriptions.tests.extract.datasets import EPOCH, Row, rows, violations

DATES = [
    date(2024, 8, 1),
    date(2025, 3, 1),
    EPOCH - timedelta(days=1),
    EPOCH,
    EPOCH + timedelta(days=1),
    EPOCH + timedelta(days=40),
    date(2028, 2, 29),
]


@pytest.mark.parametrize("as_of", DATES, ids=str)
@pytest.mark.parametrize("users", [1, 2, 7, 1000])
def test_invariants_hold_before_at_and_after_the_epoch(users: int, as_of: date) -> None:
    for seed in (0, 42):
        assert not violations(rows(Company(seed, users, EPOCH), as_of), as_of)


@pytest.mark.parametrize("as_of", [EPOCH, EPOCH + timedelta(days=31)], ids=str)
def test_invariants_hold_across_partitions(as_of: date) -> None:
    assert not violations(rows(Company(42, 50_001, EPOCH), as_of), as_of)


@pytest.mark.parametrize("epoch", [date(2024, 8, 1), date(2024, 9, 15), date(2025, 2, 1)], ids=str)
def test_invariants_hold_in_a_young_company(epoch: date) -> None:
    for days in (0, 1, 20, 90):
        as_of = epoch + timedelta(days=days)
        assert not violations(rows(Company(5, 60, epoch), as_of), as_of)


def _repeat_email(tables: dict[str, list[Row]]) -> None:
    tables["user"][0]["email"] = tables["user"][1]["email"]


def _repeat_key(tables: dict[str, list[Row]]) -> None:
    tables["usage"][0]["usage_id"] = tables["usage"][1]["usage_id"]


def _orphan(tables: dict[str, list[Row]]) -> None:
    tables["usage"][0]["user_id"] = "00000000"


def _wrong_plan(tables: dict[str, list[Row]]) -> None:
    tables["user"][0]["plan_id"] = tables["user"][0]["plan_id"] % 5 + 1


def _late_end(tables: dict[str, list[Row]]) -> None:
    paid = next(row for row in tables["subscription"] if row["plan_id"] != 1)
    paid["end_date"] += timedelta(days=1)


def _unpaid(tables: dict[str, list[Row]]) -> None:
    next(row for row in tables["subscription"] if row["plan_id"] != 1)["payment_method"] = None


def _wrong_status(tables: dict[str, list[Row]]) -> None:
    next(row for row in tables["subscription"] if row["status"] == "Active")["status"] = "Inactive"


def _overfull(tables: dict[str, list[Row]]) -> None:
    tables["usage"][0]["storage_used_mb"] = 2e6


def _tomorrow(tables: dict[str, list[Row]]) -> None:
    tables["usage"][0]["usage_date"] = EPOCH + timedelta(days=1)


@pytest.mark.parametrize(
    ("plant", "invariant"),
    [
        (_repeat_email, "1"),
        (_repeat_key, "1"),
        (_orphan, "1"),
        (_wrong_plan, "2"),
        (_late_end, "3"),
        (_unpaid, "3"),
        (_wrong_status, "4"),
        (_overfull, "5"),
        (_tomorrow, "6"),
    ],
)
def test_the_checks_find_a_planted_violation(
    plant: Callable[[dict[str, list[Row]]], None], invariant: str
) -> None:
    tables = rows(Company(1, 50, EPOCH), EPOCH)
    plant(tables)
    assert any(fault.startswith(invariant) for fault in violations(tables, EPOCH))
