"""LOAD: a history from the company's opening on, as one load for each step of time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal, get_args

from subscriptions.extract.company import OPENING_DATE
from subscriptions.load import clock
from subscriptions.load.errors import LoadError
from subscriptions.load.receipt import Receipt
from subscriptions.load.request import Request, last_day

Step = Literal["daily", "weekly", "monthly"]
STEPS: Final[tuple[Step, ...]] = get_args(Step)
_UNITS: Final[dict[Step, str]] = {"daily": "d", "weekly": "w", "monthly": "m"}


@dataclass(frozen=True)
class Backfill:
    """How a history is built: in what steps, and from which day on."""

    step: Step
    first: date = OPENING_DATE


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


def requests(
    backfill: Backfill,
    request: Request,
    recorded: Receipt | None,
    known_from: date | None,
    now: datetime,
) -> list[Request]:
    """The loads that build the history which was asked for, in order.

    A dataset that holds the beginning of it is gone on with, so that a history that was interrupted
    is completed by asking for it again. All loads are of one company: that of the last day.

    Args:
        backfill: the steps.
        request: what else was asked for.
        recorded: the receipt of the dataset's last load, if there is one.
        known_from: the first day of which the dataset knows anything, if there is one.
        now: in UTC.

    Raises:
        LoadError: no such history can be built; the message says what to do.
    """
    if request.write_disposition == "append":
        raise LoadError(
            "--backfill keeps history, and append adds every row again at each step: leave out "
            "--write-disposition append."
        )
    if backfill.first < OPENING_DATE:
        raise LoadError(f"The company opened on {OPENING_DATE}: --from cannot be {backfill.first}.")
    last = last_day(request, recorded, now)
    if backfill.first > last:
        raise LoadError(f"--from {backfill.first} is later than {last}, the day to end on.")
    days = list(clock.days(backfill.first, last, _UNITS[backfill.step]))
    plain = replace(request, advance=None)
    if recorded is None or request.write_disposition == "replace":
        founding = replace(plain, epoch=request.epoch or _epoch(request, recorded, last))
        kept = None if request.write_disposition == "replace" else request.write_disposition
        later = replace(founding, write_disposition=kept)
        first, *others = days
        return [
            replace(founding, as_of=first),
            *(replace(later, as_of=day) for day in others),
        ]
    if known_from is None or known_from > backfill.first:
        raise LoadError(
            f"The dataset knows nothing of the days before {known_from or recorded.as_of}, and "
            "history cannot be put in behind what is loaded: add --write-disposition replace to "
            f"build it anew from {backfill.first}."
        )
    return [replace(plain, as_of=day) for day in days if day > recorded.as_of] or [
        replace(plain, as_of=last)
    ]


def _epoch(request: Request, recorded: Receipt | None, last: date) -> date:
    """The epoch of a company that is founded: the last day, unless it is the recorded one."""
    return last if recorded is None or request.named() else recorded.epoch
