"""SERVE (step 4), API: how PostgreSQL goes about an order: by an index, or by sorting.

Of a list with a limit the planner would rather walk the order's index and drop what the filters do
not let pass. Where they let hardly anything pass, that is millions of rows in random order of
their pages: half a minute, where reading the table from its start to its end takes half a second.
"""

from __future__ import annotations

import json
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from subscriptions.api.ordering import Order

FEW: Final = 100_000  # rows that are sorted in a moment
DENSE: Final = 500  # times a page's rows: so many that a page is found soon on a walk by keys


def expected(rows: QuerySet[Any]) -> int:
    """How many rows PostgreSQL's planner thinks there are."""
    try:
        plan = json.loads(rows.order_by().explain(format="json"))
    except EmptyResultSet:
        return 0
    return int(plan[0]["Plan"]["Plan Rows"])


def sorts_first(estimate: int, order: Order, size: int | None, *, entangled: bool) -> bool:
    """Whether to find all rows before any is given.

    Args:
        estimate: how many pass the filters.
        order: theirs. Keys are random, and so say nothing of what passes.
        size: how many of them are wanted; None for all.
        entangled: whether the order does, as by days where few pass but those of the last ones.
    """
    if size is None:
        return estimate < FEW
    return entangled or estimate < (DENSE * size if len(order) == 1 else FEW)


def definite(rows: QuerySet[Any], order: Order, *, sort_first: bool = False) -> QuerySet[Any]:
    """The rows in an order that is the same each time.

    Copies of one row, which an `append` leaves, differ in what is unique for every stored one.
    """
    unique = [field.name for field in rows.model._meta.fields if field.name == "dlt_id"]
    return ordered(rows, order, *unique, sort_first=sort_first)


def ordered(
    rows: QuerySet[Any], order: Order, *further: str, sort_first: bool = False
) -> QuerySet[Any]:
    """The rows in an order; by expressions that no index holds, if they are to be sorted."""
    if not sort_first:
        return rows.order_by(*map(str, order), *further)
    expressions = [Coalesce(F(by.column), F(by.column)) for by in order]
    return rows.order_by(
        *(
            expression.desc() if by.descending else expression.asc()
            for expression, by in zip(expressions, order, strict=True)
        ),
        *further,
    )
