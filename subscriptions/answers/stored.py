"""ANSWERS: the marts as they are stored beside the dataset, read by name and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import sql

from subscriptions.answers.marts import Mart, Row
from subscriptions.load.errors import LoadError
from subscriptions.load.receipt import Receipt

_RECEIPT: Final = "_transform_receipt"
_ABSENT: Final = (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)


class _Built(NamedTuple):
    """What a transform noted of itself."""

    load_id: str
    as_of: date
    built_at: datetime


def stored(
    connection: psycopg.Connection[Any], dataset: str, last: Receipt, marts: Sequence[Mart]
) -> dict[str, list[Row]]:
    """The rows of some marts, by name, all of one transform: that of the dataset's last load.

    Raises:
        LoadError: they are not there, of another load, or were built anew meanwhile.
    """
    schema = f"{dataset}_marts"
    built = _of_load(connection, schema)
    if built.load_id != last.load_id:
        raise LoadError(
            f"The marts in {schema} are of another load (as of {built.as_of}) than the dataset's "
            f"last (as of {last.as_of}): run manage.py transform."
        )
    found = {mart.name: _rows(connection, schema, mart) for mart in marts}
    if _of_load(connection, schema) != built:
        raise LoadError(f"{schema} was built anew while it was being read: run this again.")
    return found


def _of_load(connection: psycopg.Connection[Any], schema: str) -> _Built:
    """Which load the marts are of.

    Raises:
        LoadError: there are none.
    """
    query = "SELECT load_id, as_of, built_at FROM {} ORDER BY built_at DESC LIMIT 1"
    try:
        found = connection.execute(
            sql.SQL(query).format(sql.Identifier(schema, _RECEIPT))
        ).fetchone()
    except _ABSENT:
        found = None
    if found is None:
        raise LoadError(f"There are no marts in {schema} yet: run manage.py transform.")
    return _Built(*found)


def _rows(connection: psycopg.Connection[Any], schema: str, mart: Mart) -> list[Row]:
    columns = sql.SQL(", ").join(map(sql.Identifier, mart.columns))
    query = sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(schema, mart.name))
    try:
        rows = connection.execute(query).fetchall()
    except (*_ABSENT, psycopg.errors.UndefinedColumn) as lacking:
        reason = lacking.diag.message_primary
        raise LoadError(f"The database says: {reason}; run manage.py transform.") from lacking
    return [mart.row(*row) for row in rows]
