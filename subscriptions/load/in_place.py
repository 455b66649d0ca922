"""LOAD: staged rows brought into the stored tables, statement by statement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from psycopg2 import IntegrityError, extensions

from subscriptions.load import checksums, dispositions, patience
from subscriptions.load.checksums import NOTHING, Stored
from subscriptions.load.dispositions import There
from subscriptions.load.errors import LoadError
from subscriptions.load.partitions import Changed
from subscriptions.load.progress import Phase
from subscriptions.load.schemas import columns
from subscriptions.load.staging import Staging
from subscriptions.load.structure import index_statements, view_statement
from subscriptions.load.tables import RECEIPT_TABLE, TABLES, Table

# The share of rows whose change asks for new statistics, as autovacuum_analyze_scale_factor has it.
ANALYZE_ONE_IN: Final = 10


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
        self.cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE schemaname = %s", [self.dataset]
        )
        indexes = {name for (name,) in self.cursor.fetchall()}
        changes = {}
        for table in TABLES:
            try:
                changes[table.name] = self._apply(table)
            except (LoadError, IntegrityError):
                # It may be that what is stored is not what it was thought to be.
                self.staging.confirm()
                raise
            *missing, analyze = index_statements(f'"{self.dataset}"', table, indexes)
            for statement in missing:
                self.cursor.execute(statement)
            touched = sum(changes[table.name].values())
            if touched * ANALYZE_ONE_IN > self.stored[table.name].current.rows:
                self.cursor.execute(analyze)
            self.staging.progress.advance(Phase.PUBLISHING, 1)
        self.staging.confirm()
        # Last, for from here to the commit readers wait for the views.
        self._complete_views()
        return changes

    def _apply(self, table: Table) -> dict[str, int]:
        disposition = self.staging.load.dispositions[table.name]
        counts = dict.fromkeys(dispositions.kinds(disposition), 0)
        if table.name in self.staging.unchanged:
            self.stored[table.name] = self.staging.unchanged[table.name]
            return counts
        staged = self._relation(self.staged, table)
        as_of = f'(SELECT max(as_of)::timestamptz FROM "{self.staged}".{RECEIPT_TABLE})'
        selection = self.staging.selections[table.name]
        before, rest, some, there = NOTHING, NOTHING, "", There.ANY
        if isinstance(selection, Changed):
            # The whole is summed up already: only the keys that are staged have to be again.
            some = f"WHERE {table.key} IN (SELECT {table.key} FROM {staged})"
            touched, there = self._touched(table, some, as_of)
            rest = selection.stored - touched
            if there is There.NONE:
                # All are added, so they are also found by their ids, which lie side by side.
                some = f"WHERE _dlt_id IN (SELECT _dlt_id FROM {staged})"
        elif disposition == "append":
            before = self._sums(table)
        for statement in dispositions.statements(
            table,
            disposition,
            self._relation(self.dataset, table),
            staged,
            as_of,
            self._compared(table),
            there,
        ):
            self.cursor.execute(statement.sql)
            counts[statement.counts_as] += self.cursor.rowcount
        after = rest + self._sums(table, some)
        self.stored[table.name] = after
        self.staging.check(table.name, (after - before).current)
        return counts

    def _touched(self, table: Table, some: str, as_of: str) -> tuple[Stored, There]:
        """What is stored of the keys that are staged."""
        if self.staging.rows.only_adds(table):
            return NOTHING, There.NONE  # for what the load counts on is yet to be confirmed
        late = f"count(*) FILTER (WHERE valid_from >= {as_of} OR valid_to >= {as_of})"
        query = checksums.query(table, self._relation(self.dataset, table), late)
        self.cursor.execute(f"{query} {some}")
        *sums, of_the_day = self.cursor.fetchone() or (0, None, 0, 0)
        touched = Stored.of((sums[0], sums[1], sums[2]))
        if touched == NOTHING:
            return touched, There.NONE
        return touched, There.ANY if of_the_day else There.EARLIER

    def _compared(self, table: Table) -> str:
        """SQL for the rows of which the staged ones are all there should be."""
        selection = self.staging.selections[table.name]
        if selection is None:
            return "true"
        if isinstance(selection, Changed):
            return "false"  # a row that is not staged has not changed
        buckets = ",".join(map(str, selection))
        return f"{checksums.bucket(table, 'stored')} = ANY ('{{{buckets}}}'::bigint[])"

    def _sums(self, table: Table, where: str = "") -> Stored:
        query = checksums.query(table, self._relation(self.dataset, table))
        self.cursor.execute(f"{query} {where}")
        return Stored.of(self.cursor.fetchone())

    def _complete_views(self) -> None:
        """Make the views that are missing, and add to the others the columns that they lack.

        PostgreSQL adds columns to a view at its end only; what others built on it stays.
        """
        for table in TABLES:
            there = columns(self.cursor, self.dataset, table.view)
            if missing := [name for name in table.stored_columns if name not in there]:
                view = view_statement(f'"{self.dataset}"', table, [*there, *missing])
                relation = f'"{self.dataset}"."{table.view}"'
                patience.insist(self.cursor, view, [relation] if there else [])

    @staticmethod
    def _relation(schema: str, table: Table) -> str:
        return f'"{schema}"."{table.name}"'
