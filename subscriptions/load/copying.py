"""LOAD: the dlt job that copies one table's rows to its staged twin, as they come.

dlt's own job for an imported file would need all rows written before the first COPY begins, as
CSV, and would copy each file in a transaction of its own. Here the imported file has its header
alone, and the rows are streamed in while they are still being made or read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import psycopg2
from dlt.common.destination.client import RunnableLoadJob
from dlt.common.destination.exceptions import DestinationTerminalException

from subscriptions.load.binary_copy import PIECE_BYTES
from subscriptions.load.tables import TABLES, Table

if TYPE_CHECKING:
    from subscriptions.load.destination import DatasetClient


class CopyJob(RunnableLoadJob):
    """One COPY of a whole table, in one transaction that empties the staged table first.

    So a job that is repeated repeats nothing; and, the table being as good as new to PostgreSQL,
    its rows can be stored frozen: nobody has to visit them again to mark them as committed,
    which on a server with checksums writes every page to the log once more, and a server with
    wal_level=minimal need not log them at all.
    """

    def run(self) -> None:
        """Copy, then hand the table on to be indexed."""
        client = cast("DatasetClient", self._job_client)
        (table,) = (table for table in TABLES if table.name == self.load_table_name)
        try:
            self._copy(client, table)
            client.staging.copied(table)
        except Exception as failure:
            # Once for all: what dlt would try again is better tried by a new load, whole.
            client.staging.rows.stop(failure)
            raise DestinationTerminalException(str(failure)) from failure

    def _copy(self, client: DatasetClient, table: Table) -> None:
        name = client.sql_client.make_qualified_table_name(table.name)
        copied = client.staging.rows.columns(table)
        same = {
            "valid_from": f"'{client.staging.load.as_of} 00:00:00+00'",
            "_dlt_load_id": f"'{self._load_id}'",
        }
        same = {column: value for column, value in same.items() if column not in copied}
        with client.sql_client.begin_transaction():
            cursor = client.sql_client.native_connection.cursor()
            cursor.execute(f"TRUNCATE {name}")
            defaults = (f"ALTER {column} SET DEFAULT {value}" for column, value in same.items())
            cursor.execute(f"ALTER TABLE {name} {', '.join(defaults)}")
            rows = _Rows(client.staging.rows.pieces(table))
            try:
                cursor.copy_expert(
                    f"COPY {name} ({', '.join(copied)}) FROM STDIN (FORMAT binary, FREEZE)",
                    rows,
                    PIECE_BYTES,
                )
            except psycopg2.Error as failure:
                # psycopg2 passes on no more than the text of what stopped the reading.
                raise rows.failure or failure from None
            defaults = (f"ALTER {column} DROP DEFAULT" for column in same)
            cursor.execute(f"ALTER TABLE {name} {', '.join(defaults)}")


class _Rows:
    """What psycopg2 reads as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.failure: Exception | None = None

    def read(self, size: int) -> bytes:
        """The next piece, which is never longer than asked for."""
        try:
            return next(self._pieces, b"")
        except Exception as failure:
            self.failure = failure
            raise
