"""SERVE (step 4), API: places in an ordered list, and conditions for the rows after or up to one.

A place is the values of the order's columns, the key among them, and nothing that a load gives a
row anew. It lasts however many rows come and go before it, and never splits the copies of a row
that an `append` left.

Each condition begins with a plain range of the first column, for which PostgreSQL goes straight
to the right spot of its index. Where that column holds null there is no such range for all rows, so
that the list is taken in two segments: rows with a value, and rows without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any

from django.db.models import Q, QuerySet

from subscriptions.api.ordering import By, Order

Place = tuple[Any, ...]
"""A row's values in the order's columns."""


@dataclass(frozen=True)
class Segment:
    """Consecutive rows of a list.

    order  the whole list's.
    null   whether their first column is null; None where it never is.
    """

    order: Order
    null: bool | None = None

    @property
    def varying(self) -> Order:
        """The columns that differ within the segment; sorting by others would cost an index."""
        if self.null is None:
            return self.order
        first, *rest = self.order
        return (*rest,) if self.null else (By(first.column, first.descending), *rest)

    @property
    def condition(self) -> Q:
        """What its rows have in common."""
        first = self.order[0].column
        return Q() if self.null is None else Q((f"{first}__isnull", self.null))

    def holds(self, place: Place) -> bool:
        """Whether a place lies in it."""
        return self.null is None or self.null == (place[0] is None)

    def after(self, place: Place) -> Q:
        """Its rows that come after a place of its own."""
        own = self._own(place)
        return self.condition & _from(self.varying, own) & _after(self.varying, own)

    def until(self, place: Place) -> Q:
        """Its rows up to a place of its own, all copies of the row there included."""
        back = tuple(by.reverse for by in self.varying)
        own = self._own(place)
        return _from(back, own) & (_after(back, own) | _equal(back, own))

    def rows(self, rows: QuerySet[Any], start: Place | None) -> QuerySet[Any]:
        """Those of the rows that it holds, after a place of its own or from its beginning."""
        return rows.filter(self.condition if start is None else self.after(start))

    def _own(self, place: Place) -> Place:
        return place[1:] if self.null else place


def segments(order: Order) -> list[Segment]:
    """Those of a list, first to last; null is more than every value."""
    first = order[0]
    if not first.nullable:
        return [Segment(order)]
    return [Segment(order, null) for null in (first.descending, not first.descending)]


def _from(order: Order, place: Place) -> Q:
    """The range that an index on the first column gives."""
    first = order[0]
    if len(order) == 1 or first.nullable:
        return Q()  # the exact condition is such a range itself, or there is none
    return Q((f"{first.column}__{'lte' if first.descending else 'gte'}", place[0]))


def _after(order: Order, place: Place) -> Q:
    first, rest = order[0], order[1:]
    beyond = _more(first, place[0])
    return beyond | (_equal(order[:1], place[:1]) & _after(rest, place[1:])) if rest else beyond


def _more(by: By, value: object) -> Q:
    """Rows that a column puts after a value."""
    name = by.column
    if value is None:
        return Q((f"{name}__isnull", False)) if by.descending else Q((f"{name}__in", []))
    if by.descending:
        return Q((f"{name}__lt", value))
    more = Q((f"{name}__gt", value))
    return more | Q((f"{name}__isnull", True)) if by.nullable else more


def _equal(order: Order, place: Place) -> Q:
    return reduce(and_, (_same(by.column, v) for by, v in zip(order, place, strict=True)))


def _same(column: str, value: object) -> Q:
    return Q((f"{column}__isnull", True)) if value is None else Q((column, value))


def between(parts: Sequence[tuple[Segment, Place | None, Place]]) -> Q:
    """Rows of some segments, each after its first place (from its beginning) up to its last."""
    condition = Q()
    for segment, start, end in parts:
        own = segment.until(end) & (segment.condition if start is None else segment.after(start))
        condition |= own
    return condition
