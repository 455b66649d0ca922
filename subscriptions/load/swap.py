"""LOAD: the staged tables take the place of the stored ones: two schemas change names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from psycopg2 import extensions

from subscriptions.load import patience
from subscriptions.load.leftovers import RETIRED
from subscriptions.load.schemas import copy_rows
from subscriptions.load.tables import RECEIPT_TABLE, TABLES

# When the old tables stay in use for so long, a swap goes on without the lock: a rename needs none,
# and all that the lock prevents is a statement that looks up one table before and one after it.
LOCK_PATIENCE_S: Final = 5


@dataclass
class Swap:
    """Within the transaction of a cursor."""

    cursor: extensions.cursor
    dataset: str
    staged: str

    def lock_out_straddlers(self) -> None:
        """Wait, within patience, until no statement is between two of the old tables.

        Or between two views, whose tables a statement locks only when it has looked up them all.
        """
        names = [name for table in TABLES for name in (table.name, table.view)]
        self.cursor.execute(
            "SELECT string_agg(oid::regclass::text, ', ' ORDER BY relname) FROM pg_class"
            " WHERE relnamespace = %s::regnamespace AND relname = ANY (%s)",
            (f'"{self.dataset}"', [*names, RECEIPT_TABLE]),
        )
        ((relations,),) = self.cursor.fetchall()
        lock = f"LOCK TABLE {relations} IN ACCESS EXCLUSIVE MODE"
        patience.try_for(self.cursor, lock, LOCK_PATIENCE_S)

    def let_in(self) -> None:
        """Give back what `lock_out_straddlers` has locked."""
        patience.give_back(self.cursor)

    def perform(self) -> None:
        """Carry over what is not staged, and change the names."""
        self._carry_over()
        # No other schema has its number, however many are still in use, and it fits into a name.
        self.cursor.execute("SELECT %s::regnamespace::oid::bigint", (f'"{self.dataset}"',))
        ((number,),) = self.cursor.fetchall()
        retired = f"{self.dataset}_old_{number}"
        self.cursor.execute(f'ALTER SCHEMA "{self.dataset}" RENAME TO "{retired}"')
        self.cursor.execute(f"COMMENT ON SCHEMA \"{retired}\" IS '{RETIRED}'")
        self.cursor.execute(f'ALTER SCHEMA "{self.staged}" RENAME TO "{self.dataset}"')

    def _carry_over(self) -> None:
        """Copy dlt's own tables, and the receipts, to the schema that takes the name."""
        self.cursor.execute(f'DELETE FROM "{self.staged}"._dlt_version')
        self.cursor.execute(
            "SELECT tablename, to_regclass(format('%%I.%%I', %s::text, tablename)) IS NULL"
            " FROM pg_tables WHERE schemaname = %s AND tablename <> ALL (%s)",
            (self.staged, self.dataset, [table.name for table in TABLES]),
        )
        for name, missing in self.cursor.fetchall():
            if missing:
                self.cursor.execute(
                    f'CREATE TABLE "{self.staged}"."{name}"'
                    f' (LIKE "{self.dataset}"."{name}" INCLUDING ALL)'
                )
            copy_rows(self.cursor, name, self.dataset, self.staged)
