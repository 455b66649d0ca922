"""SERVE (step 4), API: `?ordering=signup_date,-plan_id`, as far as an index leads the way.

The first column has to have an index, and many different values: PostgreSQL then sorts the rows of
one value after the other, and the first of five million come at once. Further columns are free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from subscriptions.api.parameters import shown

ORDERING: Final = "ordering"


@dataclass(frozen=True)
class By:
    """A column that rows are ordered by.

    Null counts as more than every value, which is PostgreSQL's own order: it comes last, and
    descending first.
    """

    column: str
    descending: bool = False
    nullable: bool = False

    def __str__(self) -> str:
        """As in the query, and as Django's `order_by` takes it."""
        return f"-{self.column}" if self.descending else self.column

    @property
    def reverse(self) -> By:
        """The other way round."""
        return By(self.column, not self.descending, self.nullable)


Order = tuple[By, ...]
"""Columns, those of the key among them: only copies of one row are equal in all of them."""


@dataclass(frozen=True)
class Orderings:
    """What a table can be ordered by.

    columns   those of it that have an order.
    key       those that decide between rows that are equal otherwise; empty: the first.
    leading   those of them that may come first; None: each.
    nullable  those of them that hold null.
    entangled those whose values go along with each other.
    """

    columns: Sequence[str]
    leading: Sequence[str] | None = None
    nullable: frozenset[str] = frozenset()
    entangled: frozenset[str] = frozenset()
    key: Sequence[str] = ()

    @property
    def usual(self) -> Sequence[str]:
        """The key's columns, by which rows are ordered unless asked otherwise."""
        return self.key or self.columns[:1]

    @property
    def first(self) -> Sequence[str]:
        """The columns that may come first."""
        return self.columns if self.leading is None else self.leading

    def asked(self, request: Request) -> Order:
        """The order in the query, else by the key.

        Raises:
            ParseError: a column is unknown, comes twice, or may not be there.
        """
        text = request.query_params.get(ORDERING, ",".join(self.usual))
        order: list[By] = []
        for name in text.split(","):
            column = name.removeprefix("-")
            possible = self.columns if order else self.first
            if column not in possible:
                raise ParseError(
                    f"The list cannot be ordered by{shown(request, column)} there: "
                    f"{'go on' if order else 'begin'} with one of {', '.join(possible)}, "
                    "after a minus sign for descending order."
                )
            if any(column == by.column for by in order):
                raise ParseError(f'The query parameter "{ORDERING}" has a column twice.')
            order.append(By(column, name.startswith("-"), column in self.nullable))
        # What follows the whole key decides nothing.
        missing = set(self.usual)
        for number, by in enumerate(order, 1):
            missing.discard(by.column)
            if not missing:
                return (*order[:number],)
        return (*order, *(By(column) for column in self.usual if column in missing))
