"""ANSWERS, the key: each mart's rows as they have to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from subscriptions.answers import customers, lifetimes, plans, revenue
from subscriptions.answers.marts import (
    CHURN_MONTHLY,
    COHORT_RETENTION,
    CUSTOMER_LIFETIME,
    CUSTOMER_MONTHLY,
    MRR_MONTHLY,
    MRR_MOVEMENTS,
    PLAN_MOVEMENTS,
    REFERRAL_PERFORMANCE,
    USAGE_DAILY,
    Mart,
    Row,
)
from subscriptions.answers.truth import Truth

_WAYS: Final[Mapping[str, Callable[[Truth], list[Row]]]] = {
    MRR_MONTHLY.name: revenue.mrr_monthly,
    MRR_MOVEMENTS.name: revenue.mrr_movements,
    CUSTOMER_MONTHLY.name: customers.customer_monthly,
    CHURN_MONTHLY.name: revenue.churn_monthly,
    COHORT_RETENTION.name: customers.cohort_retention,
    PLAN_MOVEMENTS.name: plans.plan_movements,
    CUSTOMER_LIFETIME.name: lifetimes.customer_lifetime,
    USAGE_DAILY.name: plans.usage_daily,
    REFERRAL_PERFORMANCE.name: lifetimes.referral_performance,
}


def answers(mart: Mart, truth: Truth) -> list[Row]:
    """The mart's rows, with its columns in their order, sorted by its key."""
    return _WAYS[mart.name](truth)
