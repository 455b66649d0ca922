"""A real dataset for the tests: generated, loaded through dlt, indexed, as a user would have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from itertools import count
from typing import Any, Final

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from pytest_django import DjangoDbBlocker

from subscriptions.load.pipeline import Result, run
from subscriptions.load.request import Request
from subscriptions.load.target import Target
from subscriptions.tests.clusters import Cluster, throw_away_cluster
from subscriptions.tests.histories import INTERRUPTED, LIVED, History
from subscriptions.tests.load.own_server import OwnServer
from subscriptions.transform.run import run as transform

AS_OF = date(2026, 11, 23)
# The dataset of whoever transforms, one test after another: for each name dbt parses the whole
# project anew, which takes it longer than a build.
TRANSFORMED: Final = "transform_test"
_numbers = count(1)


@pytest.fixture(scope="session", autouse=True)
def _dbt_does_not_look_at_the_stack() -> Iterator[None]:
    """It would seven times a build, for a name that nobody reads; pytest's stack is a deep one."""
    from dbt_common.behavior_flags import BehaviorFlagRendered

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BehaviorFlagRendered, "_default_source", staticmethod(lambda: "dbt"))
        yield


@pytest.fixture(scope="session")
def dataset(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Result:
    """The configured dataset, with 1,000 users, and its marts; tests change it in rolled-back
    transactions only.

    Loaded before any transaction is open, which a load would have to wait for.
    """
    target = Target.from_settings()
    with django_db_blocker.unblock():
        loaded = run(
            target,
            Request(users=1000, as_of=AS_OF),
            settings.LOCAL_DIR / "dlt",
            lambda _line: None,
        )
        transform(target, lambda _line: None)
    return loaded


@pytest.fixture
def no_dataset(db: None) -> None:
    """A database as it is before the first load, until the test's transaction is rolled back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_namespace WHERE nspname = %s", [settings.DATASET_NAME])
        if cursor.fetchone() is not None:
            cursor.execute(f'ALTER SCHEMA "{settings.DATASET_NAME}" RENAME TO out_of_the_way')


@pytest.fixture(scope="session")
def _histories(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Both datasets with a past, loaded before any transaction is open."""
    with django_db_blocker.unblock():
        LIVED.load()
        INTERRUPTED.load()


@pytest.fixture
def lived(_histories: None, db: None) -> History:
    """In place of the configured dataset, one of a company that was loaded four times."""
    LIVED.take_place()
    return LIVED


@pytest.fixture
def interrupted(_histories: None, db: None) -> History:
    """In place of the configured dataset, one whose rows were gone for a while."""
    INTERRUPTED.take_place()
    return INTERRUPTED


@pytest.fixture
def dataset_name() -> str:
    """What the test's own dataset is called."""
    return f"load_test_{next(_numbers)}"


@pytest.fixture
def target(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, dataset_name: str
) -> Iterator[Target]:
    """A dataset of the test's own in the test database, dropped afterwards."""
    with django_db_blocker.unblock():
        own = replace(Target.from_settings(), dataset=dataset_name, pipeline=dataset_name)
    yield own
    schemas = ", ".join(f"{dataset_name}{suffix}" for suffix in ("", "_staging", "_marts"))
    with own.connect("test") as session:
        session.execute(f"DROP SCHEMA IF EXISTS {schemas} CASCADE")


@pytest.fixture(scope="session")
def database_url(django_db_setup: None) -> str:
    """The test database as a URL, for a command in a process of its own."""
    info = psycopg.conninfo.make_conninfo(**Target.from_settings().parameters)
    parts = psycopg.conninfo.conninfo_to_dict(info)
    host = str(parts.pop("host")).replace("/", "%2F")
    user, password = parts.get("user", ""), parts.get("password", "")
    return f"postgres://{user}:{password}@{host}:{parts['port']}/{parts['dbname']}"


@pytest.fixture
def query(target: Target) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Run SQL in the test's own dataset, committed at once; returns the rows, if any."""
    with target.connect("test") as session:
        session.execute(f"SET search_path = {target.dataset}")

        def execute(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
            cursor: psycopg.Cursor[tuple[Any, ...]] = session.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

        yield execute


@pytest.fixture(scope="session")
def other_server() -> Iterator[Cluster]:
    """A second server, of another release where this machine has one."""
    with throw_away_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def own_server() -> Iterator[OwnServer]:
    """A server that a test may kill, as long as it starts it again."""
    server = OwnServer()
    yield server
    server.remove()
