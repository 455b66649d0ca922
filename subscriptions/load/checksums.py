"""LOAD: one number for all rows of a table, which PostgreSQL and the generator both reckon.

A row's hash is the exclusive or of the hashes of its business columns, each with its place as the
seed; a table's checksum is the sum of its rows' hashes modulo 2^64, so neither order nor storage
matters. PostgreSQL takes about 0.4 microseconds a row, and nothing but functions that it has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from subscriptions.extract import SCHEMAS
from subscriptions.load import postgres_hash
from subscriptions.load.postgres_hash import Hashes
from subscriptions.load.tables import VERSION_COLUMNS, Table

BUCKETS: Final = 4096
"""Parts of a table, by key, that are compared one by one when its checksum is not as it should."""
_MODULUS: Final = 1 << 64
_OFTEN_NULL: Final = {"end_date", "payment_method"}


@dataclass(frozen=True)
class Checksum:
    """How many rows, and the sum of their hashes."""

    rows: int = 0
    total: int = 0

    def __add__(self, other: Checksum) -> Checksum:
        return Checksum(self.rows + other.rows, (self.total + other.total) % _MODULUS)

    def __sub__(self, other: Checksum) -> Checksum:
        return Checksum(self.rows - other.rows, (self.total - other.total) % _MODULUS)

    @property
    def digits(self) -> str:
        """The sum as 16 hexadecimal digits."""
        return f"{self.total:016x}"


NO_ROWS: Final = Checksum()


@dataclass(frozen=True)
class Stored:
    """What PostgreSQL says of a stored table: its current rows, and how many closed versions."""

    current: Checksum
    closed: int

    @classmethod
    def of(cls, answer: tuple[int, Any, int] | None) -> Stored:
        """From the one row that `query` answers; the sum is null where there is no row."""
        rows, total, closed = answer or (0, None, 0)
        return cls(Checksum(rows, int(total or 0) % _MODULUS), closed)

    def __add__(self, other: Stored) -> Stored:
        return Stored(self.current + other.current, self.closed + other.closed)

    def __sub__(self, other: Stored) -> Stored:
        return Stored(self.current - other.current, self.closed - other.closed)

    def noted(self) -> dict[str, int | str]:
        """As the receipt keeps it."""
        return {"rows": self.current.rows, "checksum": self.current.digits, "closed": self.closed}

    @classmethod
    def read(cls, noted: Mapping[str, Any]) -> Stored:
        """From what the receipt keeps."""
        return cls(Checksum(noted["rows"], int(noted["checksum"], 16)), noted["closed"])


@dataclass(frozen=True)
class Versions:
    """What PostgreSQL says of a stored table with its history."""

    stored: Stored
    every: Checksum
    """Of all versions, with the dates of their validity."""

    @classmethod
    def of(cls, answer: tuple[int, Any, int, Any] | None) -> Versions:
        """From the one row that `versions_query` answers."""
        rows, total, closed, every = answer or (0, None, 0, None)
        count = Checksum(rows + closed, int(every or 0) % _MODULUS)
        return cls(Stored.of((rows, total, closed)), count)


NOTHING: Final = Stored(NO_ROWS, 0)


def query(table: Table, relation: str, *more: str) -> str:
    """SQL for what `Stored` holds of a (quoted) relation, and for more that is added."""
    wanted = (
        "count(*) - count(valid_to)",
        f"sum({row_hash(table)}) FILTER (WHERE valid_to IS NULL)",
        "count(valid_to)",
        *more,
    )
    return f"SELECT {', '.join(wanted)} FROM {relation}"


def versions_query(table: Table, relation: str) -> str:
    """SQL for what `Versions` holds of a (quoted) relation."""
    return query(table, relation, f"sum({version_hash(table)})")


def bucket_query(table: Table, relation: str) -> str:
    """SQL for bucket, row count and checksum, for each bucket that has current rows."""
    return (
        f"SELECT {bucket(table)}, count(*), sum({row_hash(table)}) FROM {relation}"
        " WHERE valid_to IS NULL GROUP BY 1"
    )


def row_hash(table: Table) -> str:
    """SQL for the hash of a row, a signed bigint."""
    return " # ".join(f"coalesce({hashed}, 0)" for _, hashed in _column_hash(table))


def quick_query(table: Table, relation: str) -> str:
    """As `query`, in a fifth less time, to be held against a sum of rows that a company has.

    A row without a value that it should have counts for nothing, so the sum is another one.
    """
    hashed = " # ".join(
        f"coalesce({hashed}, 0)" if name in _OFTEN_NULL else hashed
        for name, hashed in _column_hash(table)
    )
    return query(table, relation).replace(row_hash(table), hashed)


def _column_hash(table: Table) -> Iterator[tuple[str, str]]:
    """Each business column, and SQL for the hash of its value, which may be null."""
    for seed, name in enumerate(table.columns, 1):
        yield name, _KINDS[_kind(table, name)].sql.format(column=name, seed=seed)


def version_hash(table: Table) -> str:
    """SQL for the hash of a row and of the instants from and to which it is valid."""
    instants = (
        f"coalesce(timestamp_hash_extended({column} AT TIME ZONE 'UTC', {seed}), 0)"
        for seed, column in enumerate(VERSION_COLUMNS, len(table.columns) + 1)
    )
    return " # ".join([row_hash(table), *instants])


def bucket(table: Table, row: str = "") -> str:
    """SQL for the bucket of a row, by its key; `row` is its relation's alias, if it needs one."""
    key = f"{row}.{table.key}" if row else table.key
    hashed = _KINDS[_kind(table, table.key)].sql.format(column=key, seed=1)
    return f"({hashed} & {BUCKETS - 1})"


