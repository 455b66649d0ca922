"""SERVE, people: what the dashboard's template shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest

from subscriptions.admin.dashboard.charts import charts, dollars, label
from subscriptions.admin.dashboard.choice import PERIODS, Choice
from subscriptions.admin.dashboard.figures import READ, Cohort, Figures, figures, one_transform
from subscriptions.admin.stretch import exists
from subscriptions.fixed_values import REGIONS
from subscriptions.marts import TransformReceipt

COMMAND: Final = "python manage.py transform"
# How long after its last subscription somebody is a customer still: who left a month is known then.
GRACE: Final = timedelta(days=7)


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
    missing = {"marts_command": COMMAND, "marts_missing": True}
    if not exists(*READ):
        return missing
    with one_transform():
        receipt = TransformReceipt.objects.order_by("-built_at").first()
        if receipt is None:
            return missing
        choice = Choice.of(request.GET, receipt.as_of)
        seen = figures(choice) if choice.months else None
    for name in choice.refused:
        messages.warning(request, f"There is no such {name}; the usual one is shown.")
    found: dict[str, Any] = {
        "marts": receipt,
        "marts_command": COMMAND,
        "marts_stale": receipt.load_id != last_load,
        "form": form(choice),
    }
    if seen is None:
        return found
    first = seen.cohorts[0].month if seen.cohorts else choice.months[0]
    return found | {
        "cards": cards(choice, seen),
        "charts": charts(choice, seen),
        "cohorts": heat_map(seen.cohorts),
        "cohorts_href": choice.data("cohorts", cohort_month__gte=f"{first:%Y-%m}"),
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
    revenue = {month: float(seen.revenue[month]["closing"]) for month in months}
    active = {month: seen.customers[month]["active_customers"] for month in months}
    each = {month: _per_customer(seen.revenue[month]) for month in months}
    return [
        _card("Monthly recurring revenue", dollars(revenue[now]), revenue, now, before),
        _card("Active customers", f"{active[now]:,}", active, now, before),
        _churn(choice, seen),
        _card("Revenue per paying customer", _cents(each[now]), each, now, before),
    ]


def _per_customer(month: Any) -> float | None:
    return float(month["closing"]) / month["paying"] if month["paying"] else None


def _cents(value: float | None) -> str:
    return "–" if value is None else f"${value:,.2f}"


def _churn(choice: Choice, seen: Figures) -> Card:
    """Of the last month of which everybody who left is known, which takes the days of grace."""
    title = "Customer churn"
    settled = [month for month in choice.spanned if _last_day(month) + GRACE <= choice.as_of]
    if not settled:
        return Card(title, "–", note="No month is settled yet.")
    note = f"in {settled[-1]:%B}, the last settled month"
    rates = [
        counts["churned_customers"] / counts["opening_customers"]
        for counts in (seen.customers[month] for month in settled[-2:])
        if counts["opening_customers"]
    ]
    if not seen.customers[settled[-1]]["opening_customers"]:
        return Card(title, "–", note=f"Nobody was a customer before {settled[-1]:%B %Y}.")
    if len(rates) == 1:
        return Card(title, f"{rates[0]:.1%}", note=note)
    points = round(100 * (rates[1] - rates[0]), 1)
    direction = "up" if points > 0 else "down" if points < 0 else "same"
    good = None if direction == "same" else direction == "down"
    return Card(title, f"{rates[1]:.1%}", f"{abs(points):.1f} points", direction, note, good)


def _card(
    title: str,
    value: str,
    by_month: Mapping[date, float | None],
    now: date,
    before: date | None,
) -> Card:
    """A figure beside that of the month before, as far as there are both."""
    figure, earlier = by_month[now], by_month[before] if before else None
    if before is None or figure is None or earlier is None or figure == earlier == 0:
        return Card(title, value)
    note = f"since {_last_day(before):%B %-d}"
    if earlier == 0:
        return Card(title, value, "from none", "up", note, is_good=True)
    # As it is shown: what is rounded to nothing has no direction.
    share = round(figure / earlier - 1, 3)
    direction = "up" if share > 0 else "down" if share < 0 else "same"
    good = None if direction == "same" else direction == "up"
    return Card(title, value, f"{abs(share):.1%}", direction, note, good)


def _last_day(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


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
                    {"text": "–", "share": 0}
                    if share is None
                    else {"text": f"{share:.0%}", "share": round(share, 3)}
                    for share in cohort.shares
                ],
                "rest": range(longest - len(cohort.shares)),
            }
            for cohort in cohorts
        ],
    }
