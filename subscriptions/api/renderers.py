"""SERVE (step 4), API: the page that a person's browser gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string
from django.urls import reverse
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request

from subscriptions.api import links

if TYPE_CHECKING:
    from subscriptions.api.pagination import Pages  # which knows this renderer


@dataclass(frozen=True)
class Cell:
    """One value of a table, as text, and the CSS class that says how to show it."""

    text: str
    kind: str = "text"

    @classmethod
    def of(cls, value: object) -> Cell:
        """Show a value as JSON would, but for quotes and brackets."""
        match value:
            case None:
                return cls("null", "null")
            case list():
                return cls(" · ".join(map(str, value)), "list")
            case int() | float() | Decimal():
                return cls(str(value), "number")
        return cls(str(value))


@dataclass(frozen=True)
class Table:
    """Rows of a list as a person reads them; the header aligns with the first row."""

    header: list[Cell]
    rows: list[list[Cell]]

    @classmethod
    def of(cls, rows: list[dict[str, Any]]) -> Table:
        """One line for each row, one cell for each column."""
        first = rows[0] if rows else {}
        return cls(
            [Cell(column, Cell.of(value).kind) for column, value in first.items()],
            [[Cell.of(value) for value in row.values()] for row in rows],
        )


class PageRenderer(BrowsableAPIRenderer):
    """REST framework's browsable API with a template of its own, for an API that is only read.

    No forms, no script, no link that holds credentials; lists are tables, not JSON.
    """

    template = "rest_framework/page.html"

    def render(
        self,
        data: Mapping[str, Any],
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> str:
        """The page, without context processors: they read the session, even after a failure."""
        context = self.get_context(data, accepted_media_type, renderer_context or {})
        return render_to_string(self.template, context)

    def get_context(
        self,
        data: Mapping[str, Any],
        accepted_media_type: str | None,
        renderer_context: Mapping[str, Any],
    ) -> dict[str, Any]:
        """What the template shows; REST framework's own context is mostly forms for writing."""
        view, request, response = (renderer_context[key] for key in ("view", "request", "response"))
        failed = response.status_code >= HTTPStatus.BAD_REQUEST
        rows = data.get(getattr(view, "basename", ""))
        # A session's user is read from the database, which may be what failed.
        down = response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        return {
            "name": self.get_name(view),
            "description": self.get_description(view, response.status_code),
            "method": request.method,
            # Of a refused request the path alone: a parameter may be a piece of a password.
            "here": request.path if failed else links.here(request),
            "json_url": links.here(request, format="json", page=None),
            "navigation": [(end, reverse(end.url_name)) for end in links.ENDPOINTS],
            "current": request.path.strip("/"),
            "sign_in_url": links.sign_in(request),
            "viewer": None if down else request.user,
            "response": response,
            "failed": failed,
            "data": data,
            "table": None if rows is None else Table.of(rows),
            "content": self.get_content(JSONRenderer(), data, "", {}),
            **({} if rows is None else self._page(view.paginator, request)),
        }

    def _page(self, paginator: Pages, request: Request) -> dict[str, str]:
        """Which rows these are, links to the others, and how a program gets them all."""
        page, total = paginator.page, paginator.page.paginator.count
        several = paginator.display_page_controls
        return {
            "command": f"curl --user USERNAME {request.build_absolute_uri(request.path)}",
            "rows_shown": f"Rows {page.start_index():,} to {page.end_index():,} of {total:,}"
            if several
            else f"{total:,} rows",
            "page_links": paginator.to_html() if several else "",
        }
