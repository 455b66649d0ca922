"""SERVE, people: how related rows, plans, statuses and numbers look wherever they appear."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.core.exceptions import ObjectDoesNotExist
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from subscriptions.models import DltLoad

if TYPE_CHECKING:
    from django.db.models import Model
    from django.utils.safestring import SafeString

    from subscriptions.models import Row, SubscriptionColumns, UsageColumns

NOTHING = "-"  # as the theme writes it
PLAN_COLORS = {2: "info", 3: "primary", 4: "warning", 5: "success"}
STATUS_COLORS = {"Active": "success"}


@dataclass(frozen=True)
class Section:
    """A small table; from column `numbers_from` on it holds numbers. `more` leads to the rest."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[object]]
    numbers_from: int
    more: str = ""
    empty: str = "Nothing yet."


def url(model: type[Model], view: str = "changelist", *keys: str | int, **query: object) -> str:
    """The address of a model's admin page."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}"
    address = reverse(name, args=[quote(key) for key in keys])
    return f"{address}?{urlencode(query)}" if query else address


def link(row: Model, text: object = None) -> SafeString:
    """A link to the row's page."""
    href = url(type(row), "change", row.pk)
    return format_html('<a href="{}" class="record-link">{}</a>', href, text or row)


def badge(text: object, color: str = "", href: str = "") -> SafeString:
    """A coloured label."""
    return render_to_string(
        "unfold/helpers/label.html", {"text": text, "type": color, "href": href}
    )


def follow(row: Model, name: str) -> Model | None:
    """The related row, or None where the key leads nowhere any more."""
    try:
        target: Model | None = getattr(row, name)
    except ObjectDoesNotExist:
        return None
    return target


def related_link(row: Model, name: str) -> object:
    """A link to the related row, or else the bare key."""
    target = follow(row, name)
    return getattr(row, f"{name}_id") if target is None else link(target)


def plan_badge(row: Model) -> object:
    """The row's plan as a label that leads to it, or else the bare key."""
    plan = follow(row, "plan")
    if plan is None:
        return getattr(row, "plan_id", NOTHING)
    return badge(plan, PLAN_COLORS.get(plan.pk, ""), url(type(plan), "change", plan.pk))


def number(field: str, title: str, digits: int = 0) -> Callable[[Any, UsageColumns], str]:
    """A column of numbers with thousands' commas."""

    @display(description=title)
    def show(_admin: object, row: UsageColumns) -> str:
        return f"{getattr(row, field):,.{digits}f}"

    column: Callable[[Any, UsageColumns], str] = show
    return column


class Columns:
    """Columns that the lists share; named unlike the fields, or Django would show those."""

    actions_done = number("actions_performed", "actions")
    calls_made = number("api_calls", "API calls")
    storage_used = number("storage_used_mb", "storage (MB)", 1)
    minutes_active = number("active_minutes", "minutes")

    @display(description="user", ordering="user_id")
    def user_link(self, row: Model) -> object:
        """The user, sorted by key: sorting by name would join."""
        return related_link(row, "user")

    @display(description="plan", ordering="plan_id")
    def plan_label(self, row: Model) -> object:
        """The plan."""
        return plan_badge(row)

    @display(description="status")
    def status_label(self, row: SubscriptionColumns) -> SafeString:
        """Active or not."""
        return badge(row.status, STATUS_COLORS.get(row.status, ""))

    @display(description="load")
    def load_link(self, row: Row) -> SafeString:
        """The load that brought the row; dlt deletes no load's note."""
        return link(DltLoad(load_id=row.dlt_load_id))
