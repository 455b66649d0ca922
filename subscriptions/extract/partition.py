"""EXTRACT, partition: what happens to one range of users, and its tables as of any day."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from subscriptions.extract.plans import FREE
from subscriptions.extract.randomness import Ints, Mask, Stream
from subscriptions.extract.subscriptions import PAYMENT_METHODS, Slots
from subscriptions.extract.tables import dates, integers, keys, table, words
from subscriptions.extract.usage import Rows, levels
from subscriptions.extract.users import people, user_table

_STATUSES = pa.array(["Inactive", "Active"])


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

    def tables(self, as_of: int, since: int | None = None) -> dict[str, pa.Table]:
        """`user`, `subscription` and `usage` as of a day.

        With `since`, only the rows that are new or differ from their state on that earlier day;
        no row ever disappears.
        """
        return {
            "user": self._users(as_of, since),
            "subscription": self._subscriptions(as_of, since),
            "usage": self._usage(as_of, since),
        }

    def _latest(self, day: int) -> Ints:
        """For each user the position of the latest slot started by a day; -1 before sign-up."""
        first = np.flatnonzero(self.slots.step == 0)
        if len(first) == 0:
            return first
        started = np.add.reduceat((self.slots.start <= day).astype(np.int64), first)
        return np.where(started > 0, first + started - 1, -1)

    def _users(self, as_of: int, since: int | None) -> pa.Table:
        first = self.slots.where(self.slots.step == 0)
        latest = self._latest(as_of)
        chosen = latest >= 0
        person = people(self.seed, first.user, first.start, as_of)
        if since is not None:
            before = self._latest(since)
            moved = self.slots.plan[before] != self.slots.plan[latest]
            moved |= people(self.seed, first.user, first.start, since).differs(person)
            chosen &= (before < 0) | moved
        plan = self.slots.plan[latest[chosen]]
        first = first.where(chosen)
        return user_table(self.seed, first.user, first.start, plan, person.where(chosen))

    def _state(self, day: int) -> tuple[Mask, Mask, Mask]:
        """Which slots have started by a day, of which the end is known, and which are active."""
        started = self.slots.start <= day
        # The end of a free one is known once the paid one after it has started.
        known = (self.slots.plan != FREE) | (self.end < day)
        return started, known, started & (~known | (self.end >= day))

    def _subscriptions(self, as_of: int, since: int | None) -> pa.Table:
        chosen, known, active = self._state(as_of)
        if since is not None:
            started, known_before, active_before = self._state(since)
            chosen &= ~started | (known != known_before) | (active != active_before)
        slots = self.slots.where(chosen)
        columns = [
            keys(self.seed, Stream.SUBSCRIPTION_KEY, slots.step * self.stride + slots.user),
            keys(self.seed, Stream.USER_KEY, slots.user),
            integers(slots.plan),
            dates(slots.start),
            dates(self.end[chosen], known[chosen]),
            words(pa.array(PAYMENT_METHODS), slots.payment, slots.plan != FREE),
            words(_STATUSES, active[chosen]),
        ]
        return table("subscription", columns)

    def _usage(self, as_of: int, since: int | None) -> pa.Table:
        chosen = self.rows.day <= as_of
        if since is not None:
            chosen &= self.rows.day > since
        rows = self.rows.where(chosen)
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
