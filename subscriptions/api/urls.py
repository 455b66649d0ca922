"""SERVE (step 4), API: its paths, each with or without a trailing slash, and none redirects."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path
from rest_framework.routers import SimpleRouter

from subscriptions.api.documentation.views import DocsView, DocumentView, RedocView
from subscriptions.api.health import HealthView
from subscriptions.api.metrics import METRICS, MetricsView, name_of
from subscriptions.api.views import CheckTablesView, RootView, UnknownPathView
from subscriptions.api.viewsets import (
    PlanViewSet,
    SubscriptionViewSet,
    UsageViewSet,
    UserViewSet,
)

app_name = "api"

router = SimpleRouter()
router.trailing_slash = "/?"  # a regular expression; the constructor takes only yes or no
router.register("users", UserViewSet, basename="users")
router.register("plans", PlanViewSet, basename="plans")
router.register("subscriptions", SubscriptionViewSet, basename="subscriptions")
router.register("usages", UsageViewSet, basename="usages")

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RootView.as_view(), name="root"),
    *router.urls,
    re_path(r"^metrics/?$", MetricsView.as_view(), name="metrics"),
    *(
        re_path(
            rf"^metrics/{path}/?$",
            viewset.as_view({"get": "list"}, basename=name_of(path), detail=False),
            name=f"{name_of(path)}-list",
        )
        for path, viewset in METRICS.items()
    ),
    re_path(r"^check-tables/?$", CheckTablesView.as_view(), name="check-tables"),
    re_path(r"^healthz/?$", HealthView.as_view(), name="healthz"),
    re_path(r"^openapi\.json/?$", DocumentView.as_view(), name="openapi"),
    re_path(r"^docs/?$", DocsView.as_view(), name="docs"),
    re_path(r"^redoc/?$", RedocView.as_view(), name="redoc"),
    re_path(r"", UnknownPathView.as_view()),
]
