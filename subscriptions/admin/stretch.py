"""SERVE, people: what a list looks at: a bounded stretch of rows, whatever is asked of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from django.db import connection, models, transaction
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet, Value

LOOKED_AT = 5_000  # rows: some 20 ms, and some 200 ms where none of them is in memory
OTHER_PLANS = "enable_seqscan", "enable_bitmapscan", "jit"

Model = type[models.Model]


@dataclass(frozen=True)
class Way:
    """An index that leads to rows: those that meet any of the conditions, each of which has one.

    `along` is the column of the index where the way is a range of it, which may be long.
    """

    conditions: Sequence[Q]
    along: str = ""


@dataclass(frozen=True)
class Stretch:
    """What was found in the rows that were looked at.

    found     the keys of the rows that fit, in order.
    further   the key of the last row looked at, if there are more to look at.
    """

    found: Sequence[str]
    further: str | None = None


def exists(*models: Model) -> bool:
    """Whether the models' tables or views are there, which they are not before the first load.

    Asked beforehand, because a failed query would end the transaction that it is in.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bool_and(to_regclass(name) IS NOT NULL) FROM unnest(%s::text[]) AS name",
            [[model._meta.db_table for model in models]],
        )
        return bool(cursor.fetchone()[0])


def identity(model: Model) -> str:
    """The column that tells stored rows apart, also the several of one key after an `append`."""
    names = {field.name for field in model._meta.fields}
    return "dlt_id" if "dlt_id" in names else str(model._meta.pk.name)


def look(
    model: Model, fits: Q, order: Sequence[str], ways: Iterable[Way], after: models.Model | None
) -> Stretch:
    """Find the rows that fit, in order, among at most LOOKED_AT.

    Where an index leads to few enough rows, those are all there is to look at. Otherwise the rows
    are looked at in the list's own order, from its start or from the one after a given row.

    Args:
        model: whose rows.
        fits: all conditions together.
        order: columns as in `order_by`, of which an index begins with the first.
        ways: conditions among those of `fits` that an index serves.
        after: the row after which to begin.
    """
    ahead = following(after, order) if after else Q()
    with _by_indexes():
        for way in ways:
            if way.along == order[0].lstrip("-"):
                ahead &= way.conditions[0]  # the order's own index begins and ends with it
            elif (found := _few(model, fits, order, way)) is not None:
                return Stretch(found)
        seen = list(_rows(model, ahead, fits, order)[: LOOKED_AT + 1])
    if len(seen) <= LOOKED_AT:
        return Stretch([row[0] for row in seen if row[1]])
    seen.pop()
    return Stretch([row[0] for row in seen if row[1]], seen[-1][0])


def following(row: models.Model, order: Sequence[str]) -> Q:
    """The rows that come after this one in an order of columns that are never null."""
    rest = Q()
    for column in reversed(order):
        name = column.lstrip("-")
        value = row.pk if name == "pk" else getattr(row, name)
        sign = "lt" if column.startswith("-") else "gt"
        beyond = Q(**{f"{name}__{sign}": value})
        # The outer comparison is what an index can begin with, which it cannot with an OR.
        rest = Q(**{f"{name}__{sign}e": value}) & (beyond | rest) if rest else beyond
    return rest


def beginning(column: str, text: str) -> Q:
    """The rows whose column begins so; by an index in whatever order the database has letters.

    PostgreSQL itself would go through the index from end to end, unless its order is that of C.
    Only letters and digits that have a successor in every order are bounds; the rest is compared.
    """
    rows = Q(**{f"{column}__startswith": text})
    bound = re.sub("[^0-8A-Ya-y]+$", "", text) if text.isascii() else ""
    if not bound:
        return rows
    beyond = bound[:-1] + chr(ord(bound[-1]) + 1)
    return rows & Q(**{f"{column}__gte": bound, f"{column}__lt": beyond})


def _few(model: Model, fits: Q, order: Sequence[str], way: Way) -> list[str] | None:
    """The keys of the fitting rows of a way, in order; None if it leads to too many rows."""
    along = (way.along,) if way.along else ()
    first, *others = (
        _rows(model, condition, fits, along, order)[: LOOKED_AT + 1] for condition in way.conditions
    )
    rows = list(first.union(*others))
    if len(rows) > LOOKED_AT:
        return None
    rows = [row for row in rows if row[1]]
    for position, column in reversed([*enumerate(order, start=2)]):
        rows.sort(key=itemgetter(position), reverse=column.startswith("-"))
    return [row[0] for row in rows]


def _rows(
    model: Model, ahead: Q, fits: Q, order: Sequence[str], columns: Sequence[str] = ()
) -> QuerySet[Any, tuple[Any, ...]]:
    """Each row's key, whether it fits, and the columns that are asked for."""
    verdict = ExpressionWrapper(fits, output_field=BooleanField()) if fits else Value(value=True)
    rows: QuerySet[Any] = (
        model._default_manager.filter(ahead).order_by(*order).annotate(fits=verdict)
    )
    return rows.values_list(identity(model), "fits", *(name.lstrip("-") for name in columns))


@contextmanager
def _by_indexes() -> Iterator[None]:
    """Make PostgreSQL follow indexes row by row until it has enough.

    Left to itself it may read and sort the whole table when it expects to need much of it, or
    gather every match before the first row. Both take as long as the table is large.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        switches = ", ".join("set_config(%s, 'off', true)" for _ in OTHER_PLANS)
        cursor.execute(f"SELECT {switches}", OTHER_PLANS)
        yield
