"""LOAD: bring a staged load into the dataset, for all tables in one transaction.

Two ways, chosen by what has to become true:

swap      where every table ends up holding exactly the staged rows (`replace`, or nothing there
          yet): the staged tables get their indexes, then the two schemas change names. Nothing
          is written twice, and readers wait for no more than the renaming.
in place  otherwise, and where others have built on the tables (`attachments`): the statements of
          `dispositions`, which MVCC keeps from readers until the commit.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from psycopg2 import extensions
from psycopg2.errors import LockNotAvailable

from subscriptions.load import attachments, dispositions
from subscriptions.load.leftovers import LOCK_TIMEOUT, RETIRED
from subscriptions.load.structure import index_statements, view_statement
from subscriptions.load.tables import RECEIPT_TABLE, TABLES, Disposition, Table

# A swap asks for the old tables in short attempts, because while one waits every new reader
# waits behind it. When they stay in use, it goes on without them: a rename needs no lock, and
# all that the lock prevents is a statement that looks up one table before and one after it.
LOCK_PAUSE_S: Final = 0.5
LOCK_PATIENCE_S: Final = 5


@dataclass
class Publication:
    """One staged load on its way into the dataset; used by one thread, in the order below."""

    cursor: extensions.cursor
    dataset: str
    staging: str
    dispositions: Mapping[str, Disposition]
    swap: bool = False

    def prepare(self) -> None:
        """Choose the way, and do what takes time but changes nothing readers see."""
        self.swap = self._is_swappable()
        if self.swap:
            self._complete_indexes(self.staging)
            for table in TABLES:
                self.cursor.execute(view_statement(f'"{self.staging}"', table))

    def publish(self, load_id: str) -> None:
        """Make the load visible when the caller's transaction commits."""
        if self.swap:
            # Counted before the lock: at ten million rows it takes seconds.
            changes = {table.name: self._swapped_rows(table) for table in TABLES}
            self._lock_out_straddlers()
            self.swap = self._is_swappable()  # somebody may have built on the tables meanwhile
        if not self.swap:
            self._complete_views()
            changes = {table.name: self._apply(table) for table in TABLES}
            self._complete_indexes(self.dataset)
        self.cursor.execute(
            f'UPDATE "{self.staging}".{RECEIPT_TABLE} SET changes = %s, published_at = now()'
            " WHERE _dlt_load_id = %s",
            (json.dumps(changes), load_id),
        )
        if self.swap:
            self._carry_over()
            self._rename(load_id)
        else:
            self._copy(RECEIPT_TABLE, self.staging, self.dataset)

    def _is_swappable(self) -> bool:
        for table in TABLES:
            if self.dispositions[table.name] != "replace":
                self.cursor.execute(f'SELECT FROM "{self.dataset}"."{table.name}" LIMIT 1')
                if self.cursor.fetchone() is not None:
                    return False
        return not attachments.exist(self.cursor, self.dataset)

    def _apply(self, table: Table) -> dict[str, int]:
        """Run the table's disposition; returns how many rows were added, changed, ..."""
        counts: dict[str, int] = {}
        stored, staged = (f'"{s}"."{table.name}"' for s in (self.dataset, self.staging))
        for statement in dispositions.statements(
            table, self.dispositions[table.name], stored, staged, self._as_of
        ):
            self.cursor.execute(statement.sql)
            kind = statement.counts_as
            counts[kind] = counts.get(kind, 0) + self.cursor.rowcount
        return counts

    @property
    def _as_of(self) -> str:
        """The load's as-of instant as SQL; the session's time zone is UTC."""
        return f'(SELECT max(as_of)::timestamptz FROM "{self.staging}".{RECEIPT_TABLE})'

    def _swapped_rows(self, table: Table) -> dict[str, int]:
        counts = {}
        for kind, schema in (("removed", self.dataset), ("added", self.staging)):
            self.cursor.execute(f'SELECT count(*) FROM "{schema}"."{table.name}"')
            counts[kind] = self.cursor.fetchall()[0][0]
        return counts

    def _complete_views(self) -> None:
        """Make the views that are missing, and add to the others the columns that they lack.

        PostgreSQL adds columns to a view at its end only; what others built on it stays.
        """
        for table in TABLES:
            there = self._columns(table.view)
            if missing := [name for name in table.stored_columns if name not in there]:
                columns = [*there, *missing]
                self.cursor.execute(view_statement(f'"{self.dataset}"', table, columns))

    def _complete_indexes(self, schema: str) -> None:
        """Build the indexes that are missing, and refresh the statistics."""
        self.cursor.execute("SELECT indexname FROM pg_indexes WHERE schemaname = %s", (schema,))
        there = {name for (name,) in self.cursor.fetchall()}
        for statement in index_statements(f'"{schema}"', there):
            self.cursor.execute(statement)

    def _carry_over(self) -> None:
        """Copy dlt's own tables, and the receipts, to the schema that takes the name."""
        self.cursor.execute(f'DELETE FROM "{self.staging}"._dlt_version')
        self.cursor.execute(
            "SELECT tablename, to_regclass(format('%%I.%%I', %s::text, tablename)) IS NULL"
            " FROM pg_tables WHERE schemaname = %s AND tablename <> ALL (%s)",
            (self.staging, self.dataset, [table.name for table in TABLES]),
        )
        for name, missing in self.cursor.fetchall():
            if missing:
                self.cursor.execute(
                    f'CREATE TABLE "{self.staging}"."{name}"'
                    f' (LIKE "{self.dataset}"."{name}" INCLUDING ALL)'
                )
            self._copy(name, self.dataset, self.staging)

    def _rename(self, load_id: str) -> None:
        retired = f"{self.dataset}_old_{load_id.split('.', maxsplit=1)[0]}"
        self.cursor.execute(f'ALTER SCHEMA "{self.dataset}" RENAME TO "{retired}"')
        self.cursor.execute(f"COMMENT ON SCHEMA \"{retired}\" IS '{RETIRED}'")
        self.cursor.execute(f'ALTER SCHEMA "{self.staging}" RENAME TO "{self.dataset}"')

    def _lock_out_straddlers(self) -> None:
        """Wait, within patience, until no statement is between two of the old tables."""
        tables = ", ".join(f'"{self.dataset}"."{table.name}"' for table in TABLES)
        deadline = time.monotonic() + LOCK_PATIENCE_S
        self.cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        while time.monotonic() < deadline:
            self.cursor.execute("SAVEPOINT before_lock")
            try:
                self.cursor.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
                break
            except LockNotAvailable:
                self.cursor.execute("ROLLBACK TO SAVEPOINT before_lock")
                time.sleep(LOCK_PAUSE_S)
        self.cursor.execute("SET LOCAL lock_timeout = DEFAULT")

    def _copy(self, name: str, source: str, destination: str) -> None:
        columns = ", ".join(f'"{column}"' for column in self._columns(name, source))
        self.cursor.execute(
            f'INSERT INTO "{destination}"."{name}" ({columns})'
            f' SELECT {columns} FROM "{source}"."{name}"'
        )

    def _columns(self, relation: str, schema: str | None = None) -> list[str]:
        self.cursor.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
            (schema or self.dataset, relation),
        )
        return [name for (name,) in self.cursor.fetchall()]
