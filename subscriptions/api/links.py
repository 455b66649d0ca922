"""SERVE (step 4), API: its addresses, which never hold credentials."""

from __future__ import annotations

from typing import Final

from django.urls import reverse
from rest_framework.request import Request

from subscriptions.api.authentication import CREDENTIALS

# What `/` and the page's navigation lead to, in this order: the path, and the URL's name.
ENDPOINTS: Final = {
    "users": "api:users-list",
    "plans": "api:plans-list",
    "subscriptions": "api:subscriptions-list",
    "usages": "api:usages-list",
    "check-tables": "api:check-tables",
    "admin": "admin:index",
}


def here(request: Request, **changes: object) -> str:
    """The request's own path and query, with some parameters changed (None: left out)."""
    query = request.query_params.copy()
    for name in CREDENTIALS:
        query.pop(name, None)
    for name, value in changes.items():
        if value is None:
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"{request.path}?{query.urlencode()}" if query else request.path


def sign_in(request: Request) -> str:
    """The admin's sign-in page, which leads back to this path."""
    return f"{reverse('admin:login')}?next={request.path}"
