"""SERVE (step 4), API: `?fields=user_id,email`, the columns that an answer shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from subscriptions.api.parameters import shown

FIELDS: Final = "fields"


def chosen(request: Request, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns in the query, in its order; without it all, in the contract's.

    Raises:
        ParseError: one is unknown or comes twice.
    """
    text = request.query_params.get(FIELDS)
    if text is None:
        return tuple(columns)
    names = tuple(text.split(","))
    for name in names:
        if name not in columns:
            raise ParseError(f"Unknown field{shown(request, name)}: use {', '.join(columns)}.")
        if names.count(name) > 1:
            raise ParseError(f'The query parameter "{FIELDS}" has "{name}" twice.')
    return names
