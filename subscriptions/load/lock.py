"""LOAD: one load at a time, kept by a PostgreSQL advisory lock.

The lock belongs to a transaction, and so to one session even behind a pooler such as PgBouncer; it
is gone the moment that its process is, however that ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from subscriptions.load.errors import LoadError
from subscriptions.load.target import Target

# The first key of the pair (class, object) that pg_locks shows; any constant of our own.
LOCK_CLASS = 0x0E17


@contextmanager
def load_lock(target: Target, purpose: str = "load_faker_data") -> Iterator[Callable[[], None]]:
    """Hold the dataset's load lock, on a connection of its own, or say who holds it.

    Yields what raises psycopg's error as soon as the connection, and with it the lock, is lost.

    Raises:
        LoadError: another load holds the lock; the message has its host and start time.
    """
    with target.connect(purpose) as connection, connection.transaction():
        taken = connection.execute(
            "SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", (LOCK_CLASS, target.dataset)
        ).fetchone()
        if taken != (True,):
            raise LoadError(_in_the_way(connection, target.dataset))
        yield lambda: connection.execute("SELECT 1").close()


def _in_the_way(connection: psycopg.Connection[tuple[Any, ...]], dataset: str) -> str:
    """Describe the load that holds the lock."""
    holder = connection.execute(
        """
        SELECT activity.application_name
        FROM pg_locks AS lock JOIN pg_stat_activity AS activity USING (pid)
        WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 2
          AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND lock.classid = %s AND lock.objid = (hashtext(%s)::bigint & x'ffffffff'::bigint)::oid
        """,
        (LOCK_CLASS, dataset),
    ).fetchone()
    by = f" ({holder[0]})" if holder else ""
    return f"Another load of {dataset} is running{by}: wait for it to end, then run this again."
