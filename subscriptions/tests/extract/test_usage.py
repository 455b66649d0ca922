"""Usage: heavy and light users, working days, growth, plans, and days after the epoch."""

from collections import Counter
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from subscriptions.extract import Company
from subscriptions.tests.extract.datasets import EPOCH, OPENING, STORAGE, chains, rows, whole

COMPANY = Company(42, 20_000, EPOCH)


@pytest.fixture(scope="module")
def usage() -> pa.Table:
    """The usage of a company at its epoch."""
    return whole(COMPANY, EPOCH)["usage"]


def test_a_tenth_of_the_users_leave_half_of_the_rows(usage: pa.Table) -> None:
    counts = sorted(Counter(usage["user_id"].to_pylist()).values(), reverse=True)
    assert 0.4 < sum(counts[:2000]) / 100_000 < 0.65
    assert np.median(counts) <= 3


def test_nobody_has_two_rows_on_one_day() -> None:
    table = whole(COMPANY, EPOCH + timedelta(days=60))["usage"]
    days = table.select(["user_id", "usage_date"]).group_by(["user_id", "usage_date"])
    assert days.aggregate([]).num_rows == table.num_rows


def test_a_calendar_without_enough_days_has_rows_on_the_same_day() -> None:
    table = whole(Company(42, 50, OPENING), OPENING)["usage"]
    assert set(table["usage_date"].to_pylist()) == {OPENING}
    assert set(Counter(table["user_id"].to_pylist()).values()) == {5}


@pytest.mark.parametrize("period", ["until the epoch", "after it"])
def test_working_days_see_more_use_than_weekends(period: str) -> None:
    table = whole(COMPANY, EPOCH + timedelta(days=56))["usage"]
    early = pc.less_equal(table["usage_date"], pa.scalar(EPOCH))
    table = table.filter(early if period == "until the epoch" else pc.invert(early))
    by_weekday = Counter(day.weekday() for day in table["usage_date"].to_pylist())
    assert min(by_weekday[n] for n in range(5)) > 1.3 * max(by_weekday[n] for n in (5, 6))


def test_days_after_the_epoch_are_as_busy_as_those_before() -> None:
    dates = whole(COMPANY, EPOCH + timedelta(days=28))["usage"]["usage_date"].to_pylist()
    before = sum(EPOCH - timedelta(days=28) < day <= EPOCH for day in dates)
    after = sum(day > EPOCH for day in dates)
    # Users grow by an eighth in four weeks.
    assert after / before == pytest.approx(1.13, abs=0.1)


def test_use_and_storage_grow_while_a_subscription_lasts() -> None:
    tables = rows(COMPANY, EPOCH)
    starts = {key: chain[0]["start_date"] for key, chain in chains(tables["subscription"]).items()}
    free = [row for row in tables["usage"] if row["plan_id"] == 1]
    for column in ("actions_performed", "storage_used_mb"):
        young, old = (
            np.mean(
                [
                    row[column]
                    for row in free
                    if first <= (row["usage_date"] - starts[row["user_id"]]).days < last
                ]
            )
            for first, last in ((0, 10), (30, 500))
        )
        assert old > 1.2 * young


def test_levels_fit_the_plan(usage: pa.Table) -> None:
    medians = {}
    for column in ("actions_performed", "storage_used_mb", "api_calls", "active_minutes"):
        medians[column] = [
            float(np.median(usage.filter(pc.equal(usage["plan_id"], plan))[column].to_numpy()))
            for plan in range(1, 6)
        ]
        assert medians[column] == sorted(medians[column])
        assert pc.min(usage[column]).as_py() >= 0
    assert medians["api_calls"][4] > 50 * medians["api_calls"][0]
    assert pc.max(usage["active_minutes"]).as_py() < 24 * 60


def test_storage_has_two_decimals_and_the_plans_limit(usage: pa.Table) -> None:
    values = usage["storage_used_mb"].to_pylist()
    assert all(value == round(value, 2) for value in values)
    assert any(value != round(value, 1) for value in values)
    for plan, limit in STORAGE.items():
        of_plan = usage.filter(pc.equal(usage["plan_id"], plan))["storage_used_mb"]
        assert limit / 2 < pc.max(of_plan).as_py() <= limit


@pytest.mark.parametrize("as_of", [date(2025, 2, 14), date(2026, 8, 31)], ids=str)
def test_before_the_epoch_there_are_the_rows_up_to_the_day(usage: pa.Table, as_of: date) -> None:
    expected = usage.filter(pc.less_equal(usage["usage_date"], pa.scalar(as_of)))
    assert whole(COMPANY, as_of)["usage"] == expected
    assert expected.num_rows > 0


def test_a_lone_user_has_usage_too() -> None:
    for seed in range(20):
        table = whole(Company(seed, 1, EPOCH), EPOCH)["usage"]
        assert table.num_rows == 5
        assert pc.count_distinct(table["usage_date"]).as_py() == 5
