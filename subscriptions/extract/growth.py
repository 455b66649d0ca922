"""EXTRACT, growth: on which day each user signs up."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import accumulate
from math import gcd
from typing import TypeVar

import numpy as np

from subscriptions.extract.randomness import Ints, Stream, draw

Days = TypeVar("Days", int, Ints)

_UNIX = date(1970, 1, 1).toordinal()
# Sign-ups by weekday, Monday first: a working-day product.
_WEEKDAY_WEIGHTS = (12, 12, 12, 12, 11, 6, 5)
# 2^(-1/150) in units of 2^-32: the curve doubles every 150 days. It is a literal, and the curve
# whole numbers, because powers of floats differ in their last bit from machine to machine.
_DAILY_DECLINE = 4275166118
_LAST_LEVEL = 1 << 40

SATURDAY = 5


def day_number(day: date) -> int:
    """Days since 1970-01-01, as Arrow's date32 and numpy's datetime64[D] count them."""
    return day.toordinal() - _UNIX


def weekday(days: Days) -> Days:
    """0 for Monday to 6 for Sunday; 1970-01-01 was a Thursday."""
    return (days + 3) % 7


OPENING_DATE = date(2024, 8, 1)
OPENING = day_number(OPENING_DATE)


def _weight(day: int) -> int:
    return _WEEKDAY_WEIGHTS[weekday(day)]


@dataclass(frozen=True)
class Signups:
    """The sign-up curve: exponential up to the epoch, at the epoch's rate afterwards.

    Users are numbered from 0; those of the epoch come first, in no order of time, so that every
    range of them is a fair sample of the whole company; later ones follow in order of time.
    `epoch` is a day number.
    """

    seed: int
    users: int
    epoch: int

    @cached_property
    def _weights(self) -> list[int]:
        """One weight a day from the opening to the epoch, computed backwards from the last one."""
        levels = [_LAST_LEVEL]
        for _ in range(self.epoch - OPENING):
            levels.append(levels[-1] * _DAILY_DECLINE >> 32)
        levels.reverse()
        return [level * _weight(day) for day, level in enumerate(levels, OPENING)]

    @cached_property
    def counts(self) -> Ints:
        """How many users there are at the end of each day from the opening to the epoch.

        Rounded to the nearest, not down, so that a lone user signs up mid-way and not at the end.
        """
        total = sum(self._weights)
        running = accumulate(self._weights)
        return np.array([(self.users * w + total // 2) // total for w in running], np.int64)

    @cached_property
    def user_days(self) -> int:
        """Days between sign-up and epoch, both included, added up over all users."""
        return int(self.counts.sum())

    def later_counts(self, as_of: int) -> list[int]:
        """How many users there are at the end of each day after the epoch, up to `as_of`."""
        total = sum(self._weights)
        rate = self.users * _LAST_LEVEL
        running = accumulate(map(_weight, range(self.epoch + 1, as_of + 1)))
        return [self.users + rate * weight // total for weight in running]

    def count(self, as_of: int) -> int:
        """How far users are numbered at `as_of`: at least `users`, also before the epoch."""
        if as_of <= self.epoch:
            return self.users
        # One sum instead of a day-by-day curve: whole weeks, then the days of the last one.
        weeks, rest = divmod(as_of - self.epoch, 7)
        days = range(self.epoch + 1, self.epoch + 1 + rest)
        weight = weeks * sum(_WEEKDAY_WEIGHTS) + sum(map(_weight, days))
        return self.users + self.users * _LAST_LEVEL * weight // sum(self._weights)

    @cached_property
    def _order(self) -> tuple[int, int]:
        """Factor and offset of the permutation that says who signs up in which place."""
        # Near the golden section: any range of users is spread evenly over the whole curve.
        factor = max(1, self.users * 618_034 // 1_000_000)
        while gcd(factor, self.users) != 1:
            factor += 1
        offset = int(draw(self.seed, Stream.SIGNUP, np.zeros(1, np.int64))[0])
        return factor, offset % self.users

    def days(self, numbers: Ints, as_of: int) -> Ints:
        """The sign-up day of each user number below `count(as_of)`."""
        factor, offset = self._order
        early = numbers < self.users
        places = (numbers[early] * factor + offset) % self.users
        days = np.empty(len(numbers), np.int64)
        days[early] = OPENING + np.searchsorted(self.counts, places, side="right")
        if not early.all():
            later = np.array(self.later_counts(as_of), np.int64)
            days[~early] = self.epoch + 1 + np.searchsorted(later, numbers[~early], side="right")
        return days
