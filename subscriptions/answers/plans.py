"""ANSWERS: who moved from which plan to which, and what each plan's users did on each day."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from itertools import pairwise, permutations

from subscriptions.answers.marts import PLAN_MOVEMENTS, USAGE_DAILY, Row
from subscriptions.answers.truth import NOTHING, Truth, Usage


def plan_movements(truth: Truth) -> list[Row]:
    """Subscriptions on another plan than the same user's one before, by the month of their start.

    However long the user was away between the two: what comes next is another plan.
    """
    movements: Counter[tuple[date, int, int]] = Counter()
    change: defaultdict[tuple[date, int, int], Decimal] = defaultdict(lambda: NOTHING)
    for chain in truth.chains.values():
        for before, after in pairwise(chain):
            move = (after.start.replace(day=1), before.plan_id, after.plan_id)
            movements[move] += 1
            change[move] += after.fee - before.fee
    return [
        PLAN_MOVEMENTS.row(
            month.first,
            left.plan_id,
            left.name,
            taken.plan_id,
            taken.name,
            movements[move],
            change[move],
        )
        for month in truth.months
        for left, taken in permutations(truth.plans, 2)
        if (move := (month.first, left.plan_id, taken.plan_id))
    ]


def usage_daily(truth: Truth) -> list[Row]:
    """What the users of each plan did on each day."""
    found: defaultdict[tuple[date, int], list[Usage]] = defaultdict(list)
    for usage in truth.usage:
        found[usage.usage_date, usage.plan_id].append(usage)
    return [
        USAGE_DAILY.row(
            day,
            plan.plan_id,
            plan.name,
            len({usage.user_id for usage in rows}),
            sum(usage.actions for usage in rows),
            sum((usage.storage_mb for usage in rows), NOTHING),
            sum(usage.api_calls for usage in rows),
            sum(usage.active_minutes for usage in rows),
        )
        for day in truth.days
        for plan in truth.plans
        for rows in [found[day, plan.plan_id]]
    ]
