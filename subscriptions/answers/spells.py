"""ANSWERS: from when to when somebody is a customer: spells of consecutive paid subscriptions.

A spell goes on with the user's next subscription if that is paid and starts after at most 7 days
without one. It has ended, on the day after its last paid day, once another subscription has
started (a move to Free ends it whatever the gap) or the 7 days of grace are over. Until then the
user still counts as a customer, also without a subscription.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from subscriptions.answers.truth import NOTHING, Subscription, Truth, User

_DAY = timedelta(days=1)
# The latest start after a last paid day that leaves no more than 7 days between.
_IN_TIME = 8 * _DAY


@dataclass(frozen=True)
class Spell:
    """A user's consecutive paid subscriptions, by start."""

    user: User
    subscriptions: Sequence[Subscription]
    churn_day: date | None
    """The first day that it does not cover any more; None while it is open."""
    is_first: bool
    """Whether it makes the user a new customer; a later one is a reactivation."""

    @property
    def start(self) -> date:
        """Its first day."""
        return self.subscriptions[0].start

    def covers(self, day: date) -> bool:
        """Whether the user is a customer on the day by this spell."""
        return self.start <= day and (self.churn_day is None or day < self.churn_day)

    def fee_on(self, day: date) -> Decimal:
        """The fee of its subscription that covers the day; 0 in a gap."""
        return sum((s.fee for s in self.subscriptions if s.covers(day)), NOTHING)

    def plan_on(self, day: date) -> int:
        """The plan of its latest subscription started by the day, which is not before its first."""
        return [s.plan_id for s in self.subscriptions if s.start <= day][-1]


def spells(truth: Truth) -> Iterator[Spell]:
    """Everybody's spells by the as-of date, a user's in order of time."""
    for user in truth.users:
        yield from of_chain(user, truth.chains[user.user_id], truth.as_of)


def of_chain(user: User, chain: Sequence[Subscription], as_of: date) -> Iterator[Spell]:
    """The spells in all of one user's subscriptions that have started by the as-of date."""
    paid: list[Subscription] = []
    is_first = True
    for subscription, following in zip(chain, [*chain[1:], None], strict=True):
        if subscription.fee == 0:
            continue
        paid.append(subscription)
        last = subscription.end
        if last is None:
            raise ValueError(f"A paid subscription of {user.user_id} has no end.")
        if following is None:
            churn_day = last + _DAY if as_of >= last + _IN_TIME else None
        elif following.fee > 0 and following.start <= last + _IN_TIME:
            continue
        else:
            churn_day = last + _DAY
        yield Spell(user, tuple(paid), churn_day, is_first)
        paid, is_first = [], False
