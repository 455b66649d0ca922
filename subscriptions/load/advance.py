"""LOAD: a later day of the company that is stored: what has changed since is all that is brought.

The last receipt is taken at its word, so that the changes can be made, copied and applied at once.
Meanwhile PostgreSQL sums up what is stored, and nothing is published before it has found that to
be what the receipt says: where somebody has changed a row by hand, everything is compared instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from subscriptions import __version__
from subscriptions.load import checksums, comparison, receipt
from subscriptions.load.checksums import Stored
from subscriptions.load.comparison import Comparison, Connection
from subscriptions.load.errors import LoadError
from subscriptions.load.partitions import PARTITIONED, Changed
from subscriptions.load.receipt import Receipt
from subscriptions.load.request import Load
from subscriptions.load.tables import PLAN, TABLES, Table


def since_last(
    connect: Callable[[], Connection], dataset: str, load: Load
) -> tuple[Comparison, Receipt] | None:
    """What has changed since an earlier day's load of the same company, if that is all there is.

    It is if the tables are what that load's receipt says, which is yet to be confirmed. None under
    dispositions that do not keep rows, and where it is plain that more has to be compared.
    """
    with connect() as connection:
        last = receipt.latest(connection, dataset)
        if last is None or not _goes_on(last, load):
            return None
        if not all(comparison.is_comparable(connection, dataset, t, load) for t in TABLES):
            return None
    noted = {name: Stored.read(stored) for name, stored in last.stored.items()}
    if noted.keys() != {table.name for table in TABLES}:
        return None
    changed = {t.name: Changed(last.as_of, noted[t.name]) for t in PARTITIONED}
    return Comparison({PLAN.name: None, **changed}, {}), last


def _goes_on(last: Receipt, load: Load) -> bool:
    """Whether a load is of a later day of the company that the last one left, and left whole."""
    return (
        (last.version, last.company) == (__version__, load.company)
        and last.as_of < load.as_of
        and all(stored["rows"] == last.rows[name] for name, stored in last.stored.items())
    )


class Confirmation:
    """PostgreSQL at summing up the stored tables, in a session of its own."""

    def __init__(self, session: Connection, dataset: str, noted: Mapping[str, Any]) -> None:
        self._session = session
        self._dataset = dataset
        self._noted = noted
        self._thread = ThreadPoolExecutor(1)
        self._asking: Future[bool] | None = None
        self.refuted = False
        """Whether the tables were found to be other than the receipt says."""

    def begin(self) -> None:
        """Start asking, unless that has begun."""
        self._asking = self._asking or self._thread.submit(self._ask)

    def wait(self) -> None:
        """Return when the tables have been found to be what the receipt says.

        Raises:
            LoadError: they are not.
            psycopg.Error: the session ended.
        """
        self.begin()
        if self._asking and not self._asking.result():
            self.refuted = True
            raise LoadError("The stored rows are not those that the last load left.")

    def stop(self) -> None:
        """Ask no further."""
        with suppress(psycopg.Error):
            self._session.cancel()
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _ask(self) -> bool:
        # One core is the load's own.
        self._session.execute("SET max_parallel_workers_per_gather = 0")
        return all(self._stored(table).noted() == self._noted[table.name] for table in TABLES)

    def _stored(self, table: Table) -> Stored:
        query = checksums.quick_query(table, f'"{self._dataset}"."{table.name}"')
        return Stored.of(self._session.execute(query).fetchone())


@contextmanager
def confirmation(
    connect: Callable[[], Connection], dataset: str, last: Receipt
) -> Iterator[Confirmation]:
    """Within the block, the stored tables are summed up and held against the last receipt."""
    with connect() as session:
        asked = Confirmation(session, dataset, last.stored)
        try:
            yield asked
        finally:
            asked.stop()
