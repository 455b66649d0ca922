"""EXTRACT, tables: the columns of the four tables, and arrays turned into Arrow columns."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from subscriptions.extract.randomness import Ints, Mask, Stream, scramble

TABLES = ("plan", "user", "subscription", "usage")

SCHEMAS: dict[str, pa.Schema] = {
    "plan": pa.schema(
        [
            ("plan_id", pa.int32()),
            ("plan_name", pa.string()),
            ("monthly_fee", pa.decimal128(10, 2)),
            ("max_users", pa.string()),
            ("features", pa.string()),
        ]
    ),
    "user": pa.schema(
        [
            ("user_id", pa.string()),
            ("first_name", pa.string()),
            ("last_name", pa.string()),
            ("email", pa.string()),
            ("signup_date", pa.date32()),
            ("plan_id", pa.int32()),
            ("region", pa.string()),
            ("referral_source", pa.string()),
        ]
    ),
    "subscription": pa.schema(
        [
            ("subscription_id", pa.string()),
            ("user_id", pa.string()),
            ("plan_id", pa.int32()),
            ("start_date", pa.date32()),
            ("end_date", pa.date32()),
            ("payment_method", pa.string()),
            ("status", pa.string()),
        ]
    ),
    "usage": pa.schema(
        [
            ("usage_id", pa.string()),
            ("user_id", pa.string()),
            ("plan_id", pa.int32()),
            ("usage_date", pa.date32()),
            ("actions_performed", pa.int32()),
            ("storage_used_mb", pa.float64()),
            ("api_calls", pa.int32()),
            ("active_minutes", pa.int32()),
        ]
    ),
}
"""Columns in the order of the contract. `features` holds a JSON array as text."""

_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)
# The four hexadecimal digits of every 16-bit number, as the four bytes of one 32-bit number.
_QUARTETS = np.ascontiguousarray(
    _DIGITS[(np.arange(1 << 16)[:, np.newaxis] >> np.array([12, 8, 4, 0])) & 15]
).view(np.uint32)[:, 0]


def keys(seed: int, stream: Stream, numbers: Ints) -> pa.Array:
    """8 lower-case hexadecimal characters for each row number in [0, 2^32)."""
    scrambled = scramble(seed, stream, numbers)
    text = np.empty((len(numbers), 2), np.uint32)
    text[:, 0] = _QUARTETS[scrambled >> np.uint32(16)]
    text[:, 1] = _QUARTETS[scrambled & np.uint32(0xFFFF)]
    offsets = np.arange(0, 8 * len(numbers) + 1, 8, dtype=np.int32)
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(offsets), pa.py_buffer(text))


def dates(days: Ints, known: Mask | None = None) -> pa.Array:
    """date32 from day numbers; null where `known` is false."""
    absent = None if known is None else ~known
    return pa.array(days.astype(np.int32), mask=absent).view(pa.date32())


def integers(values: Ints) -> pa.Array:
    """int32, PostgreSQL's integer."""
    return pa.array(values.astype(np.int32))


def words(options: pa.Array, index: npt.NDArray[Any], known: Mask | None = None) -> pa.Array:
    """Text picked from a short list; null where `known` is false."""
    absent = None if known is None else ~known
    return options.take(pa.array(index.astype(np.int32), mask=absent))


def table(name: str, columns: list[pa.Array]) -> pa.Table:
    """A table of the contract from its columns, in the contract's order."""
    return pa.Table.from_arrays(columns, schema=SCHEMAS[name])
