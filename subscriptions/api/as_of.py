"""SERVE (step 4), API: `?as_of=2026-11-23`, the day whose knowledge an answer holds."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from subscriptions.models import PlanVersion

AS_OF: Final = "as_of"


def named_day(request: Request) -> date | None:
    """The day in the query; None where it names none, and the current rows are meant.

    Raises:
        ParseError: it is no date in the contract's form, the only one of those Python would read.
    """
    text = request.query_params.get(AS_OF)
    if text is None:
        return None
    try:
        day = date.fromisoformat(text) if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        day = None
    if day is None:
        raise _refusal("a date (YYYY-MM-DD)")
    return day


def known_day(request: Request) -> date | None:
    """The same, on which the dataset knew something.

    The first day that the dataset knows of is that of the first plan: every load brings all tables,
    but on the company's first days nobody may have used or even joined it.

    Raises:
        ParseError: it is no date, or an earlier one; the message says from which on they are.
        ProgrammingError: there are no tables yet, and so no day is too early.
    """
    day = named_day(request)
    if day is None:
        return None
    first = PlanVersion.objects.first_day()
    if first and day < first:
        raise _refusal(f"{first} or later: the history of this dataset begins then")
    return day


def _refusal(possible: str) -> ParseError:
    return ParseError(f'The query parameter "{AS_OF}" must be {possible}.')
