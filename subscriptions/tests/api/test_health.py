"""The health check: quick, open, and honest about the database."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client

from subscriptions.api import health

pytestmark = pytest.mark.django_db


def point_to(monkeypatch: pytest.MonkeyPatch, **elsewhere: object) -> None:
    """Have new connections look for the database somewhere else."""
    backend = type(connections["default"])  # the embedded server's, or Django's own
    original = backend.get_connection_params

    def parameters(self: BaseDatabaseWrapper) -> dict[str, Any]:
        return original(self) | elsewhere

    monkeypatch.setattr(backend, "get_connection_params", parameters)


@pytest.mark.parametrize("path", ["/healthz", "/healthz/", "/healthz?t=1"])
@pytest.mark.parametrize("accept", ["*/*", "text/html", "text/plain"])
def test_well(client: Client, path: str, accept: str) -> None:
    response = client.get(path, headers={"accept": accept})
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}
    assert response["Cache-Control"] == "no-store"
    assert client.head(path).status_code == 200


@pytest.mark.usefixtures("no_dataset")
def test_well_before_the_first_load(client: Client) -> None:
    assert client.get("/healthz").status_code == 200


def test_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    point_to(monkeypatch, host="127.0.0.1", port=1)
    response = client.get("/healthz")
    assert response.status_code == 503
    assert response.json() == {"error": "The database does not answer; try again in a moment."}


def test_a_server_that_never_answers(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        point_to(monkeypatch, host="127.0.0.1", port=silent.getsockname()[1])
        started = time.monotonic()
        assert client.get("/healthz").status_code == 503
        assert time.monotonic() - started < health.CONNECT_SECONDS + 2


def test_other_methods(client: Client) -> None:
    response = client.post("/healthz")
    assert response.status_code == 405
    assert list(response.json()) == ["error"]
