"""SERVE, people: the dashboard's figures, from the marts; no query of it grows with the users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F, QuerySet, Sum

from subscriptions.admin.dashboard.choice import Choice
from subscriptions.marts import (
    ChurnMonthly,
    CohortRetention,
    CustomerMonthly,
    MrrMonthly,
    MrrMovements,
    TransformReceipt,
    UsageDaily,
)

READ: Final = (
    ChurnMonthly,
    CohortRetention,
    CustomerMonthly,
    MrrMonthly,
    MrrMovements,
    TransformReceipt,
    UsageDaily,
)

MOVEMENTS: Final = ("new", "reactivation", "expansion", "contraction", "churn")
CUSTOMERS: Final = (
    "opening_customers",
    "new_customers",
    "reactivated_customers",
    "churned_customers",
    "active_customers",
    "free_users",
)
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Cohort:
    """Those who signed up in a month, and which share of them are customers, month by month."""

    month: date
    users: int
    shares: Sequence[float | None]


@dataclass(frozen=True)
class Figures:
    """All of the page; months are those of the choice, and the one before them.

    revenue    by month: the movements, `mrr` and `paying`.
    customers  by month: the columns of CUSTOMERS.
    by_plan, by_region  active customers in the last month.
    weekdays   by the weekday's number (Monday 1): average actions and active users a day.
    """

    revenue: Mapping[date, Mapping[str, Any]]
    customers: Mapping[date, Mapping[str, int]]
    by_plan: Sequence[tuple[str, int]]
    by_region: Sequence[tuple[str, int]]
    cohorts: Sequence[Cohort]
    weekdays: Mapping[int, Mapping[str, float]]


@contextmanager
def one_transform() -> Iterator[None]:
    """Have all queries see marts of one transform, also while the next one is published."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def figures(choice: Choice) -> Figures:
    """What the marts say of the choice."""
    return Figures(
        revenue=_revenue(choice),
        customers=_customers(choice),
        by_plan=_paid(choice, _split(choice, "plan_name", "plan_id", region=choice.region)),
        by_region=_split(choice, "region", "region", plan_name=choice.plan),
        cohorts=_cohorts(choice),
        weekdays=_weekdays(choice),
    )


def _revenue(choice: Choice) -> dict[date, dict[str, Any]]:
    chosen = {"month__in": choice.spanned, **choice.filters}
    kinds = (*MOVEMENTS, "transfer", "closing")
    found = _by_month(MrrMovements.objects.filter(**chosen), [f"{kind}_mrr" for kind in kinds])
    paying = _by_month(MrrMonthly.objects.filter(**chosen), ["paying_customers"])
    # A plan without a fee has no revenue, and so no rows.
    nothing = {f"{kind}_mrr": Decimal(0) for kind in kinds}
    return {
        month: {
            **{kind: found.get(month, nothing)[f"{kind}_mrr"] for kind in kinds},
            "paying": paying.get(month, {}).get("paying_customers", 0),
        }
        for month in choice.spanned
    }


def _customers(choice: Choice) -> dict[date, dict[str, Any]]:
    rows = CustomerMonthly.objects.filter(month__in=choice.spanned, **choice.filters)
    found = _by_month(rows, CUSTOMERS)
    # Plain dbt builds one mart after the other, so that this one may be behind.
    return {month: found.get(month, dict.fromkeys(CUSTOMERS, 0)) for month in choice.spanned}


def _by_month(rows: QuerySet[Any], columns: Sequence[str]) -> dict[date, dict[str, Any]]:
    """The columns' sums for each month."""
    # Named otherwise than the columns, which they would hide from each other.
    sums = [Sum(column) for column in columns]
    found = rows.values_list("month").annotate(
        **{f"sum_{column}": each for column, each in zip(columns, sums, strict=True)}
    )
    return {month: dict(zip(columns, values, strict=True)) for month, *values in found}


def _split(choice: Choice, column: str, order: str, **chosen: str) -> list[tuple[str, int]]:
    """Active customers of the last month by a column, whatever is chosen of that one."""
    rows = (
        CustomerMonthly.objects.filter(
            month__in=choice.months[-1:], **{name: value for name, value in chosen.items() if value}
        )
        .values(column, order)
        .annotate(active=Sum("active_customers"))
        .order_by(order)
    )
    return [(row[column], row["active"]) for row in rows]


def _paid(choice: Choice, plans: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Those plans that have a fee, and so revenue."""
    rows = MrrMonthly.objects.filter(month__in=choice.months[-1:])
    paid = set(rows.values_list("plan_name", flat=True).distinct())
    return [(name, active) for name, active in plans if name in paid]


def _cohorts(choice: Choice) -> list[Cohort]:
    found: dict[date, Cohort] = {}
    for cohort, _since, users, rate in (
        CohortRetention.objects.filter(cohort_month__in=choice.months)
        .order_by("cohort_month", "months_since")
        .values_list("cohort_month", "months_since", "users", "retention_rate")
    ):
        shares = found.setdefault(cohort, Cohort(cohort, users, [])).shares
        assert isinstance(shares, list)  # noqa: S101 - as made above
        shares.append(None if rate is None else float(rate))
    return [*found.values()]


def _weekdays(choice: Choice) -> dict[int, dict[str, float]]:
    chosen = {"plan_name": choice.plan} if choice.plan else {}
    days = (
        UsageDaily.objects.filter(usage_date__gte=choice.months[0], **chosen)
        .values(day=F("usage_date"))
        .annotate(actions_sum=Sum("actions"), users_sum=Sum("active_users"))
    )
    found: dict[int, list[tuple[int, int]]] = {}
    for row in days:
        found.setdefault(row["day"].isoweekday(), []).append((row["actions_sum"], row["users_sum"]))
    return {
        weekday: {
            "actions": sum(actions for actions, _ in rows) / len(rows),
            "users": sum(users for _, users in rows) / len(rows),
        }
        for weekday, rows in sorted(found.items())
    }
