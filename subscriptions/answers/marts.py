"""ANSWERS: the nine marts: their columns in order, their types, their keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Final

Value = date | int | str | Decimal | None
Row = dict[str, Value]


class Kind(Enum):
    """What a column holds."""

    DATE = "a date such as 2026-01-31"
    INTEGER = "a whole number"
    TEXT = "text"
    MONEY = "an amount with 2 decimals"
    RATE = "a number with 6 decimals"

    @property
    def is_number(self) -> bool:
        """Whether its values are compared as numbers."""
        return self not in {Kind.DATE, Kind.TEXT}


_KINDS: Final = {
    "date": Kind.DATE,
    "int": Kind.INTEGER,
    "text": Kind.TEXT,
    "money": Kind.MONEY,
    "rate": Kind.RATE,
}


@dataclass(frozen=True)
class Mart:
    """One mart; its rows are sorted by its key."""

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, Kind]

    def row(self, *values: Value) -> Row:
        """A row from its values, in the columns' order."""
        return dict(zip(self.columns, values, strict=True))


def _mart(name: str, columns: str) -> Mart:
    """A mart from lines of `kind: names`; a star marks the columns of the key."""
    kinds, key = {}, []
    for line in columns.split("\n"):
        kind, _, names = line.partition(":")
        for starred in names.split():
            column = starred.removesuffix("*")
            kinds[column] = _KINDS[kind.strip()]
            if starred != column:
                key.append(column)
    return Mart(name, tuple(key), kinds)


MRR_MONTHLY: Final = _mart(
    "mrr_monthly",
    """date: month* measured_on
    int: plan_id*
    text: plan_name region*
    int: customers paying_customers
    money: mrr""",
)
MRR_MOVEMENTS: Final = _mart(
    "mrr_movements",
    """date: month* measured_on
    int: plan_id*
    text: plan_name region*
    money: opening_mrr new_mrr reactivation_mrr expansion_mrr contraction_mrr churn_mrr transfer_mrr
    money: closing_mrr resumed_mrr lapsed_mrr""",
)
CUSTOMER_MONTHLY: Final = _mart(
    "customer_monthly",
    """date: month* measured_on
    int: plan_id*
    text: plan_name region* referral_source*
    int: opening_customers new_customers trial_free_customers reactivated_customers
    int: churned_customers transferred_customers active_customers free_users""",
)
CHURN_MONTHLY: Final = _mart(
    "churn_monthly",
    """date: month* measured_on
    int: opening_customers churned_customers
    rate: customer_churn_rate
    money: opening_mrr churned_mrr
    rate: revenue_churn_rate net_revenue_retention""",
)
COHORT_RETENTION: Final = _mart(
    "cohort_retention",
    """date: cohort_month*
    int: months_since*
    date: month measured_on
    int: users customers
    rate: retention_rate
    money: mrr""",
)
PLAN_MOVEMENTS: Final = _mart(
    "plan_movements",
    """date: month*
    int: from_plan_id*
    text: from_plan_name
    int: to_plan_id*
    text: to_plan_name
    int: movements
    money: fee_change""",
)
CUSTOMER_LIFETIME: Final = _mart(
    "customer_lifetime",
    """text: user_id*
    date: signup_date
    text: region referral_source
    int: plan_id
    text: state
    date: customer_since paid_until churned_on
    int: paid_subscriptions tenure_days
    money: revenue mrr
    date: last_activity_on""",
)
USAGE_DAILY: Final = _mart(
    "usage_daily",
    """date: usage_date*
    int: plan_id*
    text: plan_name
    int: active_users actions
    money: storage_used_mb
    int: api_calls active_minutes""",
)
REFERRAL_PERFORMANCE: Final = _mart(
    "referral_performance",
    """text: referral_source*
    int: users customers
    rate: conversion_rate
    int: active_customers churned_customers
    money: revenue revenue_per_user mrr""",
)

MARTS: Final[Mapping[str, Mart]] = {
    mart.name: mart
    for mart in (
        MRR_MONTHLY,
        MRR_MOVEMENTS,
        CUSTOMER_MONTHLY,
        CHURN_MONTHLY,
        COHORT_RETENTION,
        PLAN_MOVEMENTS,
        CUSTOMER_LIFETIME,
        USAGE_DAILY,
        REFERRAL_PERFORMANCE,
    )
}
"""By name, in the order of README."""
