"""LOAD: the two ends of a migration: the database that is copied, and the one that is copied to."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from django.conf import settings

from elt_site.environment import read_database
from subscriptions.load.errors import LoadError, explain
from subscriptions.load.target import Target

SOURCE: Final = "LOCAL_DATABASE_URL"
TARGET: Final = "RAILWAY_DATABASE_URL"
PURPOSE: Final = "migrate_to_railway"
_NO_RIGHTS: Final = "42501"


def source() -> Target:
    """The dataset in LOCAL_DATABASE_URL, or in the embedded PostgreSQL, which is started.

    Raises:
        LoadError: there is no such variable, and the embedded PostgreSQL has never been used.
        django.core.exceptions.ImproperlyConfigured: the URL cannot be read.
        django.db.OperationalError: the embedded server cannot be started.
    """
    if settings.LOCAL_DATABASE_URL:
        return Target.of(read_database(settings.LOCAL_DATABASE_URL, SOURCE))
    from elt_site.embedded_postgres import server  # only here: it needs a POSIX system

    if not server.data_directory().exists():
        raise LoadError(
            f"There is nothing to copy: {SOURCE} is not set, and the embedded PostgreSQL has never "
            f"been loaded. Set {SOURCE} (see .env.example), or run load_faker_data first."
        )
    return Target.of({"ENGINE": "elt_site.embedded_postgres"})


def target() -> Target:
    """The dataset in RAILWAY_DATABASE_URL, whether it is there yet or not.

    Raises:
        LoadError: there is no such variable.
        django.core.exceptions.ImproperlyConfigured: the URL cannot be read.
    """
    if not settings.RAILWAY_DATABASE_URL:
        raise LoadError(
            f"Set {TARGET} to the URL of the database to copy to, such as "
            "postgresql://user:password@host:5432/name (see .env.example)."
        )
    return Target.of(read_database(settings.RAILWAY_DATABASE_URL, TARGET))


def refuse_same(source: Target, target: Target) -> None:
    """Refuse to copy a dataset onto itself, however differently the two URLs are written.

    A lock with a random key that is taken in one of them is free in any other database.

    Raises:
        LoadError: both are the same database of the same server.
    """
    key = secrets.randbits(63)
    with at_source(), source.connect(PURPOSE) as there, there.transaction():
        there.execute("SELECT pg_advisory_xact_lock(%s)", [key])
        with at_target(), target.connect(PURPOSE) as here, here.transaction():
            free = here.execute("SELECT pg_try_advisory_xact_lock(%s)", [key]).fetchone()
    if free != (True,):
        raise LoadError(
            f"{SOURCE} (or the embedded PostgreSQL in its place) and {TARGET} lead to the same "
            f"database: change one of them, for there is nothing to copy."
        )


@contextmanager
def at_source() -> Iterator[None]:
    """Word what goes wrong at the source as such.

    Raises:
        LoadError: in place of a database error.
    """
    try:
        yield
    except psycopg.Error as failure:
        if failure.sqlstate == _NO_RIGHTS:
            reason = str(failure).split("\n", maxsplit=1)[0]
            raise LoadError(
                f"The database in {SOURCE} says: {reason}; let the user read the dataset's schema "
                "and tables."
            ) from failure
        raise LoadError(explain(failure, SOURCE)) from failure


@contextmanager
def at_target() -> Iterator[None]:
    """Word what goes wrong at the target as such.

    Raises:
        LoadError: in place of a database error.
    """
    try:
        yield
    except psycopg.Error as failure:
        raise LoadError(explain(failure, TARGET)) from failure
