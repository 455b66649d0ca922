"""ACCESS as a Django application: the only tables here that Django makes itself."""

from __future__ import annotations

from django.apps import AppConfig


class AccessConfig(AppConfig):
    """What `subscriptions.api` and the admin's sign-in ask about whoever is calling."""

    name = "access"
    verbose_name = "Access"
