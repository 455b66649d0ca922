"""Streams over real connections: they begin at once, break visibly, and free what they held."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import Any, Final

import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from elt_site.tests.test_servers import ask, free_port
from subscriptions.load.pipeline import run
from subscriptions.load.request import Request
from subscriptions.load.target import Target
from subscriptions.tests.conftest import AS_OF

from .conftest import header_of_served, serving_dataset

USERS: Final = 12_000
DATASET: Final = "streamed"
AUTHORIZATION: Final = header_of_served()
Query = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def query(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Query]:
    """SQL beside a dataset whose usage, 60,000 rows and 10 MB, no buffers hold."""
    with django_db_blocker.unblock():
        target = replace(Target.from_settings(), dataset=DATASET, pipeline=DATASET)
        run(
            target,
            Request(users=USERS, as_of=AS_OF),
            settings.LOCAL_DIR / "dlt",
            lambda _line: None,
        )
    with target.connect("test") as session:
        yield lambda sql: session.execute(sql).fetchall()
        session.execute(f"DROP SCHEMA {DATASET} CASCADE")


@pytest.fixture(scope="module")
def port(
    query: Query, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """A server with one process, in which one list has a place and four may wait for it."""
    port, log = free_port(), tmp_path_factory.mktemp("streams") / "log"
    with serving_dataset(log, port, DATASET, database_url, LISTS_AT_ONCE="1"):
        assert ask(port, "/healthz") == 200
        yield port
    assert "Too many lists" not in log.read_text()  # a busy minute would fill it


@contextmanager
def reading(port: int, path: str) -> Iterator[http.client.HTTPResponse]:
    """An answer of which no more than the beginning is read, however large it is."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as client:
        client.sock = socket.socket()
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sock.connect(("127.0.0.1", port))
        client.request("GET", path, headers=AUTHORIZATION)
        response = client.getresponse()
        assert response.status == 200
        assert response.read(1000)
        yield response


def cursors(query: Query, wanted: int) -> list[tuple[Any, ...]]:
    """The server's sessions in the middle of a list, once they are as many, or after 3 s."""
    deadline = time.monotonic() + 3
    while True:
        found = query(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND state = 'idle in transaction' AND query LIKE 'FETCH %'"
        )
        if len(found) == wanted or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def test_a_whole_stream(port: int, query: Query) -> None:
    with reading(port, "/usages?format=ndjson") as response:
        assert len(response.read().splitlines()) > 5 * USERS - 100
        assert response.headers["Transfer-Encoding"] == "chunked"
    assert not cursors(query, 0)


def test_a_client_that_goes_away_frees_the_session(port: int, query: Query) -> None:
    with reading(port, "/usages"):
        assert len(cursors(query, 1)) == 1
    assert not cursors(query, 0)


@pytest.mark.parametrize("name", ["json", "ndjson"])
def test_a_broken_stream_is_no_answer(port: int, query: Query, name: str) -> None:
    with reading(port, f"/usages?format={name}") as response:
        ((pid,),) = cursors(query, 1)
        query(f"SELECT pg_terminate_backend({pid})")
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            response.read()
    assert ask(port, "/users?page=1", **AUTHORIZATION) == 200  # on a session of its own


def test_more_than_there_are_places_for(port: int, query: Query) -> None:
    with ThreadPoolExecutor(4) as waiting, ExitStack() as first:
        first.enter_context(reading(port, "/usages"))
        answers = [waiting.submit(ask, port, "/plans", **AUTHORIZATION) for _ in range(4)]
        time.sleep(0.5)
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as client:
            client.request("GET", "/plans", headers=AUTHORIZATION)
            response = client.getresponse()
            assert response.status == 503
            assert int(response.headers["Retry-After"]) > 0
            assert "Too many lists" in json.loads(response.read())["error"]
        for path in ("/healthz", "/check-tables", "/plans/1", "/users?page=2"):
            assert ask(port, path, **AUTHORIZATION) == 200
        first.close()  # the place is free, and the four take turns
        assert [answer.result() for answer in answers] == [200] * 4
    assert not cursors(query, 0)


def test_the_place_of_a_whole_list_is_given_back(port: int) -> None:
    assert [ask(port, "/plans", **AUTHORIZATION) for _ in range(10)] == [200] * 10
    for _ in range(10):
        assert ask(port, "/users?format=csv&as_of=1999-01-01", **AUTHORIZATION) == 400
