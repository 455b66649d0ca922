"""What the generator reckons is what PostgreSQL reckons, value by value and row by row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from subscriptions.extract import Company
from subscriptions.load import checksums, postgres_hash
from subscriptions.load.checksums import BUCKETS, BucketSums, Checksum, Stored
from subscriptions.load.tables import TABLES, Table
from subscriptions.load.target import Target
from subscriptions.tests.load.conftest import Run
from subscriptions.tests.load.trouble import DAY

Query = Callable[..., list[tuple[Any, ...]]]

TEXTS = [
    *("", "a", "abcd", "abcdefgh", "abcdefghijkl", "twelve and some more letters"),
    *("Žofie Ångström", "日本語", None, "a"),
]


@pytest.mark.parametrize("seed", [0, 1, 2**40 + 7])
def test_texts_hash_as_in_postgresql(query: Query, seed: int) -> None:
    theirs = [query("SELECT hashtextextended(%s::text, %s)", text, seed)[0][0] for text in TEXTS]
    ours = postgres_hash.texts(pa.array(TEXTS), seed).view(np.int64).tolist()
    assert ours == [number or 0 for number in theirs]


@pytest.mark.parametrize("seed", [0, 3])
def test_numbers_hash_as_in_postgresql(query: Query, seed: int) -> None:
    integers, floats = [0, 1, -1, 2**31 - 1, None], [0.0, -0.0, 1.25, -3e300, None]
    theirs = [query("SELECT hashint4extended(%s::int, %s)", n, seed)[0][0] or 0 for n in integers]
    ours = postgres_hash.integers(pa.array(integers, pa.int32()), seed).view(np.int64).tolist()
    assert ours == theirs
    theirs = [query("SELECT hashfloat8extended(%s::float8, %s)", n, seed)[0][0] for n in floats]
    assert postgres_hash.floats(pa.array(floats), seed).view(np.int64).tolist() == [
        number or 0 for number in theirs
    ]


def generated(as_of: date) -> dict[str, pa.Table]:
    company = Company(seed=5, users=300, epoch=as_of)
    return {**company.partition(0, as_of), "plan": company.plans(as_of)}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_stored_row_has_the_hash_and_the_bucket_that_it_was_made_with(
    run: Run, query: Query, target: Target, table: Table
) -> None:
    run(users=300, seed=5)
    rows = generated(DAY)[table.name]
    keys = rows.column(table.key).to_pylist()
    made = dict(
        zip(
            keys,
            zip(
                checksums.row_hashes(table, rows).view(np.int64).tolist(),
                checksums.buckets(table, rows).tolist(),
                strict=True,
            ),
            strict=True,
        )
    )
    sql = f"{table.key}, {checksums.row_hash(table)}, {checksums.bucket(table)}"
    there = query(f'SELECT {sql} FROM "{table.name}"')
    assert {key: (hashed, bucket) for key, hashed, bucket in there} == made
    relation = f'{target.dataset}."{table.name}"'
    whole = Stored.of(query(checksums.query(table, relation))[0])
    assert whole == Stored(checksums.checksum(table, rows), 0)
    parts = BucketSums.answered(query(checksums.bucket_query(table, relation)))
    assert parts.whole() == whole.current
    assert parts.differing(BucketSums.of(table, rows)).size == 0


def test_two_rows_that_trade_a_value_sum_up_to_something_else() -> None:
    (user,) = (table for table in TABLES if table.name == "user")
    rows = generated(DAY)["user"]
    emails = rows.column("email").to_pylist()
    emails[:2] = emails[1], emails[0]
    place = rows.schema.get_field_index("email")
    traded = rows.set_column(place, "email", pa.array(emails))
    assert checksums.checksum(user, traded).rows == 300
    assert checksums.checksum(user, traded) != checksums.checksum(user, rows)
    assert checksums.buckets(user, rows).max() < BUCKETS


def test_checksums_add_up_and_wrap() -> None:
    most = Checksum(1, 2**64 - 1)
    assert most + Checksum(2, 2) == Checksum(3, 1)
    assert Checksum(3, 1) - most == Checksum(2, 2)
    assert Checksum(1, 255).digits == "00000000000000ff"
