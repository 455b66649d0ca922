"""TRANSFORM: one run: lock, build beside the marts in service, test, publish."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import psycopg
from psycopg import sql

from subscriptions.load import interruption, receipt
from subscriptions.load.lock import confirm, load_lock
from subscriptions.load.target import Target
from subscriptions.transform import project, publication
from subscriptions.transform.errors import TransformError
from subscriptions.transform.marts import MARTS, RECEIPT, schema_of, staged_schema_of
from subscriptions.transform.project import PURPOSE, Failure

# Rows that a failing test's sentence shows.
SHOWN_ROWS: Final = 3
_STAY: Final = "The marts from before stay in service."


@dataclass(frozen=True)
class Transformed:
    """What a run left in service."""

    load_id: str
    """The load that the marts are of."""
    as_of: date
    built: bool
    """False where they were of that load already."""
    full_refresh: bool
    """Whether everything was built anew; else only what the loads since the last run changed."""
    rows: Mapping[str, int]
    """For each mart."""
    seconds: float


def run(
    target: Target,
    say: Callable[[str], None],
    *,
    full_refresh: bool = False,
    wait: float = 0,
) -> Transformed:
    """Bring the marts to what the last load left.

    Args:
        target: the database and dataset.
        say: called with a line at the beginning.
        full_refresh: build everything anew.
        wait: how many seconds a load that is running has to end.

    Raises:
        TransformError: nothing is loaded, or a test failed; the marts from before are in service.
        LoadError: a load is running.
    """
    started = time.monotonic()
    with load_lock(target, wait, say, PURPOSE) as holder, target.connect(PURPOSE) as connection:
        loaded = receipt.latest(connection, target.dataset)
        if loaded is None:
            raise TransformError(
                "Nothing is loaded yet: run manage.py load_faker_data, which transforms as well."
            )
        if full_refresh or _transformed(connection, target.dataset) != loaded.load_id:
            say(f"Building {len(MARTS)} marts ...")
            whole = _build(target, connection, holder, say, full_refresh=full_refresh)
            built = True
        else:
            built = whole = False
        return Transformed(
            load_id=loaded.load_id,
            as_of=loaded.as_of,
            built=built,
            full_refresh=whole,
            rows=_rows(connection, target.dataset),
            seconds=time.monotonic() - started,
        )


def _build(
    target: Target,
    connection: psycopg.Connection[Any],
    holder: int,
    say: Callable[[str], None],
    *,
    full_refresh: bool,
) -> bool:
    """Build, test and publish; True if everything was built anew."""
    staged = sql.Identifier(staged_schema_of(target.dataset))
    drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(staged)
    connection.execute(drop)
    try:
        failures = project.build(target, full_refresh=full_refresh)
        whole = full_refresh or (not failures and _is_whole(connection, target.dataset))
        fits = not failures and (whole or publication.takes_parts(connection, target.dataset))
        if not fits and not full_refresh and not interruption.is_given_up():
            # Rows that were changed by hand are not those that the marts in service were built of;
            # or marts were dropped there, or have other columns.
            say("What is in service does not fit; building everything anew ...")
            connection.execute(drop)
            failures = project.build(target, full_refresh=True)
            whole = True
        if failures:
            # Where the server has gone meanwhile, that is what failed, whichever model it hit.
            confirm(connection.cursor(), target.dataset, holder)
            raise TransformError(_sentence(connection, failures[0]))
        publication.publish(connection, target.dataset, holder, full_refresh=whole)
        return whole
    finally:
        # In a session of its own: an interrupt cancels whatever the run's own is doing. What is
        # left where the server is gone, the next run drops.
        with (
            suppress(psycopg.Error),
            target.connect(PURPOSE, cancellable=False) as clearing,
        ):
            clearing.execute(drop)


def _is_whole(connection: psycopg.Connection[Any], dataset: str) -> bool:
    """Whether what is staged was built anew, rather than gone on with."""
    query = sql.SQL("SELECT full_refresh FROM {}").format(
        sql.Identifier(staged_schema_of(dataset), RECEIPT)
    )
    return connection.execute(query).fetchone() == (True,)


def _transformed(connection: psycopg.Connection[Any], dataset: str) -> str | None:
    """The load that the marts in service are of.

    None where there are none, or they are plain dbt's, or of another release's definitions.
    """
    query = sql.SQL(
        "SELECT load_id, to_jsonb(made) ->> 'definitions' FROM {} AS made"
        " ORDER BY built_at DESC LIMIT 1"
    ).format(sql.Identifier(schema_of(dataset), RECEIPT))
    try:
        found = connection.execute(query).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return None
    return found[0] if found and found[1] == project.definitions() else None


def _rows(connection: psycopg.Connection[Any], dataset: str) -> Mapping[str, int]:
    counts = {}
    for mart in MARTS:
        table = sql.Identifier(schema_of(dataset), mart)
        query = sql.SQL("SELECT count(*) FROM {}").format(table)
        ((counts[mart],),) = connection.execute(query).fetchall()
    return counts


def _sentence(connection: psycopg.Connection[Any], failure: Failure) -> str:
    if not failure.is_test:
        return f"The model {failure.name} could not be built: {failure.message}. {_STAY}"
    rows: Sequence[str] = project.failing_rows(connection, failure, SHOWN_ROWS)
    more = ", ..." if failure.failing_rows > len(rows) else ""
    return (
        f"The test {failure.name} fails for {failure.failing_rows:,} rows: "
        f"{', '.join(rows)}{more}. {_STAY} Mend the data or the model, then run manage.py "
        "transform."
    )
