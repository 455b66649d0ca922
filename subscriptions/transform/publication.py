"""TRANSFORM: bring what was built and tested into service, all marts in one transaction.

Where a mart is there already, only the rows that differ are written: nobody who reads it waits,
what others have built on it (views, rights) stays, and MVCC gives each reader marts of one build.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import psycopg
from psycopg import sql

from subscriptions.load.lock import confirm
from subscriptions.transform.errors import TransformError
from subscriptions.transform.marts import (
    FLOWS,
    MARTS,
    PARTLY_BUILT,
    RECEIPT,
    schema_of,
    staged_schema_of,
)

# How long a mart that has to be made anew waits for those who read the one in service.
LOCK_TIMEOUT: Final = "10s"
# Builds that the receipts tell of; the last is what counts.
KEPT_RECEIPTS: Final = 100


def publish(
    connection: psycopg.Connection[Any], dataset: str, holder: int, *, full_refresh: bool
) -> None:
    """Put the staged marts into service, as long as a session still holds the dataset's lock.

    Raises:
        LoadError: it does not, so that others may have been at the rows or at what is staged.
        TransformError: others have built on what has to be made anew.
    """
    served, staged = schema_of(dataset), staged_schema_of(dataset)
    with connection.transaction():
        connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'".encode())
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(served)))
        _take_the_place(connection, served, staged, FLOWS)
        for name, key in MARTS.items():
            columns = _columns(connection, staged, name)
            if _columns(connection, served, name) == columns:
                whole = full_refresh or name != PARTLY_BUILT
                _bring_up_to_date(connection, served, staged, name, key, columns, whole=whole)
            else:
                _take_the_place(connection, served, staged, name)
        if _columns(connection, served, RECEIPT) == _columns(connection, staged, RECEIPT):
            _run(connection, "INSERT INTO {old} SELECT * FROM {new}", served, staged, RECEIPT)
            _run(connection, _FORGET, served, staged, RECEIPT)
        else:
            _take_the_place(connection, served, staged, RECEIPT)
        confirm(connection.cursor(), dataset, holder)


def takes_parts(connection: psycopg.Connection[Any], dataset: str) -> bool:
    """Whether rows of the mart that is only partly built can be written to the one in service."""
    served, staged = schema_of(dataset), staged_schema_of(dataset)
    return _columns(connection, served, PARTLY_BUILT) == _columns(connection, staged, PARTLY_BUILT)


_FORGET = f"""
    DELETE FROM {{old}} WHERE built_at NOT IN (
        SELECT built_at FROM {{old}} ORDER BY built_at DESC LIMIT {KEPT_RECEIPTS})
"""
_DELETE_OTHERS = """
    DELETE FROM {old} AS old WHERE NOT EXISTS (SELECT FROM {new} AS new WHERE {same_key})
"""
_MERGE = """
    MERGE INTO {old} AS old USING {new} AS new ON {same_key}
    WHEN MATCHED AND new.* IS DISTINCT FROM old.* THEN UPDATE SET {assignments}
    WHEN NOT MATCHED THEN INSERT VALUES (new.*)
"""


def _bring_up_to_date(
    connection: psycopg.Connection[Any],
    served: str,
    staged: str,
    name: str,
    key: Sequence[str],
    columns: Mapping[str, Any],
    *,
    whole: bool,
) -> None:
    """Write the rows that differ; `whole` where rows that are not staged are to go."""
    # Few rows of many are looked up by an index, however unlikely the planner thinks that is.
    cost = "DEFAULT" if whole else "0.1"
    connection.execute(f"SET LOCAL random_page_cost = {cost}".encode())
    words = {
        "same_key": _joined("new.{0} = old.{0}", key, " AND "),
        "assignments": _joined("{0} = new.{0}", columns, ", "),
    }
    for statement in (_DELETE_OTHERS, _MERGE) if whole else (_MERGE,):
        _run(connection, statement, served, staged, name, **words)


def _joined(each: str, columns: Iterable[str], between: str) -> sql.Composable:
    return sql.SQL(between).join(sql.SQL(each).format(sql.Identifier(name)) for name in columns)


def _take_the_place(
    connection: psycopg.Connection[Any], served: str, staged: str, name: str
) -> None:
    """Move a staged table to where there is none yet, or one that cannot be kept.

    Raises:
        TransformError: others have built on that one.
    """
    try:
        _run(connection, "DROP TABLE IF EXISTS {old}", served, staged, name)
    except psycopg.errors.DependentObjectsStillExist as failure:
        why = (
            f"Each transform makes {name} anew, which is its own and no mart"
            if name == FLOWS
            else f"This release gives the mart {name} other columns"
        )
        theirs = "; ".join((failure.diag.message_detail or "").splitlines())
        raise TransformError(
            f"{why}, and others have built on it ({theirs}): drop those, then run manage.py "
            "transform. The marts from before stay in service."
        ) from failure
    _run(connection, "ALTER TABLE {new} SET SCHEMA {served}", served, staged, name)


def _columns(connection: psycopg.Connection[Any], schema: str, name: str) -> Mapping[str, Any]:
    """A table's columns in their order, each with its type; none where there is no such table."""
    query = """
        SELECT attname, (attnum, atttypid, atttypmod) FROM pg_attribute
        WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
    """
    return dict(connection.execute(query, (f'"{schema}"."{name}"',)).fetchall())


def _run(
    connection: psycopg.Connection[Any],
    statement: str,
    served: str,
    staged: str,
    name: str,
    **more: sql.Composable,
) -> None:
    words: Mapping[str, sql.Composable] = {
        "old": sql.Identifier(served, name),
        "new": sql.Identifier(staged, name),
        "served": sql.Identifier(served),
        **more,
    }
    connection.execute(sql.SQL(statement).format(**words))
