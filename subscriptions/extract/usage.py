"""EXTRACT, usage: on which days who worked with the product, and how much."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from subscriptions.extract.growth import SATURDAY, Signups, weekday
from subscriptions.extract.plans import PLANS
from subscriptions.extract.randomness import Ints, Mask, Stream, below, draw
from subscriptions.extract.subscriptions import Slots

ROWS_PER_USER = 5
# Rows after the epoch by weekday, Monday first; on average 20.
_WEEKDAY_WEIGHTS = (23, 23, 23, 23, 23, 13, 12)
_MEAN_WEIGHT = 20

# How active the users of 256 equal groups are: Pareto's law with exponent 1, cut off at 16 times
# the least. So most are light users, and a few do much of the work.
_ACTIVITY = np.minimum(2560 // (256 - np.arange(256)), 160)
# By plan, Free first: days of use, actions a day, and calls for 10 actions.
_DAYS = np.array([4, 8, 10, 12, 14])
_ACTIONS = np.array([8, 20, 36, 60, 90])
_CALLS = np.array([2, 8, 30, 60, 100])
# Storage is reckoned in hundredths of a MB, whole numbers, so that two decimals are exact.
_STORAGE = np.array([plan.storage * 100 for plan in PLANS])
_FULL = 10_000
_MATURE_DAYS = 720
_LONGEST_DAY = 900


@dataclass(frozen=True)
class Rows:
    """Usage rows as columns of equal length."""

    number: Ints
    """Row number, the source of its key and its randomness."""
    slot: Ints
    """Position of its subscription in the slots it was made from."""
    day: Ints

    def where(self, chosen: Mask | slice) -> "Rows":
        """The chosen rows."""
        return Rows(self.number[chosen], self.slot[chosen], self.day[chosen])


def _attraction(seed: int, slots: Slots) -> Ints:
    """How strongly each subscription attracts a row a day: its user's activity, its plan."""
    attraction: Ints = activity(seed, slots.user) * _DAYS[slots.plan - 1]
    return attraction


def activity(seed: int, users: Ints) -> Ints:
    """10 for the lightest users to 160 for the heaviest."""
    return _ACTIVITY[below(draw(seed, Stream.ACTIVITY, users), 256)]


def _allot(weights: Ints, days: Ints, total: int) -> Ints:
    """Rows for each subscription: `total` in all, by weight, and spread over days if they can be.

    A subscription gets at most one row a day until every day of every one has a row; whole rounds
    beyond that go to all days alike.
    """
    rounds, rest = divmod(total, int(days.sum()))
    allotted = rounds * days
    full = np.zeros(len(days), np.bool_)
    while True:
        left = rest - int(days[full].sum())
        weight = np.where(full, 0, weights)
        sum_of_weights = max(1, int(weight.sum()))
        overflowing = ~full & (weight * left > days * sum_of_weights)
        if not overflowing.any():
            break
        full |= overflowing
    # Cumulative rounding: the parts add up exactly, and none is off by one row or more.
    reached = np.cumsum(weight) * left // sum_of_weights
    allotted += np.diff(reached, prepend=0)
    allotted[full] += days[full]
    return allotted


