"""SERVE (step 4), API: the page that a person's browser gets."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request

from subscriptions.api import browsing, links, tables
from subscriptions.api.as_of import AS_OF


class PageRenderer(BrowsableAPIRenderer):
    """REST framework's browsable API with a template of its own, for an API that is only read.

    Nothing to write with, no script, no link that holds credentials; lists are tables, not JSON.
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
        # A session's user is read from the database, which may be what failed.
        down = response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        return {
            "name": self.get_name(view),
            "description": self.get_description(view, response.status_code),
            "method": request.method,
            # Of a refused request the path alone: a parameter may be a piece of a password.
            "here": request.path.partition("?")[0] if failed else links.here(request),
            "json_url": links.here(request, format="json", **browsing.WHOLE),
            "navigation": [(end, reverse(end.url_name)) for end in links.ENDPOINTS],
            "current": request.path.split("/")[1],
            "sign_in_url": links.sign_in(request),
            "viewer": None if down else request.user,
            "response": response,
            "failed": failed,
            "data": data,
            "content": self.get_content(JSONRenderer(), data, "", {}),
            **({} if failed else self._rows(view, request, data)),
        }

    def _rows(self, view: Any, request: Request, data: Mapping[str, Any]) -> dict[str, Any]:
        """What a list, a row or a history shows besides."""
        day = request.query_params.get(AS_OF)
        query = f"?{AS_OF}={day}" if day else ""
        match getattr(view, "action", None):
            case "list":
                return browsing.of_list(view, request, data[view.basename], query)
            case "retrieve":
                leads: dict[str, Any] = {"table": tables.of_row(data, view.columns[0], query)}
                if hasattr(view, "history"):
                    leads["related"] = ("History", self._url(view, "history"))
                return leads
            case "history":
                now = self._url(view, "detail")
                table = tables.of_history(data["history"], now)
                gone = data["history"][-1]["ended"] == "disappeared"
                return {"table": table, **({} if gone else {"related": ("Now", now)})}
        return {}

    def _url(self, view: Any, name: str) -> str:
        """Another path of the same row."""
        return reverse(f"api:{view.basename}-{name}", kwargs=view.kwargs)
