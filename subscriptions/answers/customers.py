"""ANSWERS: customers month by month, and how long those of each sign-up month stay."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from subscriptions.answers.marts import COHORT_RETENTION, CUSTOMER_MONTHLY, Row
from subscriptions.answers.movements import spell_months
from subscriptions.answers.ratios import ratio
from subscriptions.answers.spells import spells
from subscriptions.answers.truth import NOTHING, Truth, User
from subscriptions.fixed_values import REFERRAL_SOURCES, REGIONS

Cell = tuple[date, int, str, str]
"""A month's first day, a plan_id, a region and a referral source."""
Counts = Counter[str]

_COUNTS: Final = list(CUSTOMER_MONTHLY.columns)[6:]


def customer_monthly(truth: Truth) -> list[Row]:
    """Customers from each month's opening to its close, and those who are on Free at its end."""
    found: defaultdict[Cell, Counts] = defaultdict(Counter)
    _count_customers(truth, found)
    _count_free_users(truth, found)
    return [
        CUSTOMER_MONTHLY.row(
            month.first,
            month.measured_on,
            plan.plan_id,
            plan.name,
            region,
            source,
            *(found[month.first, plan.plan_id, region, source][name] for name in _COUNTS),
        )
        for month in truth.months
        for plan in truth.plans
        for region in sorted(REGIONS)
        for source in sorted(REFERRAL_SOURCES)
    ]


def _count_customers(truth: Truth, found: Mapping[Cell, Counts]) -> None:
    for of in spell_months(truth):
        user = of.spell.user
        before = found[of.month.first, of.plan_before, user.region, user.referral_source]
        now = found[of.month.first, of.plan, user.region, user.referral_source]
        if of.was:
            before["opening_customers"] += 1
        elif of.spell.is_first:
            now["new_customers"] += 1
            now["trial_free_customers"] += _came_without_trial(truth, user)
        else:
            now["reactivated_customers"] += 1
        if of.is_there:
            now["active_customers"] += 1
        else:
            (before if of.was else now)["churned_customers"] += 1
        if of.was and of.is_there and of.plan_before != of.plan:
            before["transferred_customers"] -= 1
            now["transferred_customers"] += 1


def _came_without_trial(truth: Truth, user: User) -> bool:
    """Whether a customer had no subscription to Free before the first paid one."""
    return truth.chains[user.user_id][0].fee > 0


def _count_free_users(truth: Truth, found: Mapping[Cell, Counts]) -> None:
    for user in truth.users:
        for subscription in truth.chains[user.user_id]:
            for month in truth.months:
                if subscription.fee == 0 and subscription.covers(month.measured_on):
                    plan_id = subscription.plan_id
                    cell = found[month.first, plan_id, user.region, user.referral_source]
                    cell["free_users"] += 1


def cohort_retention(truth: Truth) -> list[Row]:
    """Of those who signed up in a month, how many are customers at the end of each later one."""
    cohorts: defaultdict[date, list[User]] = defaultdict(list)
    for user in truth.users:
        cohorts[user.signup_date.replace(day=1)].append(user)
    active = _active(truth)
    mrr = _mrr(truth)
    rows = []
    for place, cohort in enumerate(truth.months):
        users = cohorts[cohort.first]
        for since, month in enumerate(truth.months[place:]):
            customers = sum((user.user_id, month.first) in active for user in users)
            revenue = sum((mrr[user.user_id, month.first] for user in users), NOTHING)
            rows.append(
                COHORT_RETENTION.row(
                    cohort.first,
                    since,
                    *month,
                    len(users),
                    customers,
                    ratio(customers, len(users)),
                    revenue,
                )
            )
    return rows


def _active(truth: Truth) -> set[tuple[str, date]]:
    """Who is a customer when which month is measured."""
    return {
        (spell.user.user_id, month.first)
        for spell in spells(truth)
        for month in truth.months
        if spell.covers(month.measured_on)
    }


def _mrr(truth: Truth) -> Mapping[tuple[str, date], Decimal]:
    """What each user pays when each month is measured."""
    found: defaultdict[tuple[str, date], Decimal] = defaultdict(lambda: NOTHING)
    for user in truth.users:
        for subscription in truth.paid(user):
            for month in truth.months:
                if subscription.covers(month.measured_on):
                    found[user.user_id, month.first] += subscription.fee
    return found
