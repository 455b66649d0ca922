"""SERVE, people: figures as charts for Chart.js, each with the same figures as a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from subscriptions.admin.dashboard.choice import Choice
from subscriptions.admin.dashboard.figures import MOVEMENTS, WEEKDAYS, Figures

# Told apart by lightness too, for those who do not see all colours; they suit both modes.
COLOURS: Final[Mapping[str, str]] = {
    "new": "#2563eb",
    "reactivation": "#93c5fd",
    "expansion": "#059669",
    "contraction": "#f59e0b",
    "churn": "#dc2626",
    "transfer": "#9ca3af",
    "accent": "#0d9488",
    "second": "#f59e0b",
}
FAINT: Final = "rgba(13, 148, 136, 0.35)"  # of what is beside the chosen one
GREY: Final = "#6b7280"  # on white; the styles lighten the whole chart where the page is dark
LONGEST: Final = 22  # characters of a name that an axis has room for, also on a phone
# As many decimals as it takes: rounded to whole thousands, 1,500 and 2,000 would be the same.
COMPACT: Final[Mapping[str, Any]] = {
    "notation": "compact",
    "minimumFractionDigits": 0,
    "maximumFractionDigits": 2,
}
DOLLARS: Final[Mapping[str, Any]] = {"style": "currency", "currency": "USD", **COMPACT}


@dataclass(frozen=True)
class Chart:
    """One chart: its data and options as JSON, and what people without eyes for it get.

    says  a sentence: what it shows.
    head, rows  its figures as a table.
    href  the data behind it.
    """

    name: str
    title: str
    says: str
    kind: str
    data: str
    options: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    href: str


@dataclass(frozen=True)
class Dataset:
    """Values of one name, one for each label."""

    label: str
    values: Sequence[float]
    colour: str
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def object(self) -> dict[str, Any]:
        """As Chart.js takes it."""
        return {
            "label": self.label,
            "data": self.values,
            "backgroundColor": self.colour,
            "borderColor": self.colour,
            **self.more,
        }


def charts(choice: Choice, figures: Figures) -> list[Chart]:
    """All charts but the heat map, which is a table itself."""
    return [
        _mrr(choice, figures),
        _movements(choice, figures),
        _split("by-plan", "Customers by plan", choice, figures.by_plan),
        _split("by-region", "Customers by region", choice, figures.by_region),
        _weekdays(choice, figures),
    ]


def _mrr(choice: Choice, figures: Figures) -> Chart:
    values = [float(figures.revenue[month]["closing"]) for month in choice.months]
    line = {
        "fill": True,
        "backgroundColor": "rgba(13, 148, 136, 0.12)",
        "cubicInterpolationMode": "monotone",  # which goes through no value beyond those there are
        "pointRadius": 2 if len(values) > 1 else 5,
    }
    return Chart(
        "mrr",
        "Monthly recurring revenue",
        f"What customers paid a month, at each month's end.{_so_far(choice)}",
        "line",
        _data(choice, [Dataset("MRR", values, COLOURS["accent"], line)]),
        _options(DOLLARS),
        ("Month", "MRR"),
        [
            (label(month), dollars(value))
            for month, value in zip(choice.months, values, strict=True)
        ],
        choice.data("mrr", "plan_name", "region", month__gte=choice.since),
    )


def _movements(choice: Choice, figures: Figures) -> Chart:
    kinds = (*MOVEMENTS, "transfer") if choice.plan else MOVEMENTS
    series = {
        kind: [float(figures.revenue[month][kind]) for month in choice.months] for kind in kinds
    }
    return Chart(
        "movements",
        "How revenue moved",
        f"What each month added (above the line) and lost (below it).{_so_far(choice)}",
        "bar",
        _data(choice, [Dataset(kind.capitalize(), series[kind], COLOURS[kind]) for kind in kinds]),
        _options(DOLLARS, stacked=True, legend=True),
        ("Month", *(kind.capitalize() for kind in kinds)),
        [
            (label(month), *(dollars(series[kind][at]) for kind in kinds))
            for at, month in enumerate(choice.months)
        ],
        choice.data("mrr-movements", "plan_name", "region", month__gte=choice.since),
    )


def _split(name: str, title: str, choice: Choice, parts: Sequence[tuple[str, int]]) -> Chart:
    by = name.removeprefix("by-")
    other, chosen = ("region", choice.plan) if by == "plan" else ("plan_name", choice.region)
    colours = [COLOURS["accent"] if chosen in {"", part} else FAINT for part, _ in parts]
    customers = Dataset(
        "Customers",
        [number for _, number in parts],
        COLOURS["accent"],
        {"backgroundColor": colours},
    )
    return Chart(
        name,
        title,
        f"Active customers on {choice.as_of:%B %-d} by {by}, whatever {by} is chosen.",
        "bar",
        json.dumps(
            {
                "labels": [short(part) for part, _ in parts],
                "datasets": [customers.object],
            }
        ),
        _options(COMPACT, across=True),
        (by.capitalize(), "Customers"),
        [(part, f"{number:,}") for part, number in parts],
        choice.data("customers", other, month=f"{choice.months[-1]:%Y-%m}"),
    )


def _weekdays(choice: Choice, figures: Figures) -> Chart:
    days = [(WEEKDAYS[number - 1], found) for number, found in figures.weekdays.items()]
    actions, users = ([round(found[of], 1) for _, found in days] for of in ("actions", "users"))
    both = [
        Dataset("Actions", actions, COLOURS["accent"]),
        # People are fewer than what they do: an axis of their own. In front of the bars.
        Dataset(
            "Active users",
            users,
            COLOURS["second"],
            {"type": "line", "yAxisID": "users", "order": -1},
        ),
    ]
    return Chart(
        "weekdays",
        "Usage by weekday",
        "Actions on an average day of the period, and users who were active; in all regions.",
        "bar",
        json.dumps({"labels": [day for day, _ in days], "datasets": [d.object for d in both]}),
        _options(COMPACT, legend=True, beside="users"),
        ("Weekday", "Actions", "Active users"),
        [(day, f"{n['actions']:,.1f}", f"{n['users']:,.1f}") for day, n in days],
        choice.data("usage", "plan_name", usage_date__gte=f"{choice.months[0]}"),
    )


def _data(choice: Choice, datasets: Sequence[Dataset]) -> str:
    labels = [label(month) for month in choice.months]
    return json.dumps({"labels": labels, "datasets": [each.object for each in datasets]})


def _options(
    numbers: Mapping[str, Any],
    *,
    stacked: bool = False,
    legend: bool = False,
    across: bool = False,
    beside: str = "",
) -> str:
    """What all charts share; numbers as Intl.NumberFormat writes them, `beside` is another axis."""
    ticks = {"color": GREY}
    named: dict[str, Any] = {
        "stacked": stacked,
        # Of months some may go without a label, of weekdays none.
        "ticks": {
            **ticks,
            "maxRotation": 0,
            "autoSkip": not (across or beside),
            **({"font": {"size": 11}} if beside else {}),
        },
        "grid": {"display": False},
    }
    counted: dict[str, Any] = {
        "stacked": stacked,
        "beginAtZero": True,
        "ticks": {
            **ticks,
            "format": dict(numbers),
            "maxTicksLimit": 6,
            **({"precision": 0} if across else {}),
        },
        "grid": {"lineWidth": 0.5},
        "border": {"display": False},
    }
    another = {**counted, "position": "right", "grid": {"display": False}}
    return json.dumps(
        {
            "animation": False,
            "responsive": True,
            "maintainAspectRatio": False,
            "indexAxis": "y" if across else "x",
            "maxBarThickness": 28,
            "interaction": {"mode": "index", "intersect": False, "axis": "y" if across else "x"},
            "datasets": {"bar": {"borderRadius": 3}},
            "plugins": {
                "legend": {
                    "display": legend,
                    "position": "bottom",
                    "labels": {"color": GREY, "boxWidth": 10, "boxHeight": 10},
                }
            },
            "scales": {
                "x": counted if across else named,
                "y": named if across else counted,
                **({beside: another} if beside else {}),
            },
        }
    )


def _so_far(choice: Choice) -> str:
    """A sentence on the last month, where it is not over."""
    return "" if choice.is_month_over else f" {choice.months[-1]:%B} is not over yet."


def short(name: str) -> str:
    """A name that may be long, as axes have room for it."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def label(month: date) -> str:
    """A month as axes have room for it."""
    return f"{month:%b %y}"


def dollars(value: float) -> str:
    """Whole dollars."""
    return f"{'-' if value < 0 else ''}${abs(value):,.0f}"
