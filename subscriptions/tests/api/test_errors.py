"""Failures: `{"error": "message"}` everywhere, tracebacks in development only, no passwords."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import pytest
from django.conf import LazySettings
from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from subscriptions.api.viewsets import UserViewSet

from .conftest import HTML, credentials

pytestmark = pytest.mark.usefixtures("dataset", "db")


@contextmanager
def database_down(error: Exception) -> Iterator[None]:
    def refuse(*_: Any) -> NoReturn:
        raise error

    with connection.execute_wrapper(refuse):
        yield


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> str:
    """A path whose view raises what nobody foresaw."""

    def get_queryset(_: UserViewSet) -> NoReturn:
        raise RuntimeError("boom")

    monkeypatch.setattr(UserViewSet, "get_queryset", get_queryset)
    return "/users"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What Django logs; its loggers do not propagate to where caplog listens."""
    logger = logging.getLogger("django")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


@pytest.mark.parametrize("path", ["/users", "/plans", "/subscriptions", "/usages", "/check-tables"])
@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("closed")])
def test_database_down(api: Client, path: str, error: Exception) -> None:
    with database_down(error):
        response = api.get(path)
    assert response.status_code == 503
    assert response.json() == {"error": "The database does not answer; try again in a moment."}
    assert response["Retry-After"] == "5"


@pytest.mark.parametrize("accept", ["application/json", HTML])
def test_database_down_under_a_session(staff: Client, accept: str) -> None:
    with database_down(OperationalError("gone")):
        response = staff.get("/users", headers={"accept": accept})
    assert response.status_code == 503
    assert "The database does not answer" in response.text


def test_unforeseen(api: Client, broken: str, log: pytest.LogCaptureFixture) -> None:
    api.raise_request_exception = False
    response = api.get(broken)
    assert response.status_code == 500
    assert list(response.json()) == ["error"]
    assert "boom" not in response.text
    assert response["Cache-Control"] == "private"
    (record,) = log.records
    assert record.levelname == "ERROR"
    assert record.getMessage() == "Internal Server Error: /users"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], RuntimeError)


def test_unforeseen_failures_are_signalled(api: Client, broken: str) -> None:
    with pytest.raises(RuntimeError, match="boom"):  # the test client listens
        api.get(broken)


def test_traceback_in_development_only(api: Client, broken: str, settings: LazySettings) -> None:
    api.raise_request_exception = False
    settings.DEBUG = True
    answer = api.get(broken).json()
    assert list(answer) == ["error", "traceback"]
    assert answer["traceback"].startswith("Traceback")
    assert "RuntimeError: boom" in answer["traceback"]
    with database_down(OperationalError("gone")):
        assert "traceback" in api.get("/plans").json()
    assert list(api.get("/users?junk=1").json()) == ["error"]


def test_unforeseen_for_a_person(person: Client, broken: str, settings: LazySettings) -> None:
    person.raise_request_exception = False
    for settings.DEBUG in (True, False):
        response = person.get(broken)
        assert response.status_code == 500
        assert response["Content-Type"].startswith("text/html")
        assert ("RuntimeError: boom" in response.text) is settings.DEBUG


def test_suspicious_requests_are_refused(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def get_queryset(_: UserViewSet) -> NoReturn:
        raise SuspiciousOperation("with what was sent")

    monkeypatch.setattr(UserViewSet, "get_queryset", get_queryset)
    response = api.get("/users")
    assert response.status_code == 400
    assert response.json() == {"error": "Malformed request."}


def test_unknown_paths_have_the_shape_in_development_too(
    client: Client, settings: LazySettings
) -> None:
    for settings.DEBUG in (True, False):
        response = client.get("/nothing", credentials())
        assert response.status_code == 404
        assert response.json() == {"error": "There is nothing at this path."}


def test_no_log_line_holds_a_password(
    client: Client, broken: str, log: pytest.LogCaptureFixture
) -> None:
    client.raise_request_exception = False
    for path in (broken, "/nothing", "/plans", "/plans?junk=1"):
        client.get(path, credentials())
        client.get(f"{path}?username=analyst&password=horse")
    assert log.records
    assert "horse" not in log.text
