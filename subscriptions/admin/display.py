"""SERVE, people: how keys, plans, statuses and related rows look wherever they appear."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

Column = Callable[[Any], object]

NOTHING = "–"
PLAN_COLORS = {1: "", 2: "info", 3: "primary", 4: "warning", 5: "success"}
STATUS_COLORS = {"Active": "success"}


@dataclass(frozen=True)
class Section:
    """A small table below a record's fields, and where the rest of it is."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[object]]
    more: str = ""
    empty: str = "Nothing yet."

    @property
    def table(self) -> dict[str, object]:
        """What unfold's table component takes."""
        return {"headers": self.headers, "rows": self.rows}


def url(model: type[Model], view: str = "changelist", *arguments: object, **query: object) -> str:
    """The address of a model's admin page."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}"
    address = reverse(name, args=[quote(argument) for argument in arguments])
    return f"{address}?{urlencode(query)}" if query else address


def link(row: Model, text: object = None) -> SafeString:
    """A link to the row's page."""
    href = url(type(row), "change", row.pk)
    return format_html('<a href="{}" class="record-link">{}</a>', href, text or row)


def follow(row: Model, name: str) -> Any | None:
    """The related row, or None where the key leads nowhere any more."""
    try:
        return getattr(row, name)
    except ObjectDoesNotExist:
        return None


def badge(text: object, color: str = "", href: str = "") -> SafeString:
    """A coloured label."""
    return render_to_string(
        "unfold/helpers/label.html", {"text": text, "type": color, "href": href}
    )


def plan_badge(row: Model) -> SafeString | str:
    """The row's plan, which it leads to."""
    plan = follow(row, "plan")
    if plan is None:
        return str(getattr(row, "plan_id", NOTHING))
    href = url(type(plan), "change", plan.pk)
    return badge(plan, PLAN_COLORS.get(plan.pk, ""), href)


def named(show: Column, name: str, **options: Any) -> Column:
    """Make a function a column; its name becomes a CSS class and tells columns apart."""
    show.__name__ = name
    column: Column = display(show, **options)
    return column


def related(name: str, description: str | None = None) -> Column:
    """A column that links to a related row; sorts by its key, without a join."""

    def show(row: Model) -> object:
        target = follow(row, name)
        return getattr(row, f"{name}_id") if target is None else link(target)

    return named(show, name, description=description or name, ordering=f"{name}_id")


def colored(name: str, colors: Mapping[str, str]) -> Column:
    """A column of coloured labels."""

    def show(row: Model) -> object:
        value = getattr(row, name)
        return NOTHING if value is None else badge(value, colors.get(value, ""))

    return named(show, name, description=name.replace("_", " "))


plan = named(plan_badge, "plan", description="plan", ordering="plan_id")
status = colored("status", STATUS_COLORS)
