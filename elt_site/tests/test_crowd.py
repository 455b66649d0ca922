"""A crowd at the server for some seconds, while its database restarts: `crowd` says what may be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from elt_site.tests import remains
from elt_site.tests.conftest import PRODUCTION, Manage
from elt_site.tests.crowd import Crowd, Site
from elt_site.tests.test_servers import ask, free_port, serving
from subscriptions.tests.load.own_server import OwnServer

# Fewer threads and places for lists than usual: those who dawdle would occupy them all.
CLIENTS, THREADS, LISTS, SECONDS = 96, 8, 2, 6
USERS = 6_000  # so that a list of usage, 5 MB, is more than the system buffers for its reader


@pytest.fixture
def database() -> Iterator[OwnServer]:
    """A server that may be restarted."""
    server = OwnServer()
    yield server
    server.remove()


def test_a_crowd_gets_whole_answers_or_is_told_when_to_come_back(
    tmp_path: Path, database: OwnServer, manage: Manage
) -> None:
    where = {"DATABASE_URL": database.url, "DEBUG": "true"}
    loaded = manage("load_faker_data", "--no-transform", "--users", str(USERS), **where)
    assert loaded.returncode == 0, loaded.stderr
    site = Site(free_port(), PRODUCTION["BASIC_AUTH_USERNAME"], PRODUCTION["BASIC_AUTH_PASSWORD"])
    variables = PRODUCTION | {
        "DATABASE_URL": database.url,
        "ALLOWED_HOSTS": "localhost",
        "PORT": str(site.port),
        "NUM_PROXIES": "1",
        "LISTS_AT_ONCE": str(LISTS),
    }
    command = ("-m", "gunicorn", "elt_site.wsgi", "--threads", str(THREADS))
    with serving(tmp_path / "log", *command, **variables) as process:
        assert ask(site.port, "/healthz", Host="localhost") == 200
        findings = Crowd(site).run(CLIENTS, SECONDS, database.restart)
        left = remains.of_crowd(process.pid, database.url, THREADS)
    assert not findings.problems
    assert not left
    assert findings.answers["reader: 200"] > CLIENTS
    assert findings.answers["slow reader: 200"]
    assert findings.answers["stranger: 401"]
    assert findings.recovery is not None
