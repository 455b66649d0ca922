"""Recurring revenue and its movements, of companies that fit on a slip of paper."""

from __future__ import annotations

from typing import Final

from subscriptions.answers.marts import CHURN_MONTHLY, MRR_MONTHLY, MRR_MOVEMENTS
from subscriptions.answers.revenue import churn_monthly, mrr_monthly, mrr_movements
from subscriptions.answers.truth import Truth
from subscriptions.tests.answers.hand_made import (
    BASIC,
    FREE,
    PREMIUM,
    amount,
    cells,
    day,
    on,
    someone,
    truth,
)

_AMOUNTS: Final = list(MRR_MOVEMENTS.columns)[5:]


def movements(of: Truth) -> dict[tuple[object, ...], dict[str, str]]:
    """By month and plan, the amounts that are not zero, as short as they are written."""
    found = cells(MRR_MOVEMENTS, mrr_movements(of), *_AMOUNTS)
    return {
        key: {
            name.removesuffix("_mrr"): f"{value:f}".removesuffix(".00")
            for name, value in zip(_AMOUNTS, values, strict=True)
            if value
        }
        for key, values in found.items()
    }


def test_revenue_is_what_covers_the_last_day_and_a_gap_keeps_the_customer() -> None:
    # Until 24 January, and from 30 January on; then until 28 February, and from 4 March on.
    of = truth(
        "03-10", someone(on(BASIC, "01-28", end="02-24"), on(PREMIUM, "03-02"), name="a"),
        someone(on(BASIC, "02-15"), name="b"), someone(on(FREE, "01-05"), name="c"),
    )  # fmt: skip
    assert cells(MRR_MONTHLY, mrr_monthly(of), "customers", "paying_customers", "mrr") == {
        ("01", BASIC): [1, 1, 20],
        ("02", BASIC): [2, 1, 20],
        ("03", BASIC): [1, 1, 20],
        ("03", PREMIUM): [1, 1, 35],
    }


def test_every_month_has_every_paid_plan_and_region_and_the_last_is_measured_on_the_day() -> None:
    rows = mrr_monthly(truth("03-10", someone(on(FREE, "01-05"))))
    assert len(rows) == 3 * 2 * 6
    measured = {(row["month"], row["measured_on"]) for row in rows}
    assert measured == {
        (day("01-01"), day("01-31")),
        (day("02-01"), day("02-28")),
        (day("03-01"), day("03-10")),
    }
    assert {row["plan_id"] for row in rows} == {BASIC, PREMIUM}
    assert [row["region"] for row in rows[:2]] == ["Africa", "Asia"]


def test_a_higher_price_from_one_start_to_the_next_is_expansion() -> None:
    of = truth("02-20", someone(on(BASIC, "01-10"), on(BASIC, "02-11", fee="21.50")))
    assert movements(of) == {
        ("01", BASIC): {"new": "20", "closing": "20"},
        ("02", BASIC): {"opening": "20", "expansion": "1.50", "closing": "21.50"},
    }


def test_a_plan_change_within_a_month_is_a_transfer_and_then_the_difference() -> None:
    up = truth("02-20", someone(on(BASIC, "01-10"), on(PREMIUM, "02-11")))
    assert movements(up) == {
        ("01", BASIC): {"new": "20", "closing": "20"},
        ("02", BASIC): {"opening": "20", "transfer": "-20"},
        ("02", PREMIUM): {"transfer": "20", "expansion": "15", "closing": "35"},
    }
    down = truth("02-20", someone(on(PREMIUM, "01-10"), on(BASIC, "02-11")))
    assert movements(down) == {
        ("01", PREMIUM): {"new": "35", "closing": "35"},
        ("02", PREMIUM): {"opening": "35", "transfer": "-35"},
        ("02", BASIC): {"transfer": "35", "contraction": "-15", "closing": "20"},
    }


def test_a_gap_at_the_months_end_is_contraction_that_comes_back_as_expansion() -> None:
    # The first ends on 28 February less 2 days, the second starts on 4 March.
    of = truth("04-01", someone(on(BASIC, "01-26"), on(PREMIUM, "03-04")))
    assert movements(of) == {
        ("01", BASIC): {"new": "20", "closing": "20"},
        ("02", BASIC): {"opening": "20", "contraction": "-20", "lapsed": "-20"},
        ("03", PREMIUM): {"expansion": "35", "resumed": "35", "closing": "35"},
        ("04", PREMIUM): {"opening": "35", "closing": "35"},
    }


def test_the_days_of_grace_are_a_gap_at_the_end_as_well() -> None:
    january = someone(on(BASIC, "01-20"))  # until 20 February
    assert movements(truth("02-27", january))[("02", BASIC)] == {
        "opening": "20", "contraction": "-20", "lapsed": "-20",
    }  # fmt: skip
    assert movements(truth("02-28", january))[("02", BASIC)] == {"opening": "20", "churn": "-20"}


def test_leaving_is_churn_and_returning_a_reactivation() -> None:
    of = truth("04-20", someone(on(PREMIUM, "01-10"), on(BASIC, "04-10")))
    assert movements(of) == {
        ("01", PREMIUM): {"new": "35", "closing": "35"},
        ("02", PREMIUM): {"opening": "35", "churn": "-35"},
        ("04", BASIC): {"reactivation": "20", "closing": "20"},
    }


def test_leaving_and_returning_within_one_month_are_both_told() -> None:
    of = truth("02-28", someone(on(BASIC, "01-05"), on(PREMIUM, "02-20")))
    assert movements(of)[("02", BASIC)] == {"opening": "20", "churn": "-20"}
    assert movements(of)[("02", PREMIUM)] == {"reactivation": "35", "closing": "35"}


def test_who_changes_plan_and_leaves_within_one_month_leaves_the_plan_before() -> None:
    short = on(PREMIUM, "02-11", end="02-15")
    of = truth("03-10", someone(on(BASIC, "01-10"), short))
    assert movements(of)[("02", BASIC)] == {"opening": "20", "churn": "-20"}
    assert ("02", PREMIUM) not in movements(of)


def test_churn_on_the_first_of_a_month_is_of_that_month() -> None:
    # Until 31 January inclusive.
    of = truth("02-10", someone(on(BASIC, "01-02", end="01-31")))
    assert movements(of) == {
        ("01", BASIC): {"new": "20", "closing": "20"},
        ("02", BASIC): {"opening": "20", "churn": "-20"},
    }


def test_churn_rates_are_of_the_opening_and_null_without_one() -> None:
    of = truth(
        "02-28",
        someone(on(BASIC, "01-10"), name="a"),
        someone(on(PREMIUM, "01-15"), on(PREMIUM, "02-16", fee="36"), name="b"),
        someone(on(PREMIUM, "01-15"), on(BASIC, "02-16"), name="c"),
        someone(on(BASIC, "02-20"), name="d"),
    )
    january, february = churn_monthly(of)
    assert list(january.values()) == [day("01-01"), day("01-31"), 0, 0, None, 0, 0, None, None]
    assert february == CHURN_MONTHLY.row(
        day("02-01"),
        day("02-28"),
        3,
        1,
        amount("0.333333"),
        90,
        20,
        amount("0.222222"),
        amount("0.622222"),  # (90 + 1 - 15 - 20) / 90
    )


def test_nobody_leaves_no_rows() -> None:
    of = truth("02-28")
    assert (mrr_monthly(of), mrr_movements(of), churn_monthly(of)) == ([], [], [])
