"""LOAD: the staged tables take the place of the stored ones: two schemas change names."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from psycopg2 import extensions
from psycopg2.errors import LockNotAvailable

from subscriptions.load.leftovers import LOCK_TIMEOUT, RETIRED
from subscriptions.load.schemas import copy_rows
from subscriptions.load.tables import TABLES

# A swap asks for the old tables in short attempts, because while one waits every new reader
# waits behind it. When they stay in use, it goes on without them: a rename needs no lock, and
# all that the lock prevents is a statement that looks up one table before and one after it.
LOCK_PAUSE_S: Final = 0.5
LOCK_PATIENCE_S: Final = 5


@dataclass
class Swap:
    """Within the transaction of a cursor."""

    cursor: extensions.cursor
    dataset: str
    staged: str

    def lock_out_straddlers(self) -> None:
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

    def perform(self, load_id: str) -> None:
        """Carry over what is not staged, and change the names."""
        self._carry_over()
        retired = f"{self.dataset}_old_{load_id.split('.', maxsplit=1)[0]}"
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
