"""The subscription business as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    """Step by step: `extract`, `load`, then the models that `api` and `admin` serve."""

    name = "subscriptions"
    verbose_name = "Subscription business"
