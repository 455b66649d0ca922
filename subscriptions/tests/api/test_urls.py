"""The paths: with or without a slash, never redirected, and nothing beside them."""

from __future__ import annotations

import pytest
from django.test import Client

PATHS = ("/users", "/plans", "/subscriptions", "/usages", "/check-tables", "/healthz")

pytestmark = pytest.mark.usefixtures("dataset", "db")


@pytest.mark.parametrize("path", PATHS)
def test_slash_or_not(api: Client, path: str) -> None:
    without, with_slash = api.get(path), api.get(f"{path}/")
    assert without.status_code == with_slash.status_code == 200
    assert without.content == with_slash.content


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/users/1/nothing",
        "/usages/00000000/history",
        "/users//",
        "/users%0A",
        "/Users",
        "/users.json",
        "/%00",
        "/%FF",
        "/healthz/x",
        "/docs/x",
        "/favicon.ico",
    ],
)
@pytest.mark.parametrize("method", ["get", "post", "options"])
def test_unknown(client: Client, path: str, method: str) -> None:
    response = getattr(client, method)(path)
    assert response.status_code == 404
    assert response.json() == {"error": "There is nothing at this path."}


def test_the_admin_may_be_typed_without_its_slash(client: Client) -> None:
    response = client.get("/admin")
    assert response.status_code == 302
    assert response["Location"] == "/admin/"
