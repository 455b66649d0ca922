"""SERVE (step 4), API: a part of a list: a numbered page, or the rows after a place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import QuerySet
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from subscriptions.api.lines import Joined
from subscriptions.api.ordering import Order

SIZE: Final = "size"
USUAL_SIZE: Final = 50
LARGEST_SIZE: Final = 1000

Read = Callable[[QuerySet[Any], QuerySet[Any]], Joined | None]


@dataclass(frozen=True)
class Listed:
    """A list as the query wants it.

    rows        all of them, unordered.
    order       theirs.
    sort_first  see `sorting`.
    few         whether the table has no more than a block of rows.
    known       how many rows there are, as far as that is known without counting them.
    planned     whether it is known from PostgreSQL's planner, who may think otherwise tomorrow.
    read        reads some rows' lines and counts others, by one statement; None where no lines are
                wanted.
    """

    rows: QuerySet[Any]
    order: Order
    sort_first: bool = False
    few: bool = False
    known: int = 0
    planned: bool = False
    read: Read | None = None


@dataclass(frozen=True)
class Part:
    """Some rows of it.

    rows    in their order.
    facts   what JSON says beside them.
    links   addresses of other parts by their relation (RFC 8288).
    few     whether they are no more than a block, as far as is known; parts always are.
    steady  whether the same data always gives the same facts; a planner's estimate does not.
    written  the rows' lines, if they have been read already.
    """

    rows: QuerySet[Any]
    facts: Mapping[str, Any]
    links: Mapping[str, str] = field(default_factory=dict)
    few: bool = True
    steady: bool = True
    written: bytes | None = None


def size_of(request: Request) -> int:
    """How many rows a part has.

    Raises:
        ParseError: the query has no such number.
    """
    text = request.query_params.get(SIZE, str(USUAL_SIZE))
    if not re.fullmatch("[1-9][0-9]{0,3}", text) or int(text) > LARGEST_SIZE:
        raise ParseError(f'The query parameter "{SIZE}" must be a number from 1 to {LARGEST_SIZE}.')
    return int(text)
