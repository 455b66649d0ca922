"""EXTRACT, partition: what happens to one range of users, and its tables as of any day."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from subscriptions.extract.plans import FREE
from subscriptions.extract.randomness import Ints, Mask, Stream
from subscriptions.extract.subscriptions import PAYMENT_METHODS, Slots
from subscriptions.extract.tables import dates, integers, keys, table, words
from subscriptions.extract.usage import Rows, levels
from subscriptions.extract.users import may_have_changed, people, user_table

_STATUSES = pa.array(["Inactive", "Active"])
# Usage rows to work out at a time: the steps in between take some 200 bytes each.
_USAGE_AT_ONCE = 1 << 15


class State(NamedTuple):
    """Slots on a day: which have started, of which the end is known, and which are active."""

    started: Mask
    known: Mask
    active: Mask


@dataclass(frozen=True)
class Changes:
    """What became of a partition between two days, by table; no row ever disappears."""

    before: Mapping[str, pa.Table]
    """The rows that have changed since, as they were on the earlier day."""
    after: Mapping[str, pa.Table]
    """The same rows, and the new ones, as they are on the later day."""


@dataclass(frozen=True)
class Partition:
    """The trajectory of a range of users: what happens when, whatever the day one looks at it.

    Its tables as of a day are what has happened by then. So an earlier day is a prefix, and going
    on from it leads to the same rows as looking at the later day at once.
    """

    seed: int
    stride: int
    """Row number of a subscription: its step times this, plus its user."""
    slots: Slots
    """By user and step, all users of the range."""
    end: Ints
    """The last day of each slot; see `ends`."""
    rows: Rows

    def tables(self, as_of: int) -> dict[str, pa.Table]:
        """`user`, `subscription` and `usage` as of a day."""
        state = self._state(as_of)
        return {
            "user": self._users(as_of, self._latest(as_of) >= 0),
            "subscription": self._subscriptions(state, state.started),
            "usage": self._usage(self.rows.day <= as_of),
        }

    def changes(self, as_of: int, since: int) -> Changes:
        """What is new on a day, or differs from its state on an earlier one."""
        new_users, moved = self._changed_users(as_of, since)
        then, now = self._state(since), self._state(as_of)
        differ = (then.known != now.known) | (then.active != now.active)
        new, changed = now.started & ~then.started, then.started & differ
        rows = (self.rows.day <= as_of) & (self.rows.day > since)
        return Changes(
            before={
                "user": self._users(since, moved),
                "subscription": self._subscriptions(then, changed),
                "usage": self._usage(np.zeros_like(rows)),  # once there, it never changes
            },
            after={
                "user": self._users(as_of, new_users | moved),
                "subscription": self._subscriptions(now, new | changed),
                "usage": self._usage(rows),
            },
        )

    def _latest(self, day: int) -> Ints:
        """For each user the position of the latest slot started by a day; -1 before sign-up."""
        first = np.flatnonzero(self.slots.step == 0)
        if len(first) == 0:
            return first
        started = np.add.reduceat((self.slots.start <= day).astype(np.int64), first)
        return np.where(started > 0, first + started - 1, -1)

    def _changed_users(self, as_of: int, since: int) -> tuple[Mask, Mask]:
        """Who signed up between two days, and who had by the earlier one and changed since."""
        first = self.slots.where(self.slots.step == 0)
        before, latest = self._latest(since), self._latest(as_of)
        there = before >= 0
        moved = there & (self.slots.plan[before] != self.slots.plan[latest])
        some = there & may_have_changed(self.seed, first.user, first.start, since, as_of)
        those = first.where(some)
        then, now = (people(self.seed, those.user, those.start, day) for day in (since, as_of))
        moved[some] |= then.differs(now)
        return ~there & (latest >= 0), moved

    def _users(self, as_of: int, chosen: Mask) -> pa.Table:
        first = self.slots.where(self.slots.step == 0).where(chosen)
        plan = self.slots.plan[self._latest(as_of)[chosen]]
        person = people(self.seed, first.user, first.start, as_of)
        return user_table(self.seed, first.user, first.start, plan, person)

    def _state(self, day: int) -> State:
        started = self.slots.start <= day
        # The end of a free one is known once the paid one after it has started.
        known = (self.slots.plan != FREE) | (self.end < day)
        return State(started, known, started & (~known | (self.end >= day)))

    def _subscriptions(self, state: State, chosen: Mask) -> pa.Table:
        slots = self.slots.where(chosen)
        columns = [
            keys(self.seed, Stream.SUBSCRIPTION_KEY, slots.step * self.stride + slots.user),
            keys(self.seed, Stream.USER_KEY, slots.user),
            integers(slots.plan),
            dates(slots.start),
            dates(self.end[chosen], state.known[chosen]),
            words(pa.array(PAYMENT_METHODS), slots.payment, slots.plan != FREE),
            words(_STATUSES, state.active[chosen]),
        ]
        return table("subscription", columns)

    def _usage(self, chosen: Mask) -> pa.Table:
        rows = self.rows.where(chosen)
        starts = range(0, max(len(rows.number), 1), _USAGE_AT_ONCE)
        some = (rows.where(slice(start, start + _USAGE_AT_ONCE)) for start in starts)
        return pa.concat_tables(map(self._usage_table, some))

    def _usage_table(self, rows: Rows) -> pa.Table:
        level = levels(self.seed, self.slots, rows)
        columns = [
            keys(self.seed, Stream.USAGE_KEY, rows.number),
            keys(self.seed, Stream.USER_KEY, self.slots.user[rows.slot]),
            integers(self.slots.plan[rows.slot]),
            dates(rows.day),
            integers(level.actions),
            pa.array(level.storage / 100.0),
            integers(level.calls),
            integers(level.minutes),
        ]
        return table("usage", columns)
