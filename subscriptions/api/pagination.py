"""SERVE (step 4), API: numbered pages of a list, and how many there are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.request import Request

from subscriptions.api import links, sorting
from subscriptions.api.lines import BLOCK
from subscriptions.api.parts import SIZE, Listed, Part, size_of

PAGE: Final = "page"
COUNT: Final = "count"
EXACT, ESTIMATED, NONE = "exact", "estimated", "none"
DEEPEST: Final = 10_000  # rows that PostgreSQL passes over and throws away for a page


@dataclass(frozen=True)
class Total:
    """How many rows a list has: what is known of it, and whether a page follows this one."""

    rows: int | None
    kind: str
    further: bool


@dataclass(frozen=True)
class Page:
    """A page that is asked for.

    count   exact, estimated or none; None leaves the choice to the table's size.
    always  whether a list without a number is its first page.
    """

    request: Request
    number: int
    size: int
    count: str | None
    always: bool = False

    @classmethod
    def asked(cls, request: Request, *, always: bool) -> Page | None:
        """The one in the query; without any None, or the first one if there is `always` a page.

        Raises:
            ParseError: the number, the size or the way to count makes no sense.
        """
        parameters = request.query_params
        number, count = parameters.get(PAGE, "1"), parameters.get(COUNT)
        if not (always or PAGE in parameters or SIZE in parameters):
            if count is not None:
                raise ParseError(f'The query parameter "{COUNT}" goes with "{PAGE}" or "{SIZE}".')
            return None
        if not re.fullmatch("[1-9][0-9]{0,8}", number):
            raise ParseError(f'The query parameter "{PAGE}" must be a number from 1 on.')
        if count not in {None, EXACT, ESTIMATED, NONE}:
            raise ParseError(
                f'The query parameter "{COUNT}" must be {EXACT}, {ESTIMATED} or {NONE}.'
            )
        return cls(request, int(number), size_of(request), count, always)

    @property
    def start(self) -> int:
        """How many rows come before it."""
        return (self.number - 1) * self.size

    def part(self, listed: Listed) -> Part:
        """Its rows.

        Raises:
            NotFound: there is no such page.
            ParseError: it lies too deep.
        """
        rows = sorting.definite(listed.rows, listed.order, sort_first=listed.sort_first)
        page = rows[self.start : self.start + self.size]
        counted = self.count or (EXACT if listed.few else ESTIMATED)
        exact, written = self._counted(listed, page, counted)
        if exact is not None and self.start >= exact and self.number > 1:
            raise self._missing()
        if self.number > self.deepest:
            raise ParseError(
                f"Pages end with the {DEEPEST:,}th row: use the query parameter "
                '"cursor" to read further.'
            )
        if exact is not None:
            total = Total(exact, EXACT, self.start + self.size < exact)
        else:
            total = self._peeked(listed, rows, counted)
        return Part(
            rows=page if total.rows != 0 else rows.none(),
            facts=self._facts(total),
            links=self._links(total),
            steady=total.kind != ESTIMATED or not listed.planned,
            written=written,
        )

    def _counted(
        self, listed: Listed, page: QuerySet[Any], counted: str
    ) -> tuple[int | None, bytes | None]:
        """The number of rows, if it is wanted or cheap: the planner thinks that they are few.

        Where it is wanted, the page's lines come along: both are then of one moment.
        """
        if counted == EXACT:
            if (
                listed.read
                and self.number <= self.deepest
                and (found := listed.read(page, listed.rows))
            ):
                return found.total, found.lines
            return listed.rows.count(), None
        if counted == NONE or not listed.planned or listed.known > BLOCK:
            return None, None
        number = listed.rows[: BLOCK + 1].count()
        return number if number <= BLOCK else None, None

    def _peeked(self, listed: Listed, rows: Any, counted: str) -> Total:
        """The total without counting all; of the last page it is known."""
        here = rows[self.start : self.start + self.size + 1].values(listed.order[-1].column).count()
        if not here and self.number > 1:
            raise self._missing()
        further = here > self.size
        if counted == NONE:
            return Total(None, NONE, further)
        if not further:
            return Total(self.start + here, EXACT, further)
        return Total(max(listed.known, self.start + here), ESTIMATED, further)

    def _missing(self) -> NotFound:
        return NotFound(f"There is no page {self.number}.")

    def _facts(self, total: Total) -> dict[str, Any]:
        """What an answer says about it, beside the rows."""
        return {
            "total": total.rows,
            "page": self.number,
            "size": self.size,
            "pages": self._pages(total),
            COUNT: total.kind,
        }

    def _pages(self, total: Total) -> int | None:
        return None if total.rows is None else max(1, -(-total.rows // self.size))

    def _links(self, total: Total) -> dict[str, str]:
        """To the first page and those beside it; to the last one where it is known and in reach."""
        pages = self._pages(total)
        numbers = {"first": 1}
        if self.number > 1:
            numbers["prev"] = self.number - 1
        if total.further:  # beyond the deepest one, too: an error that says how to go on, no end
            numbers["next"] = self.number + 1
        if pages is not None and total.kind == EXACT and pages <= self.deepest:
            numbers["last"] = pages
        return {relation: self.url(number) for relation, number in numbers.items()}

    @property
    def deepest(self) -> int:
        """The last page that does not lie too deep."""
        return DEEPEST // self.size

    def url(self, number: int) -> str:
        """The address of another page; the first one has no number where it needs none."""
        return links.here(self.request, **{PAGE: None if self.always and number == 1 else number})