def row_hashes(table: Table, rows: pa.Table) -> Hashes:
    """The hashes of rows that the generator made."""
    hashes = np.zeros(rows.num_rows, np.uint64)
    for seed, name in enumerate(table.columns, 1):
        hashes ^= _column_hashes(table, rows, name, seed)
    return hashes


def buckets(table: Table, rows: pa.Table) -> npt.NDArray[np.int64]:
    """The buckets of rows that the generator made."""
    hashes = _column_hashes(table, rows, table.key, 1)
    return (hashes & np.uint64(BUCKETS - 1)).astype(np.int64)


def checksum(table: Table, rows: pa.Table) -> Checksum:
    """The checksum of rows that the generator made."""
    return Checksum(rows.num_rows, int(row_hashes(table, rows).sum(dtype=np.uint64)))


@dataclass(frozen=True)
class BucketSums:
    """The row count and the sum of the hashes of each bucket of a table."""

    rows: npt.NDArray[np.int64]
    totals: Hashes

    @classmethod
    def none(cls) -> BucketSums:
        """Of a table without a row."""
        return cls(np.zeros(BUCKETS, np.int64), np.zeros(BUCKETS, np.uint64))

    @classmethod
    def of(cls, table: Table, rows: pa.Table) -> BucketSums:
        """Of rows that the generator made."""
        sums = cls.none()
        places = buckets(table, rows)
        np.add.at(sums.rows, places, 1)
        np.add.at(sums.totals, places, row_hashes(table, rows))
        return sums

    @classmethod
    def answered(cls, answers: Iterable[tuple[int, int, Any]]) -> BucketSums:
        """From the rows that `bucket_query` answers."""
        sums = cls.none()
        for place, rows, total in answers:
            sums.rows[place], sums.totals[place] = rows, int(total) % _MODULUS
        return sums

    def __add__(self, other: BucketSums) -> BucketSums:
        return BucketSums(self.rows + other.rows, self.totals + other.totals)

    def differing(self, other: BucketSums) -> npt.NDArray[np.int64]:
        """The buckets that are not the same in both."""
        return np.flatnonzero((self.rows != other.rows) | (self.totals != other.totals))

    def whole(self) -> Checksum:
        """The table's checksum."""
        return Checksum(int(self.rows.sum()), int(self.totals.sum(dtype=np.uint64)))


@dataclass(frozen=True)
class _Kind:
    """How values of a kind are hashed, by PostgreSQL and here."""

    sql: str
    here: Callable[[pa.Array, int], Hashes]


def _dates(values: pa.Array, seed: int) -> Hashes:
    return postgres_hash.integers(values.view(pa.int32()), seed)


def _numerics(values: pa.Array, seed: int) -> Hashes:
    return postgres_hash.texts(values.cast(pa.string()), seed)


def _json(values: pa.Array, seed: int) -> Hashes:
    """As jsonb prints it; arrays of text only."""
    texts = [json.dumps(json.loads(text), ensure_ascii=False) for text in values.to_pylist()]
    return postgres_hash.texts(pa.array(texts, pa.string()), seed)


_KINDS: Final = {
    "text": _Kind("hashtextextended({column}, {seed})", postgres_hash.texts),
    "integer": _Kind("hashint4extended({column}, {seed})", postgres_hash.integers),
    "double": _Kind("hashfloat8extended({column}, {seed})", postgres_hash.floats),
    "date": _Kind("hashint4extended({column} - date '1970-01-01', {seed})", _dates),
    "decimal": _Kind("hashtextextended({column}::text, {seed})", _numerics),
    "json": _Kind("hashtextextended({column}::text, {seed})", _json),
}


def _column_hashes(table: Table, rows: pa.Table, name: str, seed: int) -> Hashes:
    values = rows.column(name).combine_chunks()
    if isinstance(values, pa.ChunkedArray):
        values = values.chunk(0) if values.num_chunks else pa.array([], values.type)
    return _KINDS[_kind(table, name)].here(values, seed)


def _kind(table: Table, name: str) -> str:
    kind = SCHEMAS[table.name].field(name).type
    if name == "features":
        return "json"
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_date(kind):
        return "date"
    if pa.types.is_floating(kind):
        return "double"
    return "decimal" if pa.types.is_decimal(kind) else "text"