def rows_until_epoch(
    seed: int, slots: Slots, end: Ints, epoch: int, first: int, after: int
) -> Rows:
    """Exactly 5 rows for each user from `first` to before `after`, by the epoch, in one run."""
    early = np.flatnonzero(slots.start <= epoch)
    start = slots.start[early]
    days = np.minimum(end[early], epoch) - start + 1
    number = np.arange(ROWS_PER_USER * first, ROWS_PER_USER * after)
    count = _allot(_attraction(seed, slots.where(early)) * days, days, len(number))
    place = np.arange(len(number)) - np.repeat(np.cumsum(count) - count, count)
    # Each row has a stretch of its subscription to itself, so one user's days differ.
    days, share = np.repeat(days, count), np.repeat(count, count)
    low = place * days // share
    width = np.maximum((place + 1) * days // share - low, 1)
    low += np.repeat(start, count)
    bits = draw(seed, Stream.USAGE_DAY, number)
    day = low + below(bits, width)
    # Half of those who would work at a weekend take another day of the stretch.
    moving = np.flatnonzero((weekday(day) >= SATURDAY) & ((bits & np.uint64(1)) == 0))
    again = draw(seed, Stream.USAGE_DAY, number[moving], 1)
    day[moving] = low[moving] + below(again, width[moving])
    return Rows(number, np.repeat(early, count), day)


def _due(signups: Signups, population: int, day: int) -> int:
    """Rows on a day after the epoch of the users numbered below `population`.

    A user's rows a day are, on average, what they were by the epoch: 5 rows a user, over the days
    that they had been users. That goes on, but at most at one row for 6 days: a company some days
    old has had no time to show its habits.
    """
    user_days = max(signups.user_days, 30 * signups.users)
    weight = _WEEKDAY_WEIGHTS[weekday(day)]
    return population * ROWS_PER_USER * signups.users * weight // (user_days * _MEAN_WEIGHT)


class Quota(NamedTuple):
    """How many rows a range of users may have on a day, and the number of the first."""

    day: int
    first_number: int
    rows: int


def daily_quotas(signups: Signups, first: int, after: int, last_day: int) -> Iterator[Quota]:
    """The quota of a range of users for each day from the epoch's next one on.

    Rounded over the running number of users, so the ranges' numbers are contiguous within a day,
    and the days' contiguous in time: they can be had without looking at any other range.
    """
    number = ROWS_PER_USER * signups.users
    for day, population in enumerate(signups.later_counts(last_day), signups.epoch + 1):
        before = _due(signups, min(first, population), day)
        rows = _due(signups, min(after, population), day) - before
        yield Quota(day, number + before, rows)
        number += _due(signups, population, day)


@lru_cache(maxsize=64)
def usage_numbers(signups: Signups, last_day: int) -> int:
    """How many row numbers are given away by the end of a day."""
    later = enumerate(signups.later_counts(last_day), signups.epoch + 1)
    return ROWS_PER_USER * signups.users + sum(_due(signups, n, day) for day, n in later)


def rows_after_epoch(seed: int, slots: Slots, end: Ints, quotas: Iterable[Quota]) -> list[Rows]:
    """For each quota at most its rows, each in a subscription that covers the day.

    They stand at equal distances, from a random start, on the line of all active subscriptions,
    each as long as it is active. One that would get two gets one.
    """
    attraction = _attraction(seed, slots)
    rows = []
    for quota in quotas:
        active = np.flatnonzero((slots.start <= quota.day) & (end >= quota.day))
        if quota.rows == 0 or len(active) == 0:
            continue
        line = np.cumsum(attraction[active])
        length = int(line[-1])
        offset = below(draw(seed, Stream.USAGE_SHARE, np.array([quota.first_number])), length)
        places = (np.arange(quota.rows) * length + offset) // quota.rows
        slot, kept = np.unique(np.searchsorted(line, places, side="right"), return_index=True)
        day = np.full(len(kept), quota.day)
        rows.append(Rows(quota.first_number + kept, active[slot], day))
    return rows


def join_rows(parts: Sequence[Rows]) -> Rows:
    """All rows, in the order of the parts."""
    none = np.zeros(0, np.int64)
    return Rows(
        np.concatenate([none, *(part.number for part in parts)]),
        np.concatenate([none, *(part.slot for part in parts)]),
        np.concatenate([none, *(part.day for part in parts)]),
    )


@dataclass(frozen=True)
class Levels:
    """What was done on the day of each row."""

    actions: Ints
    storage: Ints
    """Hundredths of a MB."""
    calls: Ints
    minutes: Ints


def levels(seed: int, slots: Slots, rows: Rows) -> Levels:
    """Levels that fit the plan and the user, and grow while a subscription lasts.

    All factors are whole numbers in percent, but for the drive, of which 40 is ordinary.
    """

    def spread(question: int) -> Ints:
        """Half to one and a half, in percent."""
        return 50 + below(draw(seed, Stream.USAGE_LEVEL, rows.number, question), 101)

    user, plan = slots.user[rows.slot], slots.plan[rows.slot] - 1
    in_subscription = np.minimum(rows.day - slots.start[rows.slot], 30)
    warmth = 70 + 2 * in_subscription
    drive = 20 + activity(seed, user) // 2
    actions = 1 + _ACTIONS[plan] * drive * warmth * spread(0) // (40 * 100 * 100)
    calls = actions * _CALLS[plan] * spread(1) // (10 * 100)
    minutes = np.minimum(2 + actions * spread(2) * 6 // (10 * 100), _LONGEST_DAY)
    # A user fills a share of the plan's storage that is their own, more of it as time goes by.
    taste = below(draw(seed, Stream.STORAGE, user), 4000)
    first = np.flatnonzero(slots.step == 0)[np.cumsum(slots.step == 0) - 1]
    tenure = np.minimum(rows.day - slots.start[first[rows.slot]], _MATURE_DAYS)
    filled = (200 + taste) * (60 + tenure // 4) * (900 + spread(3)) // (100 * 1000)
    storage = _STORAGE[plan] * np.minimum(filled, _FULL) // _FULL
    storage -= below(draw(seed, Stream.USAGE_LEVEL, rows.number, 4), 1 + storage // 64)
    return Levels(actions, storage, calls, minutes)
