"""ANSWERS: a mart's rows, wherever they come from, held against those of the answer key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from subscriptions.answers.marts import Mart, Row, Value

Key = tuple[Value, ...]


@dataclass(frozen=True)
class Difference:
    """One cell that is not as it has to be, or one row that is not there, or should not be."""

    mart: Mart
    key: Key

    @property
    def place(self) -> str:
        """The row, by its key."""
        named = zip(self.mart.key, self.key, strict=True)
        return ", ".join(f"{name} {shown(value)}" for name, value in named)

    @property
    def sentence(self) -> str:
        """What is wrong there."""
        raise NotImplementedError


@dataclass(frozen=True)
class Missing(Difference):
    """A row that the answer key has."""

    @property
    def sentence(self) -> str:
        """That it is missing."""
        return "this row is missing"


@dataclass(frozen=True)
class Extra(Difference):
    """A row that the answer key has not."""

    @property
    def sentence(self) -> str:
        """That it is too much."""
        return "there should be no such row"


@dataclass(frozen=True)
class Repeated(Difference):
    """A row that is there more than once; its cells are not compared."""

    times: int

    @property
    def sentence(self) -> str:
        """How often it is there."""
        return f"this row is there {self.times} times"


@dataclass(frozen=True)
class Cell(Difference):
    """A value other than that of the answer key."""

    column: str
    found: Value
    right: Value

    @property
    def off_by(self) -> str | None:
        """How much too large it is, negative if too small; None where that means nothing."""
        if type(self.found) is date and type(self.right) is date:  # no moment
            return f"{(self.found - self.right).days:+} days"
        if isinstance(self.found, Decimal | int) and isinstance(self.right, Decimal | int):
            return f"{self.found - self.right:+}"
        return None

    @property
    def sentence(self) -> str:
        """Both values, and how far they are apart."""
        off = f", off by {self.off_by}" if self.off_by else ""
        return f"{self.column} is {shown(self.found)} instead of {shown(self.right)}{off}"


def compare(mart: Mart, found: Iterable[Row], right: Sequence[Row]) -> list[Difference]:
    """Every difference, by key; numbers compare as numbers, whatever their decimals."""
    there: dict[Key, list[Row]] = {}
    for row in found:
        there.setdefault(_key(mart, row), []).append(row)
    differences: list[Difference] = []
    for row in right:
        key = _key(mart, row)
        same = there.pop(key, [])
        if not same:
            differences.append(Missing(mart, key))
        elif len(same) > 1:
            differences.append(Repeated(mart, key, len(same)))
        else:
            differences += [
                Cell(mart, key, column, same[0][column], row[column])
                for column in mart.columns
                if same[0][column] != row[column]
            ]
    differences += [Extra(mart, key) for key in there]
    return sorted(differences, key=lambda difference: _in_order(difference.key))


def shown(value: Value) -> str:
    """A value as people read it."""
    if value is None:
        return "null"
    return repr(value) if isinstance(value, str) else str(value)


def _key(mart: Mart, row: Row) -> Key:
    return tuple(row[column] for column in mart.key)


def _in_order(key: Key) -> list[tuple[str, Value]]:
    """What sorts keys of which some part may be null, or of another type."""
    return [
        ("number" if isinstance(value, Decimal | int) else type(value).__name__, value)
        for value in key
    ]
