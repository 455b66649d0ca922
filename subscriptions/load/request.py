"""LOAD: from what a person asked for, and what the dataset holds, to one definite load."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from subscriptions.extract import Company, CompanyError
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

    def named(self) -> dict[str, int | date]:
        """The parts of a company's identity that were named."""
        identity = {"seed": self.seed, "users": self.users, "epoch": self.epoch}
        return {name: value for name, value in identity.items() if value is not None}


@dataclass(frozen=True)
class Load:
    """One definite load: which company, on which day, under which dispositions."""

    company: Company
    as_of: date
    dispositions: Mapping[str, Disposition]
    workers: int


def resolve(request: Request, recorded: Receipt | None, today: date) -> Load:
    """Fill in what was not named from the dataset's last load, and refuse what cannot be.

    `replace` with another seed, size or epoch founds a new company, whose epoch is its first
    as-of unless named. Naming the recorded values again is no founding: the same command run
    twice loads the same company twice.

    Raises:
        LoadError: the request names no possible load; the message says what would be one.
    """
    chosen = request.write_disposition
    if chosen is not None and chosen not in DISPOSITIONS:
        raise LoadError(f"Unknown write disposition {chosen!r}: use {', '.join(DISPOSITIONS)}.")
    if request.workers is not None and request.workers < 1:
        raise LoadError("--workers must be 1 or more.")
    as_of = request.as_of or max([today, *([recorded.as_of] if recorded else [])])
    known = {name: getattr(recorded, name) for name in request.named()} if recorded else {}
    founding = recorded is None or (chosen == "replace" and request.named() != known)
    if recorded is not None and chosen != "replace":
        _refuse_other(request, recorded, as_of)
    seed = recorded.seed if recorded else DEFAULT_SEED
    users = recorded.users if recorded else DEFAULT_USERS
    epoch = as_of if founding or recorded is None else recorded.epoch
    try:
        company = Company(
            seed=seed if request.seed is None else request.seed,
            users=users if request.users is None else request.users,
            epoch=request.epoch or epoch,
        )
        company.partitions(as_of)  # refuses an impossible as-of before anything is started
    except CompanyError as refusal:
        raise LoadError(str(refusal)) from refusal
    return Load(
        company=company,
        as_of=as_of,
        dispositions={table.name: chosen or table.disposition for table in TABLES},
        workers=request.workers or os.cpu_count() or 1,
    )


def _refuse_other(request: Request, recorded: Receipt, as_of: date) -> None:
    """Refuse to continue a dataset with another company or on another day."""
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
    if as_of != recorded.as_of:
        raise LoadError(
            f"{holds}, and cannot be moved to {as_of} yet: use --as-of {recorded.as_of} to load "
            "it again, or --write-disposition replace to load the other day in its place."
        )
