"""Whether a load that found nothing to do left every stored row as it was."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from benchmarks.workplace import DATASET, Workplace
from subscriptions.load.tables import TABLES


class Versions:
    """The dataset's stored row versions at the moment when this object was made.

    PostgreSQL stamps each with the transaction that wrote it, whatever program that was.
    """

    def __init__(self, place: Workplace) -> None:
        self._place = place
        with place.connect() as session:
            self._rows = _count(session)
            row = session.execute("SELECT txid_snapshot_xmax(txid_current_snapshot())").fetchone()
        self._next_transaction: int = row[0] if row else 0

    def changed(self) -> int:
        """How many versions were inserted, updated or deleted since."""
        with self._place.connect() as session:
            rows, new = _count(session), _count(session, self._next_transaction)
        return new + self._rows - (rows - new)


def _count(session: psycopg.Connection[tuple[Any, ...]], oldest: int = 0) -> int:
    """Rows of the dataset that no transaction before `oldest` wrote."""
    total = 0
    for table in TABLES:
        query = sql.SQL("SELECT count(*) FROM {} WHERE xmin::text::bigint >= %s").format(
            sql.Identifier(DATASET, table.name)
        )
        row = session.execute(query, (oldest,)).fetchone()
        total += row[0] if row else 0
    return total
