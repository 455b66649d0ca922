"""SERVE (step 4), API: which format an answer has."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from rest_framework.exceptions import NotAcceptable, ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

Selection = tuple[BaseRenderer, str]

QUALITY: Final = re.compile(r";\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*(?:;|$)", re.IGNORECASE)


class FormatOrAccept(DefaultContentNegotiation):
    """By `?format=`, which a person or a program chose, else by `Accept`, which came along.

    REST framework wants both to agree, and answers 404 to an unknown format. Of `Accept` it does
    not read how much a client likes each type (`q`), and takes parameters such as `indent=4` for
    other JSON, which would be other bytes under the same ETag.
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
            return self._accepted(request, list(renderers))
        by_format = {renderer.format: renderer for renderer in renderers}
        if chosen not in by_format:
            *others, last = by_format
            raise ParseError(f"Unknown format: use {', '.join(others)} or {last}.")
        return by_format[chosen], by_format[chosen].media_type

    def _accepted(self, request: Request, renderers: list[BaseRenderer]) -> Selection:
        """What the client likes best; of that what it names most exactly, else the first one.

        Raises:
            NotAcceptable: it likes nothing that there is.
        """
        ranges = [_weighed(each) for each in self.get_accept_list(request)]
        wanted = [_wanted(renderer.media_type, ranges) for renderer in renderers]
        best = max(wanted)
        if not best[0]:
            raise NotAcceptable
        renderer = renderers[wanted.index(best)]
        return renderer, renderer.media_type


def _weighed(media_range: str) -> tuple[str, float]:
    """A media range without its parameters, and how much it is liked: 0 to 1."""
    quality = QUALITY.search(media_range)
    return media_range.partition(";")[0].strip().lower(), float(quality[1]) if quality else 1.0


def _wanted(media_type: str, ranges: list[tuple[str, float]]) -> tuple[float, int]:
    """How much a type is liked, by the range that fits it best, and how exactly that names it."""
    fitting = ("*/*", f"{media_type.partition('/')[0]}/*", media_type)
    found = [(fitting.index(name), quality) for name, quality in ranges if name in fitting]
    exactness, quality = max(found, default=(0, 0.0))
    return quality, exactness
