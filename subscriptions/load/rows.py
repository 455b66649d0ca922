"""LOAD: what a load needs of the rows that it brings, wherever they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from subscriptions.load.checksums import BucketSums, Checksum
from subscriptions.load.partitions import Selection
from subscriptions.load.tables import Table


class Rows(Protocol):
    """The rows of one load: made by the generator, or read from another database.

    `begin` comes before `pieces`, whose streams, one for each table, are read at the same time.
    """

    folder: Path
    """Where temporary files may lie as long as this lasts."""
    checksums: dict[str, Checksum]
    """By table, what its current rows sum up to: known when `sums` or the streams have ended."""
    noted: Mapping[str, Any]
    """Columns of the receipt that say something else of these rows than the load itself does."""

    def sums(self) -> Mapping[str, BucketSums]:
        """By table, what its current rows sum up to, bucket by bucket; fills `checksums`."""

    def begin(self, selections: Mapping[str, Selection]) -> None:
        """Choose the rows to be streamed."""

    def columns(self, table: Table) -> tuple[str, ...]:
        """The columns that a table's stream has; the others are the same in all rows of a load."""

    def pieces(self, table: Table) -> Iterator[bytes]:
        """The table's chosen rows as PostgreSQL's binary COPY, at most `PIECE_BYTES` at a time.

        Raises:
            Exception: what stopped another table's COPY, so that this one shall end as well.
        """

    def counts(self) -> Mapping[str, int]:
        """By table, how many rows the company has."""

    def only_adds(self, table: Table) -> bool:
        """Whether all streamed rows are new, if what is stored is what it is thought to be."""

    def stop(self, failure: Exception | None = None) -> None:
        """Let every stream end with an error: the first that anybody gave."""
