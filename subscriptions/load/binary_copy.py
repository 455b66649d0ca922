"""LOAD: rows as PostgreSQL's binary COPY takes them.

The server takes them in two thirds of the time that CSV costs it, and they are quicker to write,
too. The format is chapter "COPY", section "Binary Format", of its manual: a header, then for each
row the number of fields, and for each field its length (-1 for null) and its bytes in network
order, and a trailer.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"
PIECE_BYTES: Final = 1 << 18
"""How much of a COPY is passed on at a time, at most."""
_NULL: Final = pa.scalar(b"\xff\xff\xff\xff", pa.binary())
_NOTHING: Final = pa.scalar(b"", pa.binary())
_FIRST_DAY: Final = (date(2000, 1, 1) - date(1970, 1, 1)).days
ROWS_AT_ONCE: Final = 1 << 14
"""Few enough to stay in the processor's cache while their pieces are put together."""


def body(rows: pa.Table) -> Iterator[memoryview]:
    """The rows, without header and trailer, some at a time."""
    for batch in rows.to_batches(max_chunksize=ROWS_AT_ONCE):
        count = batch.num_columns.to_bytes(2, "big")
        pieces = [pa.scalar(count, pa.binary())]
        for column in batch.columns:
            pieces += _field(column)
        joined = pc.binary_join_element_wise(*pieces, _NOTHING)
        _, offsets, data = joined.buffers()
        ends = np.frombuffer(offsets, np.int32, len(joined) + 1, 4 * joined.offset)
        yield memoryview(data)[ends[0] : ends[-1]]


def jsonb(values: pa.Array) -> pa.Array:
    """JSON texts as PostgreSQL's jsonb: the version of the format, 1, and the text."""
    return pa.array([b"\x01" + text.encode() for text in values.to_pylist()], pa.binary())


def _field(values: pa.Array) -> list[pa.Array]:
    """Each value's length and bytes, as one or two pieces."""
    kind = values.type
    if pa.types.is_string(kind):
        return _texts(values)
    if pa.types.is_decimal(kind):
        return _texts(_numerics(values))
    if pa.types.is_binary(kind):
        return _texts(values)
    if pa.types.is_date(kind):
        days = values.view(pa.int32()).fill_null(0).to_numpy() - _FIRST_DAY
        return [_fixed(days, ">i4", values)]
    form = ">f8" if pa.types.is_floating(kind) else ">i4"
    return [_fixed(values.fill_null(0).to_numpy(), form, values)]


def _texts(values: pa.Array) -> list[pa.Array]:
    lengths = pc.binary_length(values).fill_null(-1).to_numpy()
    return [_pieces(lengths.astype(">i4")), pc.fill_null(values.cast(pa.binary()), b"")]


def _fixed(numbers: npt.NDArray[Any], form: str, values: pa.Array) -> pa.Array:
    record = np.empty(len(numbers), [("length", ">i4"), ("value", form)])
    record["length"] = np.dtype(form).itemsize
    record["value"] = numbers
    pieces = _pieces(record)
    return pc.if_else(values.is_valid(), pieces, _NULL) if values.null_count else pieces


def _pieces(records: npt.NDArray[Any]) -> pa.Array:
    """Records of equal size as Arrow's binary values."""
    kind = pa.binary(records.itemsize)
    fixed = pa.Array.from_buffers(kind, len(records), [None, pa.py_buffer(records)])
    return fixed.cast(pa.binary())


def _numerics(values: pa.Array) -> pa.Array:
    """PostgreSQL's numeric, of prices: digits to the base of 10,000, two of them after the point.

    Number of digits, weight of the first, sign, and decimals to show; then the digits.
    """
    return pa.array([_numeric(value) for value in values.to_pylist()], pa.binary())


def _numeric(value: Decimal) -> bytes:
    hundredths = int(value * 100)
    whole, fraction = divmod(hundredths, 100)
    digits = [whole // 10_000, whole % 10_000, fraction * 100]
    return np.array([len(digits), 1, 0, 2, *digits], ">i2").tobytes()
