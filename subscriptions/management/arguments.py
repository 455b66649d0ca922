"""LOAD from a shell: what a person typed, read; argparse would answer a bad value with a page."""

from __future__ import annotations

import re
from datetime import date

from subscriptions.load.errors import LoadError


def whole_number(option: str, text: object) -> int | None:
    """Read a number; None stays None.

    Raises:
        LoadError: it is none.
    """
    if text is None:
        return None
    if not re.fullmatch(r"-?[0-9]{1,30}", str(text)):
        raise LoadError(f"{option} must be a whole number, not {str(text)!r}.")
    return int(str(text))


def day(option: str, text: object) -> date | None:
    """Read a date; None stays None.

    Raises:
        LoadError: it is none.
    """
    if text is None:
        return None
    try:
        return date.fromisoformat(str(text))
    except ValueError as error:
        raise LoadError(
            f"{option} must be a date such as 2026-01-31, not {str(text)!r}."
        ) from error
