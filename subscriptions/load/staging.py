"""LOAD: one load's staged tables: where their rows come from, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from subscriptions.load.advance import Confirmation
from subscriptions.load.checksums import Checksum, Stored
from subscriptions.load.errors import LoadError
from subscriptions.load.finishing import Finisher
from subscriptions.load.partitions import Selection
from subscriptions.load.progress import SILENT, Phase, Progress
from subscriptions.load.request import Load
from subscriptions.load.rows import Rows
from subscriptions.load.tables import Table


@dataclass
class Staging:
    """What dlt's jobs and the publication have to know of the load that they are part of."""

    load: Load
    rows: Rows
    selections: Mapping[str, Selection]
    """By table the buckets whose rows are staged, because they differ from what is stored."""
    unchanged: Mapping[str, Stored]
    """What is stored of the tables of which nothing is staged."""
    finisher: Finisher | None
    """Makes the staged tables ready to take the place of the stored ones, where they shall."""
    lock_holder: int | None
    """The server's process that holds the load's lock, if there is one to be confirmed."""
    progress: Progress = SILENT
    confirmed: Confirmation | None = None
    """Of what is stored, if the load counts on its being what the last receipt says."""

    @property
    def swap(self) -> bool:
        """Whether the staged tables shall take the place of the stored ones."""
        return self.finisher is not None

    def copied(self, table: Table) -> None:
        """Take note that the table is staged."""
        if self.finisher:
            self.finisher.add(table, self.rows.checksums[table.name].rows)

    def finished(self) -> None:
        """Wait until the staged tables are as they shall be served.

        Raises:
            LoadError: PostgreSQL has not stored what it was sent.
        """
        if self.finisher:
            self.progress.begin(Phase.INDEXING, self.finisher.added)
            self.finisher.wait()
            for name, stored in self.finisher.stored.items():
                self.check(name, stored.current)

    def confirm(self) -> None:
        """Wait until it is known that what is stored is what this load counts on.

        Raises:
            LoadError: it is not.
        """
        if self.confirmed:
            self.confirmed.wait()

    def check(self, name: str, stored: Checksum) -> None:
        """Compare what PostgreSQL says of the load's rows with what it was sent.

        Raises:
            LoadError: they differ.
        """
        made = self.rows.checksums[name]
        if stored != made:
            raise LoadError(
                f"{name}: {stored.rows:,} rows with checksum {stored.digits} are stored, but "
                f"{made.rows:,} with {made.digits} were sent; nothing was published: run "
                "this again, and report it if that does not help."
            )
