"""ANSWERS: recurring revenue: how much there is at each month's end, and how it got there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from subscriptions.answers.marts import CHURN_MONTHLY, MRR_MONTHLY, MRR_MOVEMENTS, Row
from subscriptions.answers.movements import SpellMonth, spell_months
from subscriptions.answers.ratios import ratio
from subscriptions.answers.truth import NOTHING, Truth
from subscriptions.fixed_values import REGIONS

Cell = tuple[date, int, str]
"""A month's first day, a plan_id and a region."""
Amounts = dict[str, Decimal]

_AMOUNTS: Final = [name for name in MRR_MOVEMENTS.columns if name.endswith("_mrr")]


def mrr_monthly(truth: Truth) -> list[Row]:
    """Customers, and the fees of the paid subscriptions that cover each month's last day."""
    customers: Counter[Cell] = Counter(
        (of.month.first, of.plan, of.spell.user.region) for of in spell_months(truth) if of.is_there
    )
    paying: Counter[Cell] = Counter()
    mrr: defaultdict[Cell, Decimal] = defaultdict(lambda: NOTHING)
    for user in truth.users:
        for subscription in truth.paid(user):
            for month in truth.months:
                if subscription.covers(month.measured_on):
                    cell = (month.first, subscription.plan_id, user.region)
                    paying[cell] += 1
                    mrr[cell] += subscription.fee
    return [
        MRR_MONTHLY.row(
            month.first,
            month.measured_on,
            plan.plan_id,
            plan.name,
            region,
            customers[cell],
            paying[cell],
            mrr[cell],
        )
        for month in truth.months
        for plan in truth.paid_plans
        for region in sorted(REGIONS)
        if (cell := (month.first, plan.plan_id, region))
    ]


def mrr_movements(truth: Truth) -> list[Row]:
    """From each month's opening revenue to its closing, by what happened to customers."""
    found = amounts(truth)
    return [
        MRR_MOVEMENTS.row(
            month.first,
            month.measured_on,
            plan.plan_id,
            plan.name,
            region,
            *(cell[name] for name in _AMOUNTS),
        )
        for month in truth.months
        for plan in truth.paid_plans
        for region in sorted(REGIONS)
        if (cell := found[month.first, plan.plan_id, region])
    ]


def amounts(truth: Truth) -> Mapping[Cell, Amounts]:
    """By cell, each amount of the movements; 0 in the cells where nothing happened."""
    found: defaultdict[Cell, Amounts] = defaultdict(lambda: dict.fromkeys(_AMOUNTS, NOTHING))
    for of in spell_months(truth):
        region = of.spell.user.region
        before = found[of.month.first, of.plan_before, region]
        now = found[of.month.first, of.plan, region]
        if of.was:
            before["opening_mrr"] += of.fee_before
        if of.is_there:
            now["closing_mrr"] += of.fee
        if not of.was:
            now["new_mrr" if of.spell.is_first else "reactivation_mrr"] += of.fee
        elif not of.is_there:
            before["churn_mrr"] -= of.fee_before
        else:
            _stayed(of, before, now)
    return found


def _stayed(of: SpellMonth, before: Amounts, now: Amounts) -> None:
    """Note what became of a customer from one month's end to the next."""
    if of.plan_before != of.plan:
        before["transfer_mrr"] -= of.fee_before
        now["transfer_mrr"] += of.fee_before
    change = of.fee - of.fee_before
    now["expansion_mrr" if change > 0 else "contraction_mrr"] += change
    if of.fee_before == 0:
        now["resumed_mrr"] += change
    if of.fee == 0:
        now["lapsed_mrr"] += change


def churn_monthly(truth: Truth) -> list[Row]:
    """What share of its customers and of its revenue the whole company lost in each month."""
    opening: Counter[date] = Counter()
    churned: Counter[date] = Counter()
    for of in spell_months(truth):
        opening[of.month.first] += of.was
        churned[of.month.first] += not of.is_there
    totals: defaultdict[date, Amounts] = defaultdict(lambda: dict.fromkeys(_AMOUNTS, NOTHING))
    for (first, _, _), cell in amounts(truth).items():
        for name, amount in cell.items():
            totals[first][name] += amount
    rows = []
    for month in truth.months:
        total = totals[month.first]
        opened, lost = total["opening_mrr"], -total["churn_mrr"]
        kept = opened + total["expansion_mrr"] + total["contraction_mrr"] - lost
        rows.append(
            CHURN_MONTHLY.row(
                *month,
                opening[month.first],
                churned[month.first],
                ratio(churned[month.first], opening[month.first]),
                opened,
                lost,
                ratio(lost, opened),
                ratio(kept, opened),
            )
        )
    return rows
