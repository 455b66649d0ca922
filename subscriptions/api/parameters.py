"""SERVE (step 4), API: query parameters that nothing here knows are refused, not ignored."""

from __future__ import annotations

import re
from collections.abc import Set

from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from subscriptions.api.authentication import CREDENTIALS, PASSWORD

# A name that can be repeated in the answer without harm.
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,49}")


def refuse_unknown(request: Request, known: Set[str], filters: Set[str] = frozenset()) -> None:
    """Check the names of the query parameters; values are up to those who read them.

    Args:
        request: whose they are.
        known: names to tell of where one is unknown.
        filters: further ones, too many to tell.

    Raises:
        ParseError: a name is not among the known, or comes twice; the message names it.
    """
    parameters = request.query_params
    for name in parameters:
        if name not in known | filters | CREDENTIALS:
            takes = ", ".join(sorted(known | CREDENTIALS)) + _hint(name, filters)
            raise ParseError(f"Unknown query parameter{shown(request, name)}: use {takes}.")
        if name not in CREDENTIALS and len(parameters.getlist(name)) > 1:
            raise ParseError(f'The query parameter "{name}" comes more than once: give one.')


def _hint(name: str, filters: Set[str]) -> str:
    """Which filters there are: those of the column that a name begins with, else in general."""
    column = name.partition("__")[0]
    if column in filters:
        return f", {', '.join(sorted(each for each in filters if each.split('__')[0] == column))}"
    return ", or a column's name to filter by" if filters else ""


def shown(request: Request, name: str) -> str:
    """The name for the message, unless it might be a piece of a password.

    In `?password=fish&chips` the `&` should have been encoded: "chips" is then a parameter. Where
    passwords are checked, the rest is a wrong one and nobody gets here.
    """
    unchecked = request.successful_authenticator is None and PASSWORD in request.query_params
    return "" if unchecked or not PLAIN_NAME.fullmatch(name) else f' "{name}"'
