"""SERVE (step 4), API: which format an answer has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

Selection = tuple[BaseRenderer, str]


class FormatOrAccept(DefaultContentNegotiation):
    """By `?format=`, which a person or a program chose, else by `Accept`, which came along.

    REST framework wants both to agree, and answers 404 to an unknown format.
    """

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> Selection:
        """The renderer, and the media type that it renders."""
        chosen = request.query_params.get("format")
        if chosen is None:
            return cast(Selection, super().select_renderer(request, renderers, format_suffix))
        by_format = {renderer.format: renderer for renderer in renderers}
        if chosen not in by_format:
            *others, last = by_format
            raise ParseError(f"Unknown format: use {', '.join(others)} or {last}.")
        return by_format[chosen], by_format[chosen].media_type
