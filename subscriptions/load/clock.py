"""LOAD, clock: the days that a company is moved to."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta
from typing import Final

from subscriptions.load.errors import LoadError

_STEP: Final = re.compile("([0-9]{1,7})([dwm])", re.ASCII)
_MONTHS: Final = 12


def advance(day: date, text: str) -> date:
    """The day that is so many days, weeks or calendar months later: `30d`, `2w`, `3m`.

    A month later is the same day of that month, or its last one where it is shorter, as PostgreSQL
    reckons `day + interval '1 month'`.

    Raises:
        LoadError: the text says no such time, or no calendar goes that far.
    """
    step = _STEP.fullmatch(text)
    if step is None or int(step[1]) < 1:
        raise LoadError(
            "--advance must be a number of days, weeks or months such as 30d, 2w or 3m, "
            f"not {text!r}."
        )
    count = int(step[1])
    try:
        if step[2] == "m":
            return _months_later(day, count)
        return day + timedelta(days=count if step[2] == "d" else 7 * count)
    except (OverflowError, ValueError) as error:
        raise LoadError(
            f"--advance {text} goes beyond {date.max}, the last day that there is: name less."
        ) from error


def _months_later(day: date, count: int) -> date:
    year, month = divmod(_MONTHS * day.year + day.month - 1 + count, _MONTHS)
    if year > date.max.year:
        raise OverflowError
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
