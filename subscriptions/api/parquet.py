"""SERVE (step 4), API: lines of CSV as a Parquet file, typed like the model's fields."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any, Final

import pyarrow as pa
from django.db.models import (
    BigIntegerField,
    DateField,
    DateTimeField,
    DecimalField,
    FloatField,
    IntegerField,
    JSONField,
    Model,
)
from django.db.models.fields import Field
from pyarrow import csv, parquet

from subscriptions.api.lines import field_of

TEXTS: Final = pa.list_(pa.string())
# The first that fits: some fields inherit from others.
TYPES: Final[Mapping[type[Field[Any, Any]], pa.DataType]] = {
    BigIntegerField: pa.int64(),
    IntegerField: pa.int32(),
    FloatField: pa.float64(),
    DateTimeField: pa.timestamp("us", "UTC"),
    DateField: pa.date32(),
    JSONField: TEXTS,
}
GROUP: Final = 8_000_000  # bytes of CSV, about 100,000 rows


def schema(model: type[Model], columns: Sequence[str]) -> pa.Schema:
    """The columns' Arrow types."""
    return pa.schema([(column, _type(field_of(model, column))) for column in columns])


def _type(field: Field[Any, Any]) -> pa.DataType:
    if isinstance(field, DecimalField):
        return pa.decimal128(field.max_digits, field.decimal_places)
    return next((kind for known, kind in TYPES.items() if isinstance(field, known)), pa.string())


def encode(records: Iterable[bytes], columns: pa.Schema) -> Iterator[bytes]:
    """The file's bytes, in pieces: what is done after each row group, and the footer.

    Args:
        records: CSV without a header, any number in each piece.
        columns: the file's schema, in the records' order.
    """
    sink = Sink()
    with parquet.ParquetWriter(sink, columns, compression="zstd") as writer:
        for group in _groups(records):
            writer.write_table(_table(group, columns))
            yield sink.taken()
    yield sink.taken()


class Sink(BytesIO):
    """A file that is written from its start to its end, and emptied in between."""

    def __init__(self) -> None:
        super().__init__()
        self._passed = 0

    def tell(self) -> int:
        """The position in the whole file, by which its footer finds the row groups."""
        return self._passed + super().tell()

    def taken(self) -> bytes:
        """What has been written since the last time."""
        piece = self.getvalue()
        self._passed += len(piece)
        self.seek(0)
        self.truncate()
        return piece

    def close(self) -> None:
        """Stay readable: the writer closes it before the footer is taken."""


def _groups(records: Iterable[bytes]) -> Iterator[bytes]:
    """The records in pieces of GROUP bytes or a little more."""
    group = bytearray()
    for piece in records:
        group += piece
        if len(group) >= GROUP:
            yield bytes(group)
            group.clear()
    if group:
        yield bytes(group)


def _table(records: bytes, columns: pa.Schema) -> pa.Table:
    """Parse a group; of the columns only lists need more than pyarrow's own reader."""
    lists = [field.name for field in columns if field.type == TEXTS]
    table = csv.read_csv(
        pa.py_buffer(records),
        read_options=csv.ReadOptions(column_names=columns.names, use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types={
                field.name: pa.string() if field.name in lists else field.type for field in columns
            },
            # Unquoted nothing is null and quoted nothing is empty text; no word means either.
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    for name in lists:
        values = [json.loads(value) if value else None for value in table[name].to_pylist()]
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values, TEXTS))
    return table
