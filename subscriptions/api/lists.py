"""SERVE (step 4), API: what a request for a list asks for, read before the database is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db.models import QuerySet
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from subscriptions.api import columns, sorting
from subscriptions.api.as_of import AS_OF
from subscriptions.api.columns import FIELDS
from subscriptions.api.cursors import CURSOR, Cursor
from subscriptions.api.lines import BLOCK
from subscriptions.api.ordering import ORDERING, Order
from subscriptions.api.pagination import COUNT, PAGE, Page
from subscriptions.api.parts import SIZE, Listed, Part, Read
from subscriptions.api.renderers import PageRenderer
from subscriptions.api.search import SEARCH

if TYPE_CHECKING:
    from subscriptions.api.row_viewsets import RowViewSet

PARAMETERS: Final = frozenset({AS_OF, FIELDS, ORDERING, SEARCH, PAGE, SIZE, COUNT, CURSOR})


@dataclass(frozen=True)
class Asked:
    """What the query says.

    order      of the rows.
    columns    that are shown.
    part       of the list; None: all of it.
    narrowed   whether filters, a search or a day let fewer rows pass than there are.
    entangled  whether a filter's column goes along with that of the order, as one day with another.
    """

    order: Order
    columns: tuple[str, ...]
    part: Page | Cursor | None
    narrowed: bool
    entangled: bool

    @classmethod
    def of(cls, request: Request, view: RowViewSet[Any]) -> Asked:
        """What the query says, whatever the database holds.

        Raises:
            ParseError: it makes no sense; the message names the parameter.
        """
        order = view.orderings.asked(request)
        shown = columns.chosen(request, view.columns)
        cursor = Cursor.asked(request, view.queryset.model, order)
        if cursor:
            for name in (PAGE, COUNT):
                if name in request.query_params:
                    raise ParseError(
                        f'The query parameters "{CURSOR}" and "{name}" exclude each other.'
                    )
        people = request.accepted_renderer.format == PageRenderer.format
        filtered = {
            name.partition("__")[0]
            for name in request.query_params
            if name in view.filterset_class.base_filters
        }
        along = view.orderings.entangled if order[0].column in view.orderings.entangled else set()
        return cls(
            order=order,
            columns=shown,
            part=cursor or Page.asked(request, always=people),
            narrowed=bool(
                filtered
                or any(request.query_params.get(name, "").strip() for name in (AS_OF, SEARCH))
            ),
            entangled=not filtered.isdisjoint(along - {order[0].column}),
        )

    def part_of(self, rows: QuerySet[Any], there: int | None, read: Read | None) -> Part:
        """Those of the filtered rows that it asks for.

        Args:
            rows: what the filters let pass.
            there: how many rows their table has, as the last load left it; None if nobody knows.
            read: see `Listed`.
        """
        few = rows.query.is_empty() or (there is not None and there <= BLOCK)
        planned = not few and (self.narrowed or there is None)
        known = sorting.expected(rows) if planned else there or 0
        size = self.part.size if self.part else None
        sort_first = (
            planned
            and self.narrowed
            and sorting.sorts_first(known, self.order, size, entangled=self.entangled)
        )
        if self.part:
            return self.part.part(Listed(rows, self.order, sort_first, few, known, planned, read))
        return Part(sorting.definite(rows, self.order, sort_first=sort_first), {}, few=few)
