"""ANSWERS from a shell: marts and differences, written for people, spreadsheets and scripts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from subscriptions.answers.comparison import Difference
from subscriptions.answers.marts import MARTS, Mart, Row, Value
from subscriptions.load.errors import LoadError
from subscriptions.load.receipt import Receipt

FIRST_ROWS: Final = 5
"""Of each mart, as many as people are shown unless they ask for all."""
FIRST_DIFFERENCES: Final = 20


def chosen(name: str | None) -> list[Mart]:
    """The mart of that name; all of them where none is named.

    Raises:
        LoadError: there is none of that name.
    """
    if name is None:
        return list(MARTS.values())
    if name not in MARTS:
        raise LoadError(f"There is no mart {name!r}: use one of {', '.join(MARTS)}.")
    return [MARTS[name]]


def company(last: Receipt, as_of: date) -> str:
    """Whose marts they are, and as of when."""
    return (
        f"the company of seed {last.seed}, {last.users:,} users at its epoch {last.epoch}, "
        f"as of {as_of}"
    )


def table(mart: Mart, rows: Sequence[Row], most: int | None) -> Iterator[str]:
    """The first rows in columns, under a line with the mart's name, and how many more there are."""
    shown = rows[:most]
    cells = [list(mart.columns), *([_cell(value) for value in row.values()] for row in shown)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numbers = [kind.is_number for kind in mart.columns.values()]
    yield f"{mart.name}: {len(rows):,} rows" if rows else f"{mart.name}: no rows"
    for line in cells:
        aligned = (
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, numbers, strict=True)
        )
        yield f"  {'  '.join(aligned)}".rstrip()
    if more := len(rows) - len(shown):
        yield f"  ... {more:,} more"
    yield ""


def as_csv(mart: Mart, rows: Sequence[Row]) -> str:
    """The mart as CSV with its columns in the first line; null is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(mart.columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_objects(rows: Sequence[Row]) -> list[dict[str, object]]:
    """The mart for scripts: numbers are numbers, dates are ISO."""
    return [{column: _scripted(value) for column, value in row.items()} for row in rows]


def counted(differences: int) -> str:
    """How many they are, in words."""
    return "1 difference" if differences == 1 else f"{differences:,} differences"


def differences(
    mart: Mart, rows: int, found: Sequence[Difference], most: int | None
) -> Iterator[str]:
    """A line for the mart, and one for each of the first differences."""
    if not found:
        yield f"  {mart.name:<22}{rows:>9,} rows, all right"
        return
    yield f"  {mart.name:<22}{rows:>9,} rows, {counted(len(found))}"
    for difference in found[:most]:
        yield f"    {difference.place}: {difference.sentence}"
    if more := len(found[most:]) if most is not None else 0:
        yield f"    ... {more:,} more (--verbosity 2 shows all)"


def differences_object(
    as_of: date, rows: Mapping[str, int], found: Mapping[str, Sequence[Difference]]
) -> dict[str, object]:
    """All differences for scripts."""
    return {
        "as_of": as_of.isoformat(),
        "differences": sum(map(len, found.values())),
        "marts": {
            name: {
                "rows": rows[name],
                "differences": [
                    {
                        "key": as_objects([dict(zip(d.mart.key, d.key, strict=True))])[0],
                        "says": d.sentence,
                    }
                    for d in some
                ],
            }
            for name, some in found.items()
        },
    }


def _cell(value: Value) -> str:
    return "" if value is None else str(value)


def _scripted(value: Value) -> object:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value
