"""The browser's policies: sent with every answer, and enough for what the pages do."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

API = ("/", "/users", "/users/none", "/check-tables", "/healthz", "/unknown", "/static/unknown")
CREDENTIALS = {"username": "analyst", "password": "correct horse & battery"}


@pytest.mark.django_db
def test_only_the_admin_may_send_the_referrer_and_to_itself_alone(client: Client) -> None:
    assert client.get("/admin/login/").headers["Referrer-Policy"] == "same-origin"
    assert client.get("/unknown").headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("path", API)
@pytest.mark.parametrize("query", [{}, CREDENTIALS])
def test_the_apis_policy_is_strict(client: Client, path: str, query: dict[str, str]) -> None:
    headers = client.get(path, query).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert re.match("private|no-store", headers["Cache-Control"])


@pytest.mark.django_db
def test_the_admins_policy_allows_what_its_theme_needs_and_no_more(client: Client) -> None:
    policy = client.get("/admin/login/").headers["Content-Security-Policy"]
    unsafe = re.findall(r"[a-z-]+-src [^;]*unsafe[^;]*", policy)
    assert unsafe == ["script-src 'self' 'unsafe-eval'", "style-src 'self' 'unsafe-inline'"]


def test_production_insists_on_https(settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 31536000, True
    answer = Client().get("/healthz", secure=True)
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000; include")


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [False, True])
def test_the_admin_drops_the_apis_credentials_from_its_addresses(
    client: Client, settings: Settings, *, debug: bool
) -> None:
    settings.DEBUG = debug
    for path in ("/admin/", "/admin/nothing/", "/admin/login/"):
        answer = client.get(path, CREDENTIALS | {"q": "x"})
        assert answer.status_code == 302
        assert answer["Location"] == f"{path}?q=x"
        assert answer["Cache-Control"] == "no-store"
        assert "horse" not in client.get(path, CREDENTIALS, follow=True).content.decode()
