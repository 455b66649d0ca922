"""From when to when somebody is a customer, at the edges of each rule."""

from __future__ import annotations

from datetime import date

import pytest

from subscriptions.answers.spells import of_chain
from subscriptions.answers.truth import Subscription
from subscriptions.tests.answers.hand_made import BASIC, FREE, PREMIUM, day, on, someone


def spells(as_of: str, *chain: Subscription) -> list[tuple[date, date | None, bool]]:
    """Start, churn day and whether it is the first, of each."""
    user, subscriptions = someone(*chain)
    found = of_chain(user, subscriptions, day(as_of))
    return [(spell.start, spell.churn_day, spell.is_first) for spell in found]


# From 1 January to 1 February; 7 days without one end on the 8th, 8 on the 9th.
JANUARY = on(BASIC, "01-01")


@pytest.mark.parametrize("start", ["02-02", "02-05", "02-09"])
def test_a_renewal_after_up_to_seven_days_goes_on(start: str) -> None:
    assert spells("02-20", JANUARY, on(BASIC, start)) == [(day("01-01"), None, True)]


def test_a_renewal_after_eight_days_is_a_reactivation() -> None:
    assert spells("02-20", JANUARY, on(BASIC, "02-10")) == [
        (day("01-01"), day("02-02"), True),
        (day("02-10"), None, False),
    ]


def test_grace_lasts_to_the_end_of_the_seventh_day_after_the_last_paid_one() -> None:
    assert spells("02-08", JANUARY) == [(day("01-01"), None, True)]
    assert spells("02-09", JANUARY) == [(day("01-01"), day("02-02"), True)]


def test_a_move_to_free_is_churn_at_once() -> None:
    assert spells("02-02", JANUARY, on(FREE, "02-02")) == [(day("01-01"), day("02-02"), True)]
    # Within the days of grace as well: on the day after the last paid one, not on that of Free.
    assert spells("02-06", JANUARY, on(FREE, "02-06")) == [(day("01-01"), day("02-02"), True)]


def test_a_move_from_free_back_is_a_reactivation_however_soon() -> None:
    back = on(FREE, "02-02", end="02-04"), on(BASIC, "02-05")
    assert spells("02-20", JANUARY, *back) == [
        (day("01-01"), day("02-02"), True),
        (day("02-05"), None, False),
    ]


def test_a_trial_is_before_the_first_spell_and_a_plan_change_within_one() -> None:
    chain = (on(FREE, "01-01", end="01-19"), on(BASIC, "01-20"), on(PREMIUM, "02-21"))
    assert spells("03-01", *chain) == [(day("01-20"), None, True)]
    assert spells("12-31", *chain) == [(day("01-20"), day("03-22"), True)]
    assert spells("12-31", on(FREE, "01-01")) == []


def test_a_spell_covers_its_days_up_to_the_churn_day_and_the_gaps_between() -> None:
    user, chain = someone(JANUARY, on(PREMIUM, "02-09"))
    (spell,) = of_chain(user, chain, day("12-31"))
    assert spell.churn_day == day("03-10")
    covered = ["01-01", "02-05", "03-09"]
    assert [spell.covers(day(text)) for text in covered] == [True] * 3
    assert not spell.covers(date(2025, 12, 31))
    assert not spell.covers(day("03-10"))
    assert [str(spell.fee_on(day(text))) for text in covered] == ["20.00", "0.00", "35.00"]
    assert [spell.plan_on(day(text)) for text in covered] == [BASIC, BASIC, PREMIUM]
