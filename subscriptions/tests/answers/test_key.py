"""What must add up in the answer key of any company, within a mart and between them."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Final, cast

import pytest

from subscriptions.answers.key import answers
from subscriptions.answers.marts import MARTS, Kind, Row
from subscriptions.answers.plan_history import PlanLoad, replay
from subscriptions.answers.truth import Truth, fees, truth
from subscriptions.extract import OPENING_DATE, Company

# Prices rise from 200 days after the epoch on: the first has risen several times by then.
_COMPANIES: Final = [
    (Company(seed=5, users=150, epoch=date(2025, 3, 1)), date(2026, 11, 9)),
    (Company(seed=6, users=90, epoch=date(2026, 2, 28)), date(2026, 2, 28)),
    (Company(seed=7, users=300, epoch=date(2026, 6, 1)), date(2025, 12, 31)),
]
COMPANIES: Final = pytest.mark.parametrize("place", range(len(_COMPANIES)))


@cache
def known(place: int) -> Truth:
    """A company that was loaded on three days, so that its plans have a past."""
    company, as_of = _COMPANIES[place]
    days = [OPENING_DATE, OPENING_DATE + (as_of - OPENING_DATE) * 0.75, as_of]
    loads = [PlanLoad(on, "scd2", fees(company, on)) for on in days]
    return truth(company, as_of, replay(loads))


@cache
def rows(place: int, mart: str) -> list[Row]:
    return answers(MARTS[mart], known(place))


def number(row: Row, column: str) -> Decimal:
    return Decimal(cast("Decimal | int", row[column]))


def total(found: list[Row], column: str, *by: str) -> dict[tuple[object, ...], Decimal]:
    """The sum of a column, by others."""
    sums: defaultdict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    for row in found:
        sums[tuple(row[name] for name in by)] += number(row, column)
    return dict(sums)


@COMPANIES
def test_rows_are_sorted_by_unique_keys_and_have_the_declared_types(place: int) -> None:
    types = {Kind.DATE: date, Kind.INTEGER: int, Kind.TEXT: str}
    for mart in MARTS.values():
        found = rows(place, mart.name)
        keys = [tuple(cast("str", row[name]) for name in mart.key) for row in found]
        assert found
        assert keys == sorted(set(keys)), mart.name
        for row in found:
            assert list(row) == list(mart.columns)
            for column, kind in mart.columns.items():
                value = row[column]
                assert value is None or type(value) is types.get(kind, Decimal), (mart.name, column)
                if isinstance(value, Decimal):
                    decimals = 6 if kind is Kind.RATE else 2
                    assert value.as_tuple().exponent == -decimals, (mart.name, column)


@COMPANIES
def test_revenue_movements_add_up_and_follow_from_the_month_before(place: int) -> None:
    movements = rows(place, "mrr_movements")
    parts = "opening new reactivation expansion contraction churn transfer".split()
    closing: dict[tuple[object, ...], Decimal] = {}
    for row in movements:
        cell = (row["plan_id"], row["region"])
        assert number(row, "opening_mrr") == closing.get(cell, 0)
        closing[cell] = number(row, "closing_mrr")
        assert sum(number(row, f"{part}_mrr") for part in parts) == closing[cell]
        for negative in ("contraction_mrr", "churn_mrr", "lapsed_mrr"):
            assert number(row, negative) <= 0
        assert number(row, "contraction_mrr") <= number(row, "lapsed_mrr")
        assert 0 <= number(row, "resumed_mrr") <= number(row, "expansion_mrr")
    assert set(total(movements, "transfer_mrr", "month", "region").values()) == {0}
    if place == 0:  # which is large and old enough for all of it
        assert all(any(number(row, f"{part}_mrr") for row in movements) for part in parts)
    by = ("month", "plan_id", "region")
    assert total(movements, "closing_mrr", *by) == total(rows(place, "mrr_monthly"), "mrr", *by)


@COMPANIES
def test_customers_add_up_and_follow_from_the_month_before(place: int) -> None:
    customers = rows(place, "customer_monthly")
    active: dict[tuple[object, ...], Decimal] = {}
    for row in customers:
        cell = (row["plan_id"], row["region"], row["referral_source"])
        count = {name: number(row, f"{name}_customers") for name in (
            "opening", "new", "trial_free", "reactivated", "churned", "transferred", "active",
        )}  # fmt: skip
        assert count["opening"] == active.get(cell, 0)
        active[cell] = count["active"]
        came = count["new"] + count["reactivated"] + count["transferred"]
        assert count["opening"] + came - count["churned"] == count["active"]
        assert 0 <= count["trial_free"] <= count["new"]
    assert set(total(customers, "transferred_customers", "month").values()) == {0}
    paid = [row for row in customers if row["plan_id"] != 1]
    by = ("month", "plan_id", "region")
    monthly = total(rows(place, "mrr_monthly"), "customers", *by)
    assert total(paid, "active_customers", *by) == monthly
    assert total(customers, "active_customers", "month") == total(paid, "active_customers", "month")


@COMPANIES
def test_the_marts_say_the_same_of_the_whole_company(place: int) -> None:
    monthly, churn = rows(place, "mrr_monthly"), rows(place, "churn_monthly")
    customers, lives = rows(place, "customer_monthly"), rows(place, "customer_lifetime")
    cohorts, sources = rows(place, "cohort_retention"), rows(place, "referral_performance")
    assert total(cohorts, "mrr", "month") == total(monthly, "mrr", "month")
    assert total(cohorts, "customers", "month") == total(monthly, "customers", "month")
    for column in ("opening_customers", "churned_customers"):
        assert total(churn, column, "month") == total(customers, column, "month")
    opening = total(rows(place, "mrr_movements"), "opening_mrr", "month")
    assert total(churn, "opening_mrr", "month") == opening
    (last,) = {row["month"] for row in monthly[-1:]}
    assert total(lives, "mrr")[()] == total(monthly, "mrr", "month")[last,]
    states = [row["state"] for row in lives]
    assert states.count("active") == total(monthly, "customers", "month")[last,]
    assert total(sources, "users")[()] == len(lives) == len(known(place).users)
    assert total(sources, "revenue") == total(lives, "revenue")
    for column, state in (("active_customers", "active"), ("churned_customers", "churned")):
        assert total(sources, column)[()] == states.count(state)
    # Who ever paid came once, and whoever returned had left.
    assert total(customers, "new_customers")[()] == len(lives) - states.count("free")


@COMPANIES
def test_plan_changes_and_usage_are_all_told(place: int) -> None:
    company = known(place)
    changes = sum(
        before.plan_id != after.plan_id
        for chain in company.chains.values()
        for before, after in pairwise(chain)
    )
    assert total(rows(place, "plan_movements"), "movements")[()] == changes > 0
    usage = rows(place, "usage_daily")
    assert total(usage, "actions")[()] == sum(row.actions for row in company.usage)
    assert total(usage, "storage_used_mb")[()] == sum(row.storage_mb for row in company.usage)


def test_before_the_first_sign_up_there_are_no_rows() -> None:
    company = Company(seed=5, users=3, epoch=date(2026, 2, 1))
    history = replay([PlanLoad(OPENING_DATE, "scd2", fees(company, OPENING_DATE))])
    empty = truth(company, OPENING_DATE, history)
    assert [answers(mart, empty) for mart in MARTS.values()] == [[]] * len(MARTS)
