"""SERVE (step 4), API: its addresses, which never hold credentials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from rest_framework.request import Request

from subscriptions.api.authentication import CREDENTIALS


class Endpoint(NamedTuple):
    """A path without its slashes, the name of its URL, and what people find there."""

    path: str
    url_name: str
    content: str


# What `/` and the page's navigation lead to.
ENDPOINTS: Final = (
    Endpoint("users", "api:users-list", "Who signed up, when, from where, and for which plan"),
    Endpoint("plans", "api:plans-list", "What is on offer, and what it costs a month"),
    Endpoint("subscriptions", "api:subscriptions-list", "Who paid for which plan, and until when"),
    Endpoint("usages", "api:usages-list", "What each user did on a day"),
    Endpoint("metrics", "api:metrics", "What the business earns, who stays and who leaves"),
    Endpoint("check-tables", "api:check-tables", "The tables that the dataset has"),
    Endpoint("docs", "api:docs", "All paths and parameters, to read and to try"),
    Endpoint("admin", "admin:index", "The same data to search and filter, and its history"),
)


def here(request: Request, **changes: object) -> str:
    """The request's own path and query, with some parameters changed (None: left out)."""
    query = {
        name: values
        for name, values in request.query_params.lists()
        if name not in CREDENTIALS and changes.get(name, values) is not None
    }
    query |= {name: [str(value)] for name, value in changes.items() if value is not None}
    return f"{request.path}?{urlencode(query, doseq=True)}" if query else request.path


def header(addresses: Mapping[str, str]) -> str:
    """The value of a `Link` header (RFC 8288): relations and their addresses, which are encoded."""
    return ", ".join(f'<{url}>; rel="{relation}"' for relation, url in addresses.items())


def sign_in(request: Request) -> str:
    """The admin's sign-in page, which leads back to this path."""
    # What is percent-encoded whole is a path, and yet a query with a password.
    return f"{reverse('admin:login')}?next={request.path.partition('?')[0]}"
