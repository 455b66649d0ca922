"""LOAD: staged rows brought into the stored tables, statement by statement."""

from __future__ import annotations

from dataclasses import dataclass, field

from psycopg2 import extensions

from subscriptions.load import checksums, dispositions
from subscriptions.load.checksums import Stored
from subscriptions.load.progress import Phase
from subscriptions.load.schemas import columns
from subscriptions.load.staging import Staging
from subscriptions.load.structure import index_statements, view_statement
from subscriptions.load.tables import RECEIPT_TABLE, TABLES, Table


@dataclass
class InPlace:
    """Within the transaction of a cursor."""

    cursor: extensions.cursor
    dataset: str
    staged: str
    staging: Staging
    stored: dict[str, Stored] = field(default_factory=dict)
    """What PostgreSQL says of each table afterwards."""

    def perform(self) -> dict[str, dict[str, int]]:
        """Run the dispositions; returns for each table how many rows were added, changed, ..."""
        self._complete_views()
        self.cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE schemaname = %s", [self.dataset]
        )
        indexes = {name for (name,) in self.cursor.fetchall()}
        changes = {}
        for table in TABLES:
            changes[table.name] = self._apply(table)
            *missing, analyze = index_statements(f'"{self.dataset}"', table, indexes)
            for statement in missing:
                self.cursor.execute(statement)
            if any(changes[table.name].values()):
                self.cursor.execute(analyze)
            self.staging.progress.advance(Phase.PUBLISHING, 1)
        return changes

    def _apply(self, table: Table) -> dict[str, int]:
        disposition = self.staging.load.dispositions[table.name]
        statements = dispositions.statements(
            table,
            disposition,
            self._relation(self.dataset, table),
            self._relation(self.staged, table),
            f'(SELECT max(as_of)::timestamptz FROM "{self.staged}".{RECEIPT_TABLE})',
            self._compared(table),
        )
        if table.name in self.staging.unchanged:
            self.stored[table.name] = self.staging.unchanged[table.name]
            return {statement.counts_as: 0 for statement in statements}
        before = self._sums(table).current if disposition == "append" else None
        counts: dict[str, int] = {}
        for statement in statements:
            self.cursor.execute(statement.sql)
            kind = statement.counts_as
            counts[kind] = counts.get(kind, 0) + self.cursor.rowcount
        self.stored[table.name] = self._sums(table)
        after = self.stored[table.name].current
        self.staging.check(table.name, after - before if before else after)
        return counts

    def _compared(self, table: Table) -> str:
        """SQL for the rows of which the staged ones are all there should be."""
        selection = self.staging.selections[table.name]
        if selection is None:
            return "true"
        buckets = ",".join(map(str, selection))
        return f"{checksums.bucket(table, 'stored')} = ANY ('{{{buckets}}}'::bigint[])"

    def _sums(self, table: Table) -> Stored:
        self.cursor.execute(checksums.query(table, self._relation(self.dataset, table)))
        return Stored.of(self.cursor.fetchone())

    def _complete_views(self) -> None:
        """Make the views that are missing, and add to the others the columns that they lack.

        PostgreSQL adds columns to a view at its end only; what others built on it stays.
        """
        for table in TABLES:
            there = columns(self.cursor, self.dataset, table.view)
            if missing := [name for name in table.stored_columns if name not in there]:
                view = view_statement(f'"{self.dataset}"', table, [*there, *missing])
                self.cursor.execute(view)

    @staticmethod
    def _relation(schema: str, table: Table) -> str:
        return f'"{schema}"."{table.name}"'
