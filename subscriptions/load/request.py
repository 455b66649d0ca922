"""LOAD: from what a person asked for, and what the dataset holds, to one definite load."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from subscriptions.extract import Company, CompanyError
from subscriptions.extract.company import OPENING_DATE
from subscriptions.load import clock
from subscriptions.load.clock import Step
from subscriptions.load.errors import LoadError
from subscriptions.load.receipt import Receipt
from subscriptions.load.tables import DISPOSITIONS, TABLES, Disposition

DEFAULT_SEED = 42
DEFAULT_USERS = 1000


@dataclass(frozen=True)
class Request:
    """What was named on the command line; None is what was not."""

    users: int | None = None
    seed: int | None = None
    as_of: date | None = None
    epoch: date | None = None
    write_disposition: Disposition | None = None
    workers: int | None = None
    advance: str | None = None
    """How much later than the last load: `30d`, `2w`, `3m`."""
    backfill: Step | None = None
    """To be loaded step by step, so that each has its place in history."""
    first: date | None = None
    """The first day of that history; the company's opening, if none is named."""
    wait: float = 0
    """Seconds that another load of the dataset has to end."""

    def check(self) -> None:
        """Refuse what can be refused without looking at the database.

        Raises:
            LoadError: with a sentence that says what would do.
        """
        if self.workers is not None and self.workers < 1:
            raise LoadError(f"--workers must be 1 or more, not {self.workers}.")
        if self.advance is not None:
            if self.as_of is not None:
                raise LoadError("Name --as-of, the day, or --advance, how much later: not both.")
            clock.advance(OPENING_DATE, self.advance)
        self._check_backfill()
        if self.as_of is not None and self.as_of < OPENING_DATE:
            raise LoadError(
                f"The company opened on {OPENING_DATE}: --as-of cannot be {self.as_of}."
            )
        # What a company of another epoch could not reach says nothing of the one that is meant.
        epoch = self.epoch or OPENING_DATE
        _company(
            DEFAULT_SEED if self.seed is None else self.seed,
            DEFAULT_USERS if self.users is None else self.users,
            epoch,
            epoch,
        )

    def _check_backfill(self) -> None:
        if self.first is not None and self.backfill is None:
            raise LoadError("--from is the first day of a --backfill: name both, or neither.")
        if self.first is not None and self.first < OPENING_DATE:
            raise LoadError(f"The company opened on {OPENING_DATE}: --from cannot be {self.first}.")
        if self.backfill is not None and self.write_disposition in {"append", "merge"}:
            raise LoadError(
                f"--backfill builds history, which {self.write_disposition} does not keep: leave "
                f"out --write-disposition {self.write_disposition}."
            )
        if self.backfill is not None and self.advance is not None:
            raise LoadError(
                "Name with --as-of the day that a --backfill ends on, instead of --advance: asked "
                "for again, it shall end there as well."
            )

    def named(self) -> dict[str, int | date]:
        """The parts of a company's identity that were named."""
        identity = {"seed": self.seed, "users": self.users, "epoch": self.epoch}
        return {name: value for name, value in identity.items() if value is not None}


def disposition(name: str | None) -> Disposition | None:
    """The write disposition of that name; None stays None.

    Raises:
        LoadError: there is none of that name.
    """
    for known in DISPOSITIONS:
        if name == known:
            return known
    if name is None:
        return None
    raise LoadError(f"Unknown write disposition {name!r}: use {', '.join(DISPOSITIONS)}.")


@dataclass(frozen=True)
class Load:
    """One definite load: which company, on which day, under which dispositions."""

    company: Company
    as_of: date
    dispositions: Mapping[str, Disposition]
    workers: int
    started_at: datetime

    @property
    def row_prefix(self) -> str:
        """Makes a row's `_dlt_id` unique among loads: when this one started, in base 36."""
        number, digits = int(self.started_at.timestamp() * 1_000_000), ""
        while number:
            number, digit = divmod(number, 36)
            digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
        return digits


def resolve(request: Request, recorded: Receipt | None, now: datetime) -> Load:
    """Fill in what was not named from the dataset's last load, and refuse what cannot be.

    `replace` with a seed, size or epoch founds a new company, whose epoch is its first as-of
    unless named: `--users 1000` means 1,000 users on the day of that load, whatever was there
    before. `now` is in UTC, and its day is today.

    Raises:
        LoadError: the request names no possible load; the message says what would be one.
    """
    request.check()
    replacing = request.write_disposition == "replace"
    as_of = last_day(request, recorded, now)
    if recorded is None or (replacing and request.named()):
        seed, users, epoch = DEFAULT_SEED, DEFAULT_USERS, as_of
        if recorded is not None:
            seed, users = recorded.seed, recorded.users
    else:
        seed, users, epoch = recorded.seed, recorded.users, recorded.epoch
        if not replacing:
            _refuse_other(request, recorded, as_of)
    return Load(
        company=_company(
            seed if request.seed is None else request.seed,
            users if request.users is None else request.users,
            request.epoch or epoch,
            as_of,
        ),
        as_of=as_of,
        dispositions={t.name: request.write_disposition or t.disposition for t in TABLES},
        workers=request.workers or _cores(),
        started_at=now,
    )


def last_day(request: Request, recorded: Receipt | None, now: datetime) -> date:
    """The day that a request leads to: the one named, or today, or the last load's if later.

    Raises:
        LoadError: it is reckoned from the last load's, and there is none.
    """
    if request.advance is not None:
        if recorded is None:
            raise LoadError("There is no company yet to advance: load one first.")
        if not recorded.finished and recorded.moved_from is not None:
            # Asked for again after it was killed: an advance that was published is not a step to
            # be taken once more.
            reached = clock.advance(recorded.moved_from, request.advance)
            if reached == recorded.as_of:
                return reached
        return clock.advance(recorded.as_of, request.advance)
    if request.write_disposition == "replace" and request.named():
        recorded = None  # of another company, whose clock is not that of the one to be founded
    return request.as_of or max([now.date(), *([recorded.as_of] if recorded else [])])


def _cores() -> int:
    """The cores that this process may use, which in a container are fewer than the machine's."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _company(seed: int, users: int, epoch: date, as_of: date) -> Company:
    """The company, if it and the day are possible."""
    try:
        company = Company(seed=seed, users=users, epoch=epoch)
        company.partitions(as_of)
    except CompanyError as refusal:
        raise LoadError(str(refusal)) from refusal
    return company


def _refuse_other(request: Request, recorded: Receipt, as_of: date) -> None:
    """Refuse to continue a dataset with another company, or to take it back in time."""
    other = [
        f"--{name} {value}"
        for name, value in request.named().items()
        if value != getattr(recorded, name)
    ]
    holds = (
        f"The dataset holds the company of seed {recorded.seed}, {recorded.users:,} users and "
        f"epoch {recorded.epoch} as of {recorded.as_of}"
    )
    if other:
        raise LoadError(
            f"{holds}: leave out {' and '.join(other)} to load it again, or add "
            "--write-disposition replace to found another company in its place."
        )
    if as_of < recorded.as_of:
        raise LoadError(
            f"{holds}, and what has happened by then cannot be undone: name --as-of "
            f"{recorded.as_of} or a later day, or add --write-disposition replace to load "
            f"{as_of} in its place."
        )
