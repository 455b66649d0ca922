"""SERVE, people: the admin's first page and its navigation."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.auth.models import User as Account
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import reverse

from access.models import Token
from subscriptions.admin.dashboard import page
from subscriptions.admin.display import url
from subscriptions.admin.loads import company, outcome, receipt_of
from subscriptions.admin.stretch import exists
from subscriptions.models import (
    DltLoad,
    Plan,
    PlanVersion,
    Subscription,
    SubscriptionVersion,
    Usage,
    UsageVersion,
    User,
    UserVersion,
)

COUNTED = 10_000

# Not admin/index.html: the theme's own, which comes first, has that name.
admin.site.index_template = "admin/subscriptions/index.html"


def not_offered(_request: HttpRequest) -> HttpResponse:
    """Answer for what no page here links to, and what fails on senseless parameters."""
    raise Http404


# The theme's search over page titles, and completion in forms, which read-only pages lack.
admin.site.search = not_offered  # type: ignore[attr-defined]
admin.site.autocomplete_view = not_offered  # type: ignore[assignment]

BUSINESS: dict[type[Model], tuple[str, str]] = {
    User: ("Users", "group"),
    Plan: ("Plans", "sell"),
    Subscription: ("Subscriptions", "autorenew"),
    Usage: ("Usage", "monitoring"),
}
GROUPS: dict[str, dict[type[Model], tuple[str, str]]] = {
    "Business": BUSINESS,
    "History": {
        UserVersion: ("User versions", "manage_history"),
        PlanVersion: ("Plan versions", "price_change"),
        SubscriptionVersion: ("Subscription versions", "event_repeat"),
        UsageVersion: ("Usage versions", "history"),
    },
    "Pipeline": {DltLoad: ("Loads", "database_upload")},
    "Access": {
        Account: ("Accounts", "manage_accounts"),
        Group: ("Groups", "shield_person"),
        Token: ("API tokens", "key"),
    },
}


def may_see(request: HttpRequest, model: type[Model]) -> bool:
    """Whether the pages of a model answer to this person."""
    return admin.site.get_model_admin(model).has_view_permission(request)


# Its address is part of every other, by which the theme tells the active page.
API = {"title": "Browsable API", "icon": "api", "link": "/", "active": False}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar: what this person may see."""
    groups: list[dict[str, Any]] = [
        {"items": [{"title": "Overview", "icon": "bar_chart", "link": reverse("admin:index")}]}
    ]
    for title, models in GROUPS.items():
        items: list[dict[str, Any]] = [
            {"title": name, "icon": icon, "link": url(model)}
            for model, (name, icon) in models.items()
            if may_see(request, model)
        ]
        if title == "Pipeline":
            items.append(API)
        groups.append({"title": title, "items": items})
    return groups


def environment(_request: HttpRequest) -> tuple[str, str]:
    """The label at the top that tells development from production."""
    return ("Development", "info") if settings.DEBUG else ("Production", "danger")


def favicon(_request: HttpRequest) -> str:
    """The address of the site's icon."""
    return static("subscriptions/favicon.svg")


def styles(_request: HttpRequest) -> str:
    """The address of the few styles that the theme lacks."""
    return static("subscriptions/admin.css")


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the first page shows; no query of it grows with the tables."""
    context["title"] = "Overview"
    if not exists(DltLoad, User):
        return context
    load = DltLoad.objects.order_by("-inserted_at").prefetch_related("receipt").first()
    receipt = receipt_of(load) if load else None
    context |= {
        "loaded": True,
        "tiles": [
            {"title": title, "icon": icon, "href": url(model), "rows": rows(model)}
            for model, (title, icon) in BUSINESS.items()
            if may_see(request, model)
        ],
        "load": load,
        "load_url": url(DltLoad, "change", load.pk) if load and may_see(request, DltLoad) else "",
        "receipt": receipt,
        "company": company(receipt),
        "outcome": outcome(receipt) if receipt else None,
        **page.dashboard(request, load.pk if load else None),
    }
    return context


def rows(model: type[Model]) -> str:
    """How many rows the model has: counted while they are few, else the planner's estimate."""
    queryset = model._default_manager.all()
    found = queryset[: COUNTED + 1].count()
    if found <= COUNTED:
        return f"{found:,}"
    estimate: int = json.loads(queryset.explain(format="json"))[0]["Plan"]["Plan Rows"]
    return f"≈ {float(f'{max(estimate, found):.3g}'):,.0f}"
