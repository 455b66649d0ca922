"""EXTRACT, company: one synthetic company, cut into partitions, as of any date."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pyarrow as pa

from subscriptions.extract.growth import OPENING_DATE, Signups, day_number
from subscriptions.extract.partition import Changes, Partition
from subscriptions.extract.plans import PLANS, plan_table
from subscriptions.extract.subscriptions import ENOUGH_TIME, Slots, ends, first_slots, go_on, settle
from subscriptions.extract.usage import (
    ROWS_PER_USER,
    daily_quotas,
    join_rows,
    rows_after_epoch,
    rows_until_epoch,
    usage_numbers,
)

__all__ = ["OPENING_DATE", "PARTITION_USERS", "Company", "CompanyError"]

LARGEST_SEED = 2**63 - 1
MOST_USERS = 50_000_000
PARTITION_USERS = 50_000
_KEYS = 2**32


class CompanyError(ValueError):
    """A company, or a day of it, that cannot be; the message is one sentence for people."""


def subscriptions_due(users: int) -> int:
    """How many subscriptions the first so many users have at the epoch."""
    return (1717 * users + 500) // 1000


@dataclass(frozen=True)
class Company:
    """A pure function of seed, users and epoch: the day on which it has exactly `users` users.

    Everything that will ever happen to it is decided by these three. The tables of a day are what
    has happened by then, so that days before the epoch are prefixes and days after it go on.
    Instances are immutable, hashable and picklable, and cheap to make anew.
    """

    seed: int
    users: int
    epoch: date

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= LARGEST_SEED:
            raise CompanyError(f"The seed must be 0 to {LARGEST_SEED}, not {self.seed}.")
        if not 1 <= self.users <= MOST_USERS:
            raise CompanyError(f"A company has 1 to {MOST_USERS:,} users, not {self.users:,}.")
        if self.epoch < OPENING_DATE:
            raise CompanyError(
                f"The company opened on {OPENING_DATE}, so its epoch cannot be {self.epoch}."
            )
        self._reached(self.epoch)

    @cached_property
    def _signups(self) -> Signups:
        return Signups(self.seed, self.users, day_number(self.epoch))

    @cached_property
    def _stride(self) -> int:
        """Row number of a subscription: its step times this, plus its user.

        Room for eight times as many users where 32 bits allow it, for 34 % more at 50 million;
        2^32 / stride subscriptions for each user: 1,024 in a small company, 64 in the largest.
        """
        return min(1 << 26, max(1 << 22, 1 << (8 * self.users - 1).bit_length()))

    @cached_property
    def _bar(self) -> float:
        """How willing users who sign up after the epoch are to stay: as those of partition 0."""
        return self._settled(0)[1]

    def partitions(self, as_of: date) -> int:
        """The number of partitions at a date: fixed ranges of user numbers.

        First those of the epoch's users, then those of later sign-ups. Raises CompanyError for a
        date before the opening, or so late that 32-bit keys run out.
        """
        later = self._signups.count(self._reached(as_of)) - self.users
        return self._early_partitions + -(-later // PARTITION_USERS)

    def partition(self, number: int, as_of: date) -> dict[str, pa.Table]:
        """`user`, `subscription` and `usage` of a partition as of a date; see SCHEMAS.

        Raises CompanyError as `partitions` does, and for a number that it does not count.
        """
        day = self._counted(number, as_of)
        return self._trajectory(number, day).tables(day)

    def changes(self, number: int, as_of: date, since: date) -> Changes:
        """What became of a partition between an earlier date and a later one.

        Its cost is that of looking at every user, but of making only the rows that are new or
        changed. Raises CompanyError as `partition` does, and for a `since` after `as_of`.
        """
        day = self._counted(number, as_of)
        if since > as_of:
            raise CompanyError(f"Nothing can have changed between {since} and the earlier {as_of}.")
        earlier = self._reached(since)
        return self._trajectory(number, day, earlier).changes(day, earlier)

    def plans(self, as_of: date) -> pa.Table:
        """The price list as of a date; the fees of the epoch hold on it and before."""
        return plan_table(self.seed, self._reached(as_of) - self._signups.epoch)

    def about_rows(self, as_of: date) -> dict[str, int]:
        """Roughly how many rows each table has as of a date, for those who show progress.

        Exact at an epoch that leaves time for all subscriptions.
        """
        day = self._reached(as_of)
        users = self._signups.count(day)
        later = day > self._signups.epoch
        usage = usage_numbers(self._signups, day) if later else ROWS_PER_USER * users
        due = subscriptions_due(self.users) * usage // (ROWS_PER_USER * self.users)
        return {"plan": len(PLANS), "user": users, "subscription": due, "usage": usage}

    def notes(self, as_of: date, subscriptions: int) -> list[str]:
        """What to tell people about a dataset as of a date that holds so many subscriptions."""
        due = subscriptions_due(self.users)
        if as_of != self.epoch or subscriptions >= due:
            return []
        reason = f"An epoch before {ENOUGH_TIME} leaves too little time for {due:,} subscriptions"
        return [f"{reason}: {subscriptions:,} were possible."]

    @property
    def _early_partitions(self) -> int:
        return -(-self.users // PARTITION_USERS)

    def _range(self, number: int) -> tuple[int, int]:
        """First user of a partition, and the one after its last."""
        early = self._early_partitions
        if number < early:
            first = number * PARTITION_USERS
            return first, min(first + PARTITION_USERS, self.users)
        first = self.users + (number - early) * PARTITION_USERS
        return first, first + PARTITION_USERS

    def _settled(self, number: int) -> tuple[Slots, float]:
        """The slots of one of the epoch's partitions up to the epoch, and the bar after it."""
        first, after = self._range(number)
        users = np.arange(first, after)
        start = first_slots(self.seed, users, self._signups.days(users, self._signups.epoch))
        wanted = subscriptions_due(after) - subscriptions_due(first)
        return settle(self.seed, start, self._signups.epoch, wanted)

    def _counted(self, number: int, as_of: date) -> int:
        """The day number of a date on which there is a partition of that number."""
        day = self._reached(as_of)
        if not 0 <= number < self.partitions(as_of):
            raise CompanyError(f"There is no partition {number} on {as_of}.")
        return day

    def _trajectory(self, number: int, day: int, since: int | None = None) -> Partition:
        """A partition up to the epoch, or up to `day` where that is later.

        Usage rows up to `since` may be left out: they are the bulk of the work and never change.
        """
        signups = self._signups
        first, after = self._range(number)
        if number < self._early_partitions:
            slots, bar = self._settled(number)
        else:
            users = np.arange(first, min(after, signups.count(day)))
            slots, bar = first_slots(self.seed, users, signups.days(users, day)), self._bar
        slots = go_on(self.seed, slots, signups.epoch, bar, day)
        end = ends(slots)
        quotas = (
            quota
            for quota in daily_quotas(signups, first, after, day)
            if since is None or quota.day > since
        )
        rows = rows_after_epoch(self.seed, slots, end, quotas)
        if number < self._early_partitions and (since is None or since < signups.epoch):
            rows.insert(0, rows_until_epoch(self.seed, slots, end, signups.epoch, first, after))
        return Partition(self.seed, self._stride, slots, end, join_rows(rows))

    def _reached(self, as_of: date) -> int:
        """The day number of a date that the company can reach; else CompanyError."""
        if as_of < OPENING_DATE:
            raise CompanyError(
                f"The company opened on {OPENING_DATE}, so there is nothing as of {as_of}."
            )
        day = day_number(as_of)
        months = 12 * (as_of.year - OPENING_DATE.year) + as_of.month - OPENING_DATE.month
        if (
            (months + 1) * self._stride > _KEYS
            or self._signups.count(day) > self._stride
            or usage_numbers(self._signups, day) > _KEYS
        ):
            raise CompanyError(
                f"A company with {self.users:,} users on {self.epoch} runs out of 32-bit keys "
                f"before {as_of}."
            )
        return day
