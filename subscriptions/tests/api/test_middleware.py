"""Failures outside the API's views: in its shape, in development too, but not the admin's."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
from django.conf import LazySettings
from django.test import Client

from .conftest import credentials

pytestmark = pytest.mark.usefixtures("dataset", "db")


@pytest.fixture
def unrenderable(monkeypatch: pytest.MonkeyPatch) -> str:
    """A path whose view succeeds and whose answer does not."""

    def render(*_: object) -> NoReturn:
        raise RuntimeError("boom")

    monkeypatch.setattr("rest_framework.renderers.JSONRenderer.render", render)
    return "/plans/1"


def test_refused_before_any_view(client: Client, settings: LazySettings) -> None:
    for settings.DEBUG in (False, True):
        response = client.get("/users", credentials(), headers={"host": "elsewhere.example"})
        assert response.status_code == 400
        assert response.json() == {"error": "Bad Request."}
        assert response["Content-Type"] == "application/json"
        assert response["Content-Length"] == str(len(response.content))
        assert response["Cache-Control"] == "private"
        assert response["Referrer-Policy"] == "no-referrer"


def test_failed_after_its_view(client: Client, unrenderable: str) -> None:
    client.raise_request_exception = False
    response = client.get(unrenderable, credentials())
    assert response.status_code == 500
    assert response.json() == {"error": "Internal Server Error."}


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_failed_after_its_view_in_development(
    client: Client, unrenderable: str, accept: str, settings: LazySettings
) -> None:
    client.raise_request_exception = False
    settings.DEBUG = True
    response = client.get(
        unrenderable, credentials() | {"format": "json"}, headers={"accept": accept}
    )
    assert response.status_code == 500
    assert list(response.json()) == ["error", "traceback"]
    assert response.json()["traceback"].endswith("RuntimeError: boom\n")
    assert "horse" not in response.text


def test_the_admin_keeps_its_own_pages(
    client: Client, django_user_model: Any, settings: LazySettings
) -> None:
    client.force_login(django_user_model.objects.create_superuser("root"))
    for settings.DEBUG in (False, True):
        response = client.get("/admin/nothing/")
        assert response.status_code == 404
        assert response["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("method", "headers", "status"), [("POST", {}, 405), ("GET", {"range": "bytes=9999999-"}, 416)]
)
def test_refused_by_the_static_files(method: str, headers: dict[str, str], status: int) -> None:
    client = Client(raise_request_exception=False)
    response = client.generic(method, "/static/subscriptions/api.css", headers=headers)
    assert response.status_code == status
    assert response.json() == {"error": f"{response.reason_phrase}."}


def test_a_path_that_is_no_path() -> None:
    client = Client(raise_request_exception=False, headers={"accept": "text/html"})
    assert client.request(PATH_INFO="//[x").status_code == 404


def test_a_redirect_to_https_is_not_kept(settings: LazySettings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    response = Client().get("/users", credentials())
    assert response.status_code == 301
    assert "no-store" in response["Cache-Control"]
