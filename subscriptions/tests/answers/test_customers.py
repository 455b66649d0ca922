"""Customers month by month and cohort by cohort, of companies that fit on a slip of paper."""

from __future__ import annotations

from typing import Final

from subscriptions.answers.customers import cohort_retention, customer_monthly
from subscriptions.answers.marts import COHORT_RETENTION, CUSTOMER_MONTHLY
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

_COUNTS: Final = list(CUSTOMER_MONTHLY.columns)[6:]


def customers(of: Truth) -> dict[tuple[object, ...], dict[str, object]]:
    """By month and plan, the counts that are not zero."""
    return {
        key: {
            name.removesuffix("_customers"): value
            for name, value in zip(_COUNTS, values, strict=True)
            if value
        }
        for key, values in cells(CUSTOMER_MONTHLY, customer_monthly(of), *_COUNTS).items()
    }


def test_new_changed_lost_and_returned() -> None:
    of = truth(
        "05-15", someone(on(BASIC, "01-10"), on(PREMIUM, "02-11"), on(BASIC, "05-01"))
    )  # fmt: skip
    assert customers(of) == {
        ("01", BASIC): {"new": 1, "trial_free": 1, "active": 1},
        ("02", BASIC): {"opening": 1, "transferred": -1},
        ("02", PREMIUM): {"transferred": 1, "active": 1},
        ("03", PREMIUM): {"opening": 1, "churned": 1},
        ("05", BASIC): {"reactivated": 1, "active": 1},
    }


def test_who_was_on_free_before_did_not_come_without_a_trial() -> None:
    of = truth("02-25", someone(on(FREE, "01-10", end="02-14"), on(BASIC, "02-15")))
    assert customers(of) == {
        ("01", FREE): {"free_users": 1},
        ("02", BASIC): {"new": 1, "active": 1},
    }


def test_a_move_to_free_within_the_grace_is_churn_in_the_month_of_its_day() -> None:
    # Paid until 28 February, Free from 5 March on: churned on 1 March.
    of = truth("03-10", someone(on(BASIC, "01-28"), on(FREE, "03-05")))
    assert customers(of)[("02", BASIC)] == {"opening": 1, "active": 1}
    assert customers(of)[("03", BASIC)] == {"opening": 1, "churned": 1}
    assert customers(of)[("03", FREE)] == {"free_users": 1}


def test_who_leaves_leaves_the_plan_of_the_month_before() -> None:
    short = on(PREMIUM, "02-11", end="02-15")
    of = truth("03-10", someone(on(BASIC, "01-10"), short))
    assert customers(of)[("02", BASIC)] == {"opening": 1, "churned": 1}
    # And who came in this very month, that of its last subscription.
    of = truth("03-10", someone(on(BASIC, "02-01", end="02-10"), short))
    assert customers(of)[("02", PREMIUM)] == {"new": 1, "trial_free": 1, "churned": 1}


def test_someone_in_a_gap_is_a_customer_of_the_plan_before() -> None:
    of = truth("03-10", someone(on(BASIC, "01-26"), on(PREMIUM, "03-04")))
    assert customers(of)[("02", BASIC)] == {"opening": 1, "active": 1}
    assert customers(of)[("03", BASIC)] == {"opening": 1, "transferred": -1}


def test_every_month_has_every_plan_region_and_source() -> None:
    rows = customer_monthly(truth("02-10", someone(on(FREE, "01-05"))))
    assert len(rows) == 2 * 3 * 6 * 4
    assert customer_monthly(truth("02-10")) == []


def test_cohorts_have_every_month_since_and_no_rate_without_users() -> None:
    of = truth(
        "03-10",
        someone(on(BASIC, "01-10"), on(PREMIUM, "02-11"), name="a"),
        someone(on(BASIC, "01-20"), name="b"),
        someone(on(FREE, "01-20", end="03-04"), on(BASIC, "03-05"), name="c"),
        someone(on(FREE, "03-01"), name="d"),
    )
    measured = {"01": "01-31", "02": "02-28", "03": "03-10"}
    expected = [
        ("01", 0, "01", 3, 2, "0.666667", 40),
        ("01", 1, "02", 3, 1, "0.333333", 35),
        ("01", 2, "03", 3, 2, "0.666667", 55),
        ("02", 0, "02", 0, 0, None, 0),
        ("02", 1, "03", 0, 0, None, 0),
        ("03", 0, "03", 1, 0, "0.000000", 0),
    ]
    assert cohort_retention(of) == [
        COHORT_RETENTION.row(
            day(f"{cohort}-01"), since, day(f"{month}-01"), day(measured[month]),
            users, found, None if rate is None else amount(rate), amount(str(mrr)),
        )
        for cohort, since, month, users, found, rate, mrr in expected
    ]  # fmt: skip
