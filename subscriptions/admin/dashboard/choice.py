"""SERVE, people: which part of the business the dashboard shows, as its address says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.http import QueryDict

from subscriptions.fixed_values import REGIONS
from subscriptions.marts import ChurnMonthly, CustomerMonthly

PERIODS: Final[Mapping[str, str]] = {
    "6": "Last 6 months",
    "12": "Last 12 months",
    "24": "Last 24 months",
    "all": "All months",
}
USUAL_PERIOD: Final = "12"


@dataclass(frozen=True)
class Choice:
    """A period, a plan and a region; what is empty is all of them.

    as_of    the day on which the last month is measured.
    months   those of the period, first to last; the last is the month of the last load.
    earlier  the month before them, if there is one: what the first is compared with.
    refused  names of what the address says that makes no sense.
    """

    period: str
    plan: str
    region: str
    as_of: date
    months: Sequence[date]
    earlier: date | None
    plans: Sequence[str]
    refused: Sequence[str]

    @classmethod
    def of(cls, query: QueryDict, as_of: date) -> Choice:
        """What the address says of marts as of a day; where it makes no sense, the usual."""
        months = sorted(ChurnMonthly.objects.values_list("month", flat=True))
        latest = CustomerMonthly.objects.filter(month__in=months[-1:])
        plans = list(dict.fromkeys(latest.order_by("plan_id").values_list("plan_name", flat=True)))
        offered: dict[str, Sequence[str]] = {
            "period": list(PERIODS),
            "plan": ["", *plans],
            "region": ["", *REGIONS],
        }
        said = {name: query.get(name, "") for name in offered}
        refused = [name for name, value in said.items() if value and value not in offered[name]]
        period, plan, region = (
            "" if name in refused else said[name] for name in ("period", "plan", "region")
        )
        period = period or USUAL_PERIOD
        shown = len(months) if period == "all" else int(period)
        before = months[:-shown]
        earlier = before[-1] if before else None
        return cls(period, plan, region, as_of, months[-shown:], earlier, plans, refused)

    @property
    def filters(self) -> dict[str, str]:
        """For a mart that has both columns."""
        chosen = {"plan_name": self.plan, "region": self.region}
        return {column: value for column, value in chosen.items() if value}

    @property
    def spanned(self) -> Sequence[date]:
        """The months, and the one before."""
        return [*([self.earlier] if self.earlier else []), *self.months]

    @property
    def is_month_over(self) -> bool:
        """Whether the last month is measured at its end."""
        return (self.as_of + timedelta(days=1)).day == 1

    def data(self, path: str, *columns: str, **more: Any) -> str:
        """The address of the rows behind a figure, as the API has them."""
        query = {column: value for column, value in self.filters.items() if column in columns}
        return (
            f"/metrics/{path}?{urlencode({**query, **more})}"
            if query or more
            else (f"/metrics/{path}")
        )

    @property
    def since(self) -> str:
        """The first month, as the API takes it."""
        return f"{self.months[0]:%Y-%m}" if self.months else ""
