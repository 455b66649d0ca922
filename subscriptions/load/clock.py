"""LOAD, clock: the days that a company is moved to."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from typing import Final, Literal, get_args

from subscriptions.load.errors import LoadError

Step = Literal["daily", "weekly", "monthly"]
STEPS: Final[tuple[Step, ...]] = get_args(Step)
_UNITS: Final[dict[Step, str]] = {"daily": "d", "weekly": "w", "monthly": "m"}
_TIME: Final = re.compile("([0-9]{1,7})([dwm])", re.ASCII)
_MONTHS: Final = 12


def advance(day: date, text: str) -> date:
    """The day that is so many days, weeks or calendar months later: `30d`, `2w`, `3m`.

    A month later is the same day of that month, or its last one where it is shorter, as PostgreSQL
    reckons `day + interval '1 month'`.

    Raises:
        LoadError: the text says no such time, or no calendar goes that far.
    """
    time = _TIME.fullmatch(text)
    if time is None or int(time[1]) < 1:
        raise LoadError(
            "--advance must be a number of days, weeks or months such as 30d, 2w or 3m, "
            f"not {text!r}."
        )
    number = int(time[1])
    try:
        if time[2] == "m":
            return _months_later(day, number)
        return day + timedelta(days=number if time[2] == "d" else 7 * number)
    except (OverflowError, ValueError) as error:
        raise LoadError(
            f"--advance {text} goes beyond {date.max}, the last day that there is: name less."
        ) from error


def step(name: str | None) -> Step | None:
    """The step of that name; None stays None.

    Raises:
        LoadError: there is none of that name.
    """
    for known in STEPS:
        if name == known:
            return known
    if name is None:
        return None
    raise LoadError(f"Unknown step {name!r} for --backfill: use {', '.join(STEPS)}.")


def days(first: date, last: date, step: Step) -> Iterator[date]:
    """The days of a history from one day to another: one for each step, and the last one.

    Each is reckoned from the first day, so that a 31st is one again after a shorter month, and
    histories of different steps share the days that they have in common.
    """
    day = first
    for number in count(1):
        if day >= last:
            break
        yield day
        day = advance(first, f"{number}{_UNITS[step]}")
    yield last


def _months_later(day: date, number: int) -> date:
    year, month = divmod(_MONTHS * day.year + day.month - 1 + number, _MONTHS)
    if year > date.max.year:
        raise OverflowError
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
