"""SERVE (step 4), API: PostgreSQL writes each row as a line of text, and hands over many at once.

Python never sees a row: what JSON, CSV or anything else needs of it is an SQL expression, and the
lines pass through as bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Final, NamedTuple, cast

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import DecimalField, FloatField, IntegerField, Model, QuerySet
from django.db.models.fields import DateField, Field
from psycopg.abc import Buffer
from psycopg.adapt import Loader

Line = Callable[[type[Model], Sequence[str]], str]
"""An SQL expression over the columns of `r`, made of a model (for their types) and their names."""

BLOCK: Final = 10_000  # rows, 1 to 2 MB: the most that one statement brings
# Rows of a stream at a time. Each of the first ones may lie on a page that has to come from disk;
# and libpq's buffer, of each thread's connection, stays as large as the largest block was.
FETCHED: Final = 2_000
# The first rows count: with more than this share of all in mind the planner would rather sort five
# million rows than walk an index. And no machine code is compiled before they come.
PLAN_FOR_THE_FIRST: Final = "SET LOCAL cursor_tuple_fraction = 0.0001; SET LOCAL jit = off"
PLAIN: Final = (DateField, DecimalField, FloatField, IntegerField)  # need no quotes in CSV
# What a spreadsheet takes for a formula: OWASP's list ("CSV Injection").
SAFE: Final = r"regexp_replace({0}, '^[=+@\t\r-]', '''\&')"


class Undecoded(Loader):
    """Text as the bytes in which it came, which are UTF-8."""

    def load(self, data: Buffer) -> bytes:
        """A copy."""
        return bytes(data)


def as_object(_model: type[Model], _columns: Sequence[str]) -> str:
    """A JSON object with the columns in their order; PostgreSQL puts no line break into one."""
    return "row_to_json(r)::text"


def as_ndjson(model: type[Model], columns: Sequence[str]) -> str:
    """The same as a line."""
    return rf"{as_object(model, columns)} || E'\n'"


def as_csv(model: type[Model], columns: Sequence[str]) -> str:
    """A record of RFC 4180. Text is always quoted, so that null (nothing) and empty text differ."""
    return _record(model, columns, "{0}")


def as_safe_csv(model: type[Model], columns: Sequence[str]) -> str:
    """The same, with an apostrophe before text that a spreadsheet would run as a formula."""
    return _record(model, columns, SAFE)


def _record(model: type[Model], columns: Sequence[str], text: str) -> str:
    cells = []
    for column in columns:
        cell = f"r.{connection.ops.quote_name(column)}::text"
        if not isinstance(field_of(model, column), PLAIN):
            cell = f"""'"' || replace({text.format(cell)}, '"', '""') || '"'"""
        cells.append(f"coalesce({cell}, '')")
    return " || ',' || ".join(cells) + r" || E'\r\n'"


def field_of(model: type[Model], column: str) -> Field[Any, Any]:
    """The model's field for a column; of a reference, the field that it refers to."""
    field = cast("Field[Any, Any]", model._meta.get_field(column))
    target: Field[Any, Any] = getattr(field, "target_field", field)
    return target


def blocks(
    rows: QuerySet[Any], line: Line, model: type[Model], columns: Sequence[str]
) -> Generator[list[bytes]]:
    """The rows' lines in the queryset's order, FETCHED at a time.

    All are of one moment: a cursor on the server keeps it, and is open while the iterator is.

    Raises:
        django.db.Error: before the first block or in the middle.
    """
    try:
        statement, parameters = _statement(rows, line, model, columns)
    except EmptyResultSet:
        return
    with transaction.atomic():
        with connection.cursor() as session:
            session.execute(PLAN_FOR_THE_FIRST)
        with connection.chunked_cursor() as cursor:
            cursor.adapters.register_loader("text", Undecoded)
            cursor.execute(statement, parameters)
            while block := cursor.fetchmany(FETCHED):
                yield [line for (line,) in block]


class Joined(NamedTuple):
    """The lines of some rows as one text, and how many rows there are beside them."""

    lines: bytes
    total: int


def together(
    rows: QuerySet[Any],
    line: Line,
    model: type[Model],
    columns: Sequence[str],
    separator: bytes,
    every: QuerySet[Any] | None = None,
) -> Joined | None:
    """The lines of no more than BLOCK rows at once, by one statement; None if there are more.

    PostgreSQL joins them, too: a single value is cheaper to hand over than many.

    Args:
        rows: whose lines are wanted, in their order.
        line: how each is written.
        model: of the current rows, for its fields' types.
        columns: that are written.
        separator: between the lines.
        every: the rows of which these are a slice, counted at the same moment; else these are.
    """
    if not rows.query.is_sliced:
        rows = rows[: BLOCK + 1]
    try:
        statement, parameters = _statement(rows, line, model, columns)
        total, of_total = ("count(*)", ()) if every is None else _count(every, columns[0])
    except EmptyResultSet:
        return Joined(b"", 0)
    with connection.cursor() as cursor:
        cursor.adapters.register_loader("text", Undecoded)
        cursor.execute(
            f"SELECT {total}, count(*), coalesce(string_agg(line, %s), '')"
            f" FROM ({statement}) AS lines",
            (*of_total, separator.decode(), *parameters),
        )
        found, count, joined = cursor.fetchone()
    return None if count > BLOCK else Joined(joined, found)


def _count(every: QuerySet[Any], column: str) -> tuple[str, tuple[Any, ...]]:
    """An SQL expression for the number of rows, of which one column has to be named."""
    inner, parameters = every.order_by().values(column).query.sql_with_params()
    return f"(SELECT count(*) FROM ({inner}) AS every)", parameters


def _statement(
    rows: QuerySet[Any], line: Line, model: type[Model], columns: Sequence[str]
) -> tuple[str, tuple[Any, ...]]:
    """One line for each row, by a statement around the queryset's own, which keeps its order."""
    inner, parameters = rows.values(*columns).query.sql_with_params()
    expression = line(model, columns).replace("%", "%%")
    return f"SELECT {expression} AS line FROM ({inner}) AS r", parameters
