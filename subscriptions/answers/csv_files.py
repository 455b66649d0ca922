"""ANSWERS: a mart that somebody else has reckoned, read from their CSV file."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Final, NamedTuple

from subscriptions.answers.marts import Kind, Mart, Row, Value
from subscriptions.load.errors import LoadError

# What Decimal takes besides (NaN, 1_000, enormous exponents) is no number here.
_NUMBER: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LARGEST: Final = 10**20
# What stands between the columns of files that are meant to be CSV.
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# Sums of binary fractions end in noise; no mart has more decimals than these.
_FINEST: Final = Decimal("0.000001")


def read(path: Path, mart: Mart) -> list[Row]:
    """The file's rows, with the mart's columns in the mart's order.

    An empty cell is null, and what a number has beyond 6 decimals is rounded off.

    Raises:
        LoadError: it cannot be read, or is no such mart; the message says where.
    """
    header, *lines = _lines(path)
    _refuse_other_columns(path, header.cells, mart)
    return [_row(path, header.cells, line, mart) for line in lines]


class _Line(NamedTuple):
    number: int
    cells: list[str]


def _lines(path: Path) -> list[_Line]:
    """The file's lines that are not empty: at least the first."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as failure:
        raise LoadError(f"{path} cannot be read: {failure.strerror}.") from failure
    except UnicodeDecodeError as failure:
        line = 1 + failure.object.count(b"\n", 0, failure.start)
        byte = failure.object[failure.start]
        raise LoadError(
            f"{path} is not UTF-8 (line {line} has the byte {byte:#04x}): save it as UTF-8."
        ) from failure
    header = text.lstrip().partition("\n")[0]
    for separator, name in _SEPARATORS.items():
        if separator in header and "," not in header:
            raise LoadError(
                f"{path} has {name} between its columns: save it with commas there, and with "
                "points in its numbers."
            )
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [_Line(reader.line_num, cells) for cells in reader if cells]
    except csv.Error as failure:
        raise LoadError(f"{path}, line {reader.line_num}, is no CSV: {failure}.") from failure
    if not lines:
        raise LoadError(f"{path} is empty: its first line has to name the columns.")
    return lines


def _refuse_other_columns(path: Path, header: Sequence[str], mart: Mart) -> None:
    """Refuse a file that has not exactly the mart's columns, in whatever order.

    Raises:
        LoadError: some are missing, are too much or come twice.
    """
    faults = [
        f"{fault} {', '.join(columns)}"
        for fault, columns in (
            ("lacks", [column for column in mart.columns if column not in header]),
            ("has besides", [repr(name) for name in header if name not in mart.columns]),
            ("has twice", [name for name, times in Counter(header).items() if times > 1]),
        )
        if columns
    ]
    if faults:
        raise LoadError(
            f"{path} {' and '.join(faults)}: the columns of {mart.name}, in any order and with "
            f"commas between, are {', '.join(mart.columns)}."
        )


def _row(path: Path, header: Sequence[str], line: _Line, mart: Mart) -> Row:
    if len(line.cells) != len(header):
        raise LoadError(
            f"{path}, line {line.number}, has {len(line.cells)} cells instead of {len(header)}."
        )
    texts = dict(zip(header, line.cells, strict=True))
    row: Row = {}
    for column, kind in mart.columns.items():
        try:
            row[column] = _value(kind, texts[column])
        except ValueError as wrong:
            raise LoadError(
                f"{path}, line {line.number}: {column} must be {kind.value}, not "
                f"{texts[column][:40]!r}."
            ) from wrong
        if column in mart.key and row[column] is None:
            raise LoadError(
                f"{path}, line {line.number}: {column} is empty, but tells the rows apart."
            )
    return row


def _value(kind: Kind, text: str) -> Value:
    """What a cell says.

    Raises:
        ValueError: it is nothing of that kind.
    """
    if text == "":
        return None
    if kind is Kind.TEXT:
        return text
    if kind is Kind.DATE:
        if not _DATE.fullmatch(text):
            raise ValueError(text)
        return date.fromisoformat(text)
    if not _NUMBER.fullmatch(text) or abs(number := Decimal(text)) >= _LARGEST:
        raise ValueError(text)
    rounded = number.quantize(_FINEST, ROUND_HALF_UP)
    return number if number == rounded else rounded
