"""ANSWERS: what each spell did in each month, held against the month before."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from subscriptions.answers.spells import Spell, spells
from subscriptions.answers.truth import NOTHING, Month, Truth


class SpellMonth(NamedTuple):
    """A spell in a month of which it covers a day, or in which its churn day lies."""

    month: Month
    spell: Spell
    was: bool
    """Whether it covered the day on which the month before was measured."""
    is_there: bool
    """Whether it covers the day on which this one is."""
    fee_before: Decimal
    """Of its subscription on the former day; 0 in a gap, or where it had not begun."""
    fee: Decimal
    """Of its subscription on the latter."""
    plan_before: int
    """Of its latest subscription by the former day; where it had not begun, as `plan`."""
    plan: int
    """Of its latest subscription by the latter."""


def spell_months(truth: Truth) -> Iterator[SpellMonth]:
    """All of them, each spell's in order of time."""
    for spell in spells(truth):
        before: Month | None = None  # the first month of all has none before it
        for month in truth.months:
            if spell.start <= month.measured_on and (
                spell.churn_day is None or spell.churn_day >= month.first
            ):
                yield _spell_month(spell, month, before)
            before = month


def _spell_month(spell: Spell, month: Month, before: Month | None) -> SpellMonth:
    was = before is not None and spell.covers(before.measured_on)
    plan = spell.plan_on(month.measured_on)
    return SpellMonth(
        month=month,
        spell=spell,
        was=was,
        is_there=spell.covers(month.measured_on),
        fee_before=spell.fee_on(before.measured_on) if before else NOTHING,
        fee=spell.fee_on(month.measured_on),
        plan_before=spell.plan_on(before.measured_on) if before and was else plan,
        plan=plan,
    )
