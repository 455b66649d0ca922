"""SERVE (step 4), API: `?cursor=`, a list from end to end, each row once, whatever loads commit."""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Model
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from subscriptions.api import keyset, links, sorting, values
from subscriptions.api.keyset import Place, Segment
from subscriptions.api.ordering import By, Order
from subscriptions.api.parts import Listed, Part, size_of

CURSOR: Final = "cursor"
LONGEST: Final = 3000  # characters; a place of the longest texts still fits


@dataclass(frozen=True)
class Cursor:
    """Where to go on, and how far."""

    request: Request
    model: type[Model]
    start: Place | None
    size: int

    @classmethod
    def asked(cls, request: Request, model: type[Model], order: Order) -> Cursor | None:
        """The one in the query, if any; empty it means the beginning.

        Raises:
            ParseError: it is none, or one of another list or order.
        """
        token = request.query_params.get(CURSOR)
        if token is None:
            return None
        start = read(token, model, order) if token else None
        return cls(request, model, start, size_of(request))

    def part(self, listed: Listed) -> Part:
        """The rows after the place, `size` of them and the copies of the last one.

        Which rows these are is asked first, and the rows themselves as all between two places: a
        load that commits in between may take rows away or add some, but none is passed over.
        """
        found: list[tuple[Segment, Place]] = []
        for segment in self._segments(listed.order):
            start = self.start if self.start and segment.holds(self.start) else None
            rows = sorting.ordered(
                segment.rows(listed.rows, start), segment.varying, sort_first=listed.sort_first
            )
            places = rows.values_list(*(by.column for by in listed.order))
            found += [(segment, place) for place in places[: self.size + 1 - len(found)]]
            if len(found) > self.size:
                break
        further = len(found) > self.size
        rows = (
            listed.rows.filter(self._between(found[: self.size])) if found else listed.rows.none()
        )
        token = write(self.model, listed.order, found[self.size - 1][1]) if further else None
        following = links.here(self.request, **{CURSOR: token}) if token else None
        return Part(
            rows=sorting.definite(rows, listed.order, sort_first=listed.sort_first),
            facts={"next": following, "size": self.size},
            links={
                "first": links.here(self.request, **{CURSOR: ""}),
                **({"next": following} if following else {}),
            },
        )

    def _segments(self, order: Order) -> list[Segment]:
        """Those that begin or go on after the place."""
        every = keyset.segments(order)
        if self.start is None:
            return every
        return every[next(at for at, each in enumerate(every) if each.holds(self.start)) :]

    def _between(self, found: Sequence[tuple[Segment, Place]]) -> Any:
        ends = dict(found)  # of each segment the last place
        return keyset.between(
            [
                (segment, self.start if self.start and segment.holds(self.start) else None, end)
                for segment, end in ends.items()
            ]
        )


def write(model: type[Model], order: Order, place: Place) -> str:
    """A place as a token: what it belongs to and the values as text, in Base64 for URLs."""
    texts = [value if value is None else str(value) for value in place]
    text = json.dumps([_belongs(model, order), texts], separators=(",", ":"), ensure_ascii=False)
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(token: str, model: type[Model], order: Order) -> Place:
    """The place in a token; it holds nothing secret, and nothing that is not checked here.

    Raises:
        ParseError: it is none of this list in this order.
    """
    try:
        return _place(token, model, order)
    except (ValueError, TypeError, RecursionError):
        raise ParseError(
            f'The query parameter "{CURSOR}" must be empty, or from a link of this list in this '
            "order."
        ) from None


def _belongs(model: type[Model], order: Order) -> str:
    return f"{model._meta.model_name} {','.join(map(str, order))}"


def _place(token: str, model: type[Model], order: Order) -> Place:
    if len(token) > LONGEST:
        raise ValueError
    belongs, texts = json.loads(b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True))
    if belongs != _belongs(model, order):
        raise ValueError
    return tuple(_value(model, by, text) for by, text in zip(order, texts, strict=True))


def _value(model: type[Model], by: By, text: object) -> Any:
    if text is None and by.nullable:
        return None
    if not isinstance(text, str):
        raise ValueError  # noqa: TRY004 - whatever it is, it is told as one thing
    kind = values.kind(model, by.column)
    return (values.StoredText if kind is values.Text else kind)().read(text)
