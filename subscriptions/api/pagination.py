"""SERVE (step 4), API: pages of a list, for people and for programs that ask for one."""

from __future__ import annotations

import re
from typing import Any, cast

from django.core.paginator import InvalidPage, Page, Paginator
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.pagination import PAGE_BREAK, PageLink, PageNumberPagination
from rest_framework.request import Request

from subscriptions.api import links
from subscriptions.api.renderers import PageRenderer


class Pages(PageNumberPagination):
    """`?page=2`, in pages of 50; the browsable page always has one, JSON only when asked."""

    page: Page[Any]  # these two once `paginate_queryset` has found rows to page
    request: Request
    page_size = 50
    template = "rest_framework/pages.html"

    def get_page_size(self, request: Request) -> int | None:
        """Rows per page, or None for the whole list."""
        paged = request.accepted_renderer.format == PageRenderer.format
        return self.page_size if paged or self.page_query_param in request.query_params else None

    def paginate_queryset(  # type: ignore[override]  # not evaluated, so that PostgreSQL may write it
        self, queryset: QuerySet[Any], request: Request, view: Any = None
    ) -> QuerySet[Any] | None:
        """One page of the rows, or None where the whole list is wanted.

        Raises:
            NotFound: there is no such page.
        """
        size = self.get_page_size(request)
        if size is None:
            return None
        self.request = request
        paginator = Paginator(queryset, size)
        number = self.get_page_number(request, paginator)
        try:
            self.page = paginator.page(number)
        except InvalidPage as error:
            raise NotFound(f"There is no page {number}.") from error
        self.display_page_controls = paginator.num_pages > 1
        return cast("QuerySet[Any]", self.page.object_list)

    def get_page_number(self, request: Request, paginator: Paginator[Any]) -> int:
        """The number in the query.

        Raises:
            ParseError: it is none.
        """
        number = request.query_params.get(self.page_query_param, "1")
        if not re.fullmatch("[1-9][0-9]{0,8}", number):
            raise ParseError('The query parameter "page" must be a number from 1 on.')
        return int(number)

    def facts(self) -> dict[str, int]:
        """What an answer says about its page, beside the rows."""
        paginator = self.page.paginator
        return {
            "total": paginator.count,
            "page": self.page.number,
            "size": paginator.per_page,
            "pages": paginator.num_pages,
        }

    def get_html_context(self) -> dict[str, Any]:  # type: ignore[override]
        """Links to the pages around this one, the first and the last."""
        page = self.page
        return {
            "previous_url": self._url(page.number - 1) if page.has_previous() else None,
            "next_url": self._url(page.number + 1) if page.has_next() else None,
            "page_links": [
                PageLink(self._url(number), number, number == page.number, is_break=False)
                if isinstance(number, int)
                else PAGE_BREAK
                for number in page.paginator.get_elided_page_range(
                    page.number, on_each_side=1, on_ends=1
                )
            ],
        }

    def _url(self, number: int) -> str:
        return links.here(self.request, page=number if number > 1 else None)
