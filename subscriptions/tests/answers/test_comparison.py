"""What is said of a mart that is not as it has to be."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from subscriptions.answers.comparison import compare
from subscriptions.answers.marts import CHURN_MONTHLY, USAGE_DAILY, Row
from subscriptions.tests.answers.hand_made import amount, day


def usage(plan_id: int, **others: object) -> Row:
    row = USAGE_DAILY.row(day("01-05"), plan_id, "Basic", 1, 2, amount("20.00"), 4, 5)
    return {**row, **others}  # type: ignore[dict-item]


RIGHT = [usage(2), usage(3), usage(4)]


def said(found: list[Row]) -> list[str]:
    return [f"{d.place}: {d.sentence}" for d in compare(USAGE_DAILY, found, RIGHT)]


def test_the_same_rows_in_any_order_and_with_any_decimals_are_right() -> None:
    same = usage(3, storage_used_mb=Decimal("20.0"), actions=Decimal("2.00"))
    assert said([usage(4), same, usage(Decimal("2.0"))]) == []  # type: ignore[arg-type]


def test_each_difference_says_where_and_how_much() -> None:
    found = [
        usage(2, actions=7, storage_used_mb=Decimal("19.5")),
        usage(3, plan_name="Basc", api_calls=None),
        usage(5),
        usage(5, actions=9),
        usage(6),
    ]
    at = "usage_date 2026-01-05, plan_id"
    assert said(found) == [
        f"{at} 2: actions is 7 instead of 2, off by +5",
        f"{at} 2: storage_used_mb is 19.5 instead of 20.00, off by -0.50",
        f"{at} 3: plan_name is 'Basc' instead of 'Basic'",
        f"{at} 3: api_calls is null instead of 4",
        f"{at} 4: this row is missing",
        f"{at} 5: there should be no such row",
        f"{at} 6: there should be no such row",
    ]
    assert said([*RIGHT, usage(3)]) == [f"{at} 3: this row is there 2 times"]


def test_dates_are_off_by_days_and_a_moment_is_no_date() -> None:
    values = (1, 0, None, amount("0.00"), amount("0.00"), None, None)
    right = [CHURN_MONTHLY.row(day("01-01"), day("01-31"), *values)]
    early = [CHURN_MONTHLY.row(day("01-01"), day("01-28"), *values)]
    (difference,) = compare(CHURN_MONTHLY, early, right)
    assert difference.sentence == "measured_on is 2026-01-28 instead of 2026-01-31, off by -3 days"
    moment = [CHURN_MONTHLY.row(day("01-01"), datetime(2026, 1, 31, tzinfo=UTC), *values)]
    (difference,) = compare(CHURN_MONTHLY, moment, right)
    assert "off by" not in difference.sentence


def test_keys_of_other_types_or_none_are_differences_as_well() -> None:
    odd = [usage(2), usage(3), usage(4), usage("4"), usage(None)]  # type: ignore[arg-type]
    assert [line.split("plan_id ")[1] for line in said(odd)] == [
        "null: there should be no such row",
        "'4': there should be no such row",
    ]
