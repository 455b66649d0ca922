"""SERVE, people: what the dashboard's template shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest

from subscriptions.admin.dashboard.charts import charts, dollars, label
from subscriptions.admin.dashboard.choice import PERIODS, Choice
from subscriptions.admin.dashboard.figures import Cohort, Figures, figures
from subscriptions.admin.stretch import exists
from subscriptions.fixed_values import REGIONS
from subscriptions.marts import TransformReceipt

COMMAND: Final = "python manage.py transform"
DARK: Final = 0.85  # shares from which on a cell of the heat map has light letters


@dataclass(frozen=True)
class Card:
    """One figure and its change on the month before; an arrow and words say in which direction."""

    title: str
    value: str
    change: str = ""
    direction: str = "same"
    note: str = ""
    is_good: bool | None = None


def dashboard(request: HttpRequest, last_load: str | None) -> dict[str, Any]:
    """The dashboard, or what to run before there can be one.

    Args:
        request: whose address chooses what is shown.
        last_load: the id of the dataset's last load.
    """
    receipt = (
        TransformReceipt.objects.order_by("-built_at").first() if exists(TransformReceipt) else None
    )
    if receipt is None:
        return {"marts_command": COMMAND, "marts_missing": True}
    choice = Choice.of(request.GET)
    for name in choice.refused:
        messages.warning(request, f"There is no such {name}; the usual one is shown.")
    found: dict[str, Any] = {
        "marts": receipt,
        "marts_command": COMMAND,
        "marts_stale": receipt.load_id != last_load,
        "form": form(choice),
    }
    if not choice.months:
        return found
    seen = figures(choice)
    return found | {
        "cards": cards(choice, seen),
        "charts": charts(choice, seen),
        "cohorts": heat_map(seen.cohorts),
        "cohorts_href": choice.data("cohorts", cohort_month__gte=f"{seen.cohorts[0].month:%Y-%m}"),
    }


def form(choice: Choice) -> list[dict[str, Any]]:
    """The three filters with their options."""
    plans = [("", "All plans"), *((plan, plan) for plan in choice.plans)]
    regions = [("", "All regions"), *((region, region) for region in REGIONS)]
    return [
        {
            "name": "period",
            "title": "Period",
            "options": list(PERIODS.items()),
            "is": choice.period,
        },
        {"name": "plan", "title": "Plan", "options": plans, "is": choice.plan},
        {"name": "region", "title": "Region", "options": regions, "is": choice.region},
    ]


def cards(choice: Choice, seen: Figures) -> list[Card]:
    """Revenue, customers, churn and revenue per customer."""
    months = choice.spanned
    now, before = months[-1], months[-2] if len(months) > 1 else None
    revenue, customers = seen.revenue, seen.customers
    found = [
        _card(
            "Monthly recurring revenue",
            dollars(float(revenue[now]["closing"])),
            float(revenue[now]["closing"]),
            float(revenue[before]["closing"]) if before else None,
        ),
        _card(
            "Active customers",
            f"{customers[now]['active_customers']:,}",
            customers[now]["active_customers"],
            customers[before]["active_customers"] if before else None,
        ),
    ]
    found.append(_churn(choice, seen))
    each = {month: _per_customer(revenue[month]) for month in months[-2:]}
    value = each[now]
    found.append(
        _card(
            "Revenue per paying customer",
            "–" if value is None else f"${value:,.2f}",
            value,
            each[before] if before else None,
        )
    )
    return found


def _per_customer(month: Any) -> float | None:
    return float(month["closing"]) / month["paying"] if month["paying"] else None


def _churn(choice: Choice, seen: Figures) -> Card:
    """Of the last month that is over, for in the present one not everybody's time has come."""
    months = choice.spanned
    over = months[:-1]
    rates = {
        month: seen.customers[month]["churned_customers"] / opening
        for month in over[-2:]
        if (opening := seen.customers[month]["opening_customers"])
    }
    if not over or over[-1] not in rates:
        return Card("Customer churn", "–", note="No month is over yet.")
    rate = rates[over[-1]]
    note = f"In {label(over[-1])}, the last month that is over"
    if len(rates) == 1:
        return Card("Customer churn", f"{rate:.1%}", note=note)
    points = 100 * (rate - rates[over[-2]])
    direction = "up" if points > 0 else "down" if points < 0 else "same"
    return Card(
        "Customer churn",
        f"{rate:.1%}",
        f"{abs(points):.1f} points",
        direction,
        note,
        is_good=None if direction == "same" else direction == "down",
    )


def _card(title: str, value: str, now: float | None, before: float | None) -> Card:
    if now is None or not before:
        return Card(title, value)
    share = now / before - 1
    direction = "up" if share > 0 else "down" if share < 0 else "same"
    good = None if direction == "same" else direction == "up"
    return Card(title, value, f"{abs(share):.1%}", direction, "on the month before", good)


def heat_map(cohorts: Sequence[Cohort]) -> dict[str, Any]:
    """The cells of the cohorts' table: which share is still there after so many months."""
    longest = max((len(cohort.shares) for cohort in cohorts), default=0)
    return {
        "head": range(longest),
        "rows": [
            {
                "month": label(cohort.month),
                "users": f"{cohort.users:,}",
                "cells": [
                    {"text": "–", "share": 0, "dark": False}
                    if share is None
                    else {"text": f"{share:.0%}", "share": round(share, 3), "dark": share > DARK}
                    for share in cohort.shares
                ],
                "rest": range(longest - len(cohort.shares)),
            }
            for cohort in cohorts
        ],
    }
