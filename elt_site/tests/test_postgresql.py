"""The database backend: connections that are kept, and those that the server has ended."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.db import DEFAULT_DB_ALIAS, ProgrammingError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker


@pytest.fixture
def kept(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[BaseDatabaseWrapper]:
    """A connection of the test's own."""
    with django_db_blocker.unblock():
        connection = connections.create_connection(DEFAULT_DB_ALIAS)
        connection.ensure_connection()
        yield connection
        connection.close()


def test_a_connection_that_is_well_is_asked_nothing(kept: BaseDatabaseWrapper) -> None:
    with CaptureQueriesContext(kept) as queries:
        assert kept.is_usable()
    assert not queries.captured_queries


def test_a_connection_that_the_server_ended_is_noticed(kept: BaseDatabaseWrapper) -> None:
    with kept.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (session,) = cursor.fetchone()
    other = connections.create_connection(DEFAULT_DB_ALIAS)
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [session])
    other.close()
    deadline = time.monotonic() + 10
    while kept.is_usable():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_closed_connection_is_none(kept: BaseDatabaseWrapper) -> None:
    kept.close()
    assert not kept.is_usable()


def test_a_failed_transaction_is_none(kept: BaseDatabaseWrapper) -> None:
    kept.set_autocommit(False)
    with kept.cursor() as cursor, pytest.raises(ProgrammingError):
        cursor.execute("SELECT nothing")
    assert not kept.is_usable()
    kept.rollback()
    assert kept.is_usable()
