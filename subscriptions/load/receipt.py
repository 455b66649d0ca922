"""LOAD: what each load was, kept beside dlt's own `_dlt_loads`.

The receipt travels through dlt as one more resource and becomes visible in the same transaction
as the rows it speaks of. The newest one says which company the dataset holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from subscriptions.extract import Company
from subscriptions.load.tables import RECEIPT_TABLE

if TYPE_CHECKING:
    from dlt.common.schema.typing import TColumnSchema

COLUMNS: Final[Mapping[str, TColumnSchema]] = {
    "version": {"data_type": "text"},  # of this product, which decides what a seed stands for
    "seed": {"data_type": "bigint"},
    "users": {"data_type": "bigint"},
    "epoch": {"data_type": "date"},
    "as_of": {"data_type": "date"},
    "dispositions": {"data_type": "json"},  # table -> write disposition
    "rows": {"data_type": "json"},  # table -> rows that the company has
    "stored": {"data_type": "json"},  # table -> current rows, their checksum, closed versions
    "changes": {"data_type": "json"},  # table -> what publishing them changed, by kind
    "confirmed": {"data_type": "bool"},  # that before it the rows were as the last receipt says
    "started_at": {"data_type": "timestamp"},
    "published_at": {"data_type": "timestamp"},
    "finished_at": {"data_type": "timestamp"},  # when the command had nothing left to do
}


WITH_HISTORY: Final = "replace, with history"
"""What stands in place of a disposition where all versions were copied from another dataset."""


@dataclass(frozen=True)
class Receipt:
    """One finished load, as the dataset remembers it."""

    load_id: str
    seed: int
    users: int
    epoch: date
    as_of: date
    dispositions: Mapping[str, str]
    rows: Mapping[str, int]
    changes: Mapping[str, Mapping[str, int]]
    stored: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """For each table `rows` (current ones), `checksum` (theirs) and `closed` (versions)."""
    version: str = ""
    finished: bool = True
    moved_from: date | None = None
    """The as-of date of the load before it, if there was one."""

    @property
    def company(self) -> Company:
        """Whose rows were loaded."""
        return Company(self.seed, self.users, self.epoch)


def latest(connection: psycopg.Connection[Any], dataset: str) -> Receipt | None:
    """The newest finished load's receipt, or None where there is no dataset yet.

    Read as JSON, because a dataset of an older release may lack columns.
    """
    query = sql.SQL(
        "SELECT to_jsonb(receipt) FROM {} AS receipt ORDER BY published_at DESC LIMIT 2"
    ).format(sql.Identifier(dataset, RECEIPT_TABLE))
    try:
        rows = connection.execute(query).fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return None
    if not rows:
        return None
    (noted,), *before = rows
    moved_from = date.fromisoformat(before[0][0]["as_of"]) if before else None
    return replace(_read(noted), moved_from=moved_from)


def every(connection: psycopg.Connection[Any], dataset: str) -> list[Receipt]:
    """The receipts of all finished loads, oldest first; none where there is no dataset yet."""
    query = sql.SQL("SELECT to_jsonb(receipt) FROM {} AS receipt ORDER BY published_at").format(
        sql.Identifier(dataset, RECEIPT_TABLE)
    )
    try:
        rows = connection.execute(query).fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return []
    return [_read(noted) for (noted,) in rows]


def _read(noted: Mapping[str, Any]) -> Receipt:
    return Receipt(
        load_id=noted["_dlt_load_id"],
        seed=noted["seed"],
        users=noted["users"],
        epoch=date.fromisoformat(noted["epoch"]),
        as_of=date.fromisoformat(noted["as_of"]),
        dispositions=noted["dispositions"],
        rows=noted["rows"],
        changes=noted["changes"],
        stored=noted.get("stored") or {},
        version=noted.get("version") or "",
        finished=noted["finished_at"] is not None,
    )


def finish(connection: psycopg.Connection[Any], dataset: str, load_id: str) -> None:
    """Note that the load's command came to its end, so that running it again is another load."""
    connection.execute(
        sql.SQL("UPDATE {} SET finished_at = now() WHERE _dlt_load_id = %s").format(
            sql.Identifier(dataset, RECEIPT_TABLE)
        ),
        (load_id,),
    )
