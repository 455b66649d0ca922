"""LOAD: one load at a time, kept by a PostgreSQL advisory lock.

The lock belongs to a transaction, and so to one session even behind a pooler such as PgBouncer; it
is gone the moment that its process is, however that ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg

from subscriptions.load import interruption
from subscriptions.load.attachments import Cursor
from subscriptions.load.errors import LoadError
from subscriptions.load.target import Target

# The first key of the pair (class, object) that pg_locks shows; any constant of our own.
LOCK_CLASS = 0x0E17
# Between two questions whether the lock is free. Waiting inside a statement instead would hold a
# snapshot, which keeps vacuum from removing dead rows and others from building an index.
PAUSE_S: Final = 0.2


@contextmanager
def load_lock(
    target: Target,
    wait: float = 0,
    say: Callable[[str], None] | None = None,
    purpose: str = "load_faker_data",
) -> Iterator[int]:
    """Hold the dataset's load lock, on a connection of its own, or say who holds it.

    Yields the process id of the server's session that holds it, for `confirm`.

    Args:
        target: the dataset.
        wait: how many seconds another load has to end.
        say: called with a sentence when there is one to wait for.
        purpose: by what name others shall know the holder.

    Raises:
        LoadError: another load holds the lock; the message has its start, process and host. Or
            nobody can wait that long.
    """
    if wait < 0:
        raise LoadError(f"--wait must be 0 seconds or more, not {wait:g}.")
    deadline = time.monotonic() + wait
    with target.connect(purpose) as connection:
        _refuse_other_encoding(connection)
        said = False
        while True:
            with connection.transaction():
                if _taken(connection, target.dataset):
                    yield _process(connection)
                    return
            left = deadline - time.monotonic()
            holder = _holder(connection, target.dataset)
            if left <= 0:
                raise LoadError(_in_the_way(target.dataset, holder, wait))
            if say and not said:
                say(f"Waiting up to {wait:g} s for another load of {target.dataset}{holder} ...")
                said = True
            interruption.pause(min(PAUSE_S, left))


def _refuse_other_encoding(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Refuse a database that cannot hold names in every language, or gives bytes for them."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise LoadError(
            f"The database {connection.info.dbname} has the encoding {encoding}, and names need "
            "UTF8: make one with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0, and "
            "load into that."
        )


def confirm(cursor: Cursor, dataset: str, holder: int) -> None:
    """Make sure that a session still holds the lock: a restarted server has forgotten it.

    Asked of the server by the session that is about to publish. The one that holds the lock has
    idled for the whole load, and a network that has dropped it meanwhile would answer late.

    Raises:
        LoadError: it does not.
    """
    cursor.execute(
        "SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"
        " AND pid = %s AND classid = %s AND objid = (hashtext(%s)::bigint & 4294967295)::oid",
        (holder, LOCK_CLASS, dataset),
    )
    if cursor.fetchone() is None:
        raise LoadError(
            "The server has ended the session that holds the load's lock, or was restarted; "
            "nothing was published: run this again."
        )


def _process(connection: psycopg.Connection[tuple[Any, ...]]) -> int:
    """Asked of the server, for a pooler between would make one up."""
    ((process,),) = connection.execute("SELECT pg_backend_pid()").fetchall()
    return int(process)


def _taken(connection: psycopg.Connection[tuple[Any, ...]], dataset: str) -> bool:
    query = "SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))"
    return connection.execute(query, (LOCK_CLASS, dataset)).fetchone() == (True,)


def _holder(connection: psycopg.Connection[tuple[Any, ...]], dataset: str) -> str:
    """The load that holds the lock, in parentheses; nothing if it has just ended."""
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
    return f" ({holder[0]})" if holder else ""


def _in_the_way(dataset: str, holder: str, waited: float) -> str:
    if waited:
        return (
            f"Another load of {dataset} is running{holder}, and did not end within {waited:g} s: "
            "run this again later, or with a longer --wait."
        )
    return (
        f"Another load of {dataset} is running{holder}: wait for it to end, then run this again, "
        "or add --wait SECONDS."
    )
