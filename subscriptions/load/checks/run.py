"""LOAD, checks: run the checks on a dataset, all on one state of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import errors, sql

from subscriptions.load import receipt
from subscriptions.load.checks import CHECKS
from subscriptions.load.checks.check import Check
from subscriptions.load.errors import LoadError
from subscriptions.load.receipt import Receipt
from subscriptions.load.tables import RECEIPT_TABLE, TABLES
from subscriptions.load.target import Target

EXAMPLES: Final = 3
# A load that replaces everything takes the tables away from under the checks, which then start
# again; more often than this in a row, something is loading in a loop.
ATTEMPTS: Final = 5

# Every check reads whole tables. In the order of an index that would be a random read for each
# row, and a nested loop, the planner's choice where it underestimates, would be quadratic.
_SESSION: Final = {
    "work_mem": "256MB",
    "timezone": "UTC",
    "statement_timeout": "0",
    "enable_indexscan": "off",
    "enable_indexonlyscan": "off",
    "enable_bitmapscan": "off",
    "enable_nestloop": "off",
}

_RELATIONS: Final = (
    *(table.name for table in TABLES),
    *(table.view for table in TABLES),
    RECEIPT_TABLE,
    "_dlt_loads",
)

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    check: Check
    violations: int
    examples: tuple[str, ...]  # at most EXAMPLES, the first in order
    seconds: float


class _ReplacedError(Exception):
    """A load has put other tables in the place of those that were being checked."""


def examine(
    target: Target, begin: Callable[[Receipt], None], tell: Callable[[Finding], None]
) -> tuple[Receipt, list[Finding]]:
    """Run every check on one state of the dataset, as of its newest load.

    Args:
        target: the dataset.
        begin: called with that load's receipt at the start, and again at each new start, if a
            load replaces the tables meanwhile: what was told before then counts no more.
        tell: called with each finding as soon as it is there.

    Raises:
        LoadError: it cannot be checked; the message says what to do.
        psycopg.Error: the connection was lost, or not to be had.
    """
    for _ in range(ATTEMPTS):
        try:
            return _attempt(target, begin, tell)
        except _ReplacedError:
            continue
        except (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName) as error:
            raise LoadError(_lacking(error.diag.message_primary or str(error))) from error
        except errors.InsufficientPrivilege as error:
            raise LoadError(
                f"The database says: {error.diag.message_primary}; let the user SELECT from all of "
                f"{target.dataset}."
            ) from error
    raise LoadError(
        f"{ATTEMPTS} loads in a row have replaced {target.dataset} while it was being checked: run "
        "this again when they have ended."
    )


def _attempt(
    target: Target, begin: Callable[[Receipt], None], tell: Callable[[Finding], None]
) -> tuple[Receipt, list[Finding]]:
    with target.connect("check_data") as connection:
        # Looked up before the transaction sees anything: while the names lead to the same tables,
        # these are not younger than what it sees.
        known = _relations(connection, target.dataset)
        if known[RECEIPT_TABLE] is None:
            raise LoadError(_nothing(target.dataset))
        if missing := [name for name, oid in known.items() if oid is None]:
            raise LoadError(_lacking(f"{target.dataset} lacks {', '.join(missing)}"))
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.transaction():
            recorded = receipt.latest(connection, target.dataset)
            if recorded is None:
                raise LoadError(_nothing(target.dataset))
            begin(recorded)
            found = []
            for finding in findings(connection, target.dataset, recorded):
                if _relations(connection, target.dataset) != known:
                    raise _ReplacedError
                found.append(finding)
                tell(finding)
            return recorded, found


def findings(
    connection: Connection, dataset: str, recorded: Receipt, checks: Sequence[Check] = CHECKS
) -> Iterator[Finding]:
    """Run the checks in the connection's transaction, which must be open.

    `recorded` is the receipt whose dates the checks go by.
    """
    settings = _SESSION | {"search_path": sql.Identifier(dataset).as_string(connection)}
    for name, value in settings.items():
        connection.execute("SELECT set_config(%s, %s, true)", (name, value))
    days = {"as_of": recorded.as_of, "epoch": recorded.epoch}
    for check in checks:
        started = time.monotonic()
        rows = connection.execute(
            f"SELECT example, count(*) OVER () FROM ({check.sql}) AS violation (example)"
            f" ORDER BY example LIMIT {EXAMPLES}",
            days,
        ).fetchall()
        yield Finding(
            check,
            violations=rows[0][1] if rows else 0,
            examples=tuple(example for example, _ in rows),
            seconds=time.monotonic() - started,
        )


def appended(recorded: Receipt) -> list[str]:
    """The tables that the load appended to, which may therefore hold rows more than once.

    Any other disposition clears the copies away: what was appended before it does not matter.
    """
    return [name for name, how in recorded.dispositions.items() if how == "append"]


def _relations(connection: Connection, dataset: str) -> dict[str, int | None]:
    """The oids that the names of tables and views lead to now, whatever the snapshot sees."""
    query = """
        SELECT name, to_regclass(quote_ident(%s) || '.' || quote_ident(name))::oid
        FROM unnest(%s::text[]) AS name
    """
    return dict(connection.execute(query, (dataset, list(_RELATIONS))).fetchall())


def _nothing(dataset: str) -> str:
    return f"There is no {dataset} yet to check: run load_faker_data first."


def _lacking(what: str) -> str:
    return (
        f"{what}: somebody has changed the dataset's tables; "
        "load_faker_data --write-disposition replace makes them anew."
    )
