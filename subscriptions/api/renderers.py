"""SERVE (step 4), API: the page that a person's browser gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer

from subscriptions.api import links

if TYPE_CHECKING:
    from subscriptions.api.viewsets import RowViewSet


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
            case str():
                return cls(value)
            case _:
                return cls(str(value), "number")


@dataclass(frozen=True)
class Table:
    """Rows of a list as a person reads them."""

    columns: tuple[str, ...]
    rows: list[list[Cell]]

    @classmethod
    def of(cls, columns: tuple[str, ...], rows: list[Mapping[str, Any]]) -> Table:
        """One line for each row, one cell for each column."""
        return cls(columns, [[Cell.of(row[column]) for column in columns] for row in rows])


class PageRenderer(BrowsableAPIRenderer):
    """REST framework's browsable API with a template of its own, for an API that is only read.

    No forms, no script, no link that holds credentials; lists are tables, not JSON.
    """

    template = "rest_framework/page.html"

    def get_context(
        self,
        data: Mapping[str, Any],
        accepted_media_type: str | None,
        renderer_context: Mapping[str, Any],
    ) -> dict[str, Any]:
        """What the template shows; REST framework's own context is mostly forms for writing."""
        view, request, response = (renderer_context[key] for key in ("view", "request", "response"))
        failed = response.status_code >= HTTPStatus.BAD_REQUEST
        # A session's user is read from the database, which may be what failed.
        down = response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        return {
            "name": self.get_name(view),
            "description": self.get_description(view, response.status_code),
            "method": request.method,
            "here": links.here(request),
            "json_url": links.here(request, format="json", page=None),
            "command": f"curl --user USERNAME {request.build_absolute_uri(request.path)}",
            "navigation": [
                (path, reverse(name), reverse(name).strip("/") == request.path.strip("/"))
                for path, name in links.ENDPOINTS.items()
            ],
            "sign_in_url": links.sign_in(request),
            "viewer": None if down else request.user,
            "response": response,
            "failed": failed,
            "data": data,
            "table": None if failed else self._table(view, data),
            "content": self.get_content(JSONRenderer(), data, "", dict(renderer_context)),
            "paginator": None if failed else getattr(view, "paginator", None),
        }

    def _table(self, view: RowViewSet[Any], data: Mapping[str, Any]) -> Table | None:
        """The list in an answer, if there is one."""
        rows = data.get(getattr(view, "basename", ""))
        return None if rows is None else Table.of(view.columns, rows)
