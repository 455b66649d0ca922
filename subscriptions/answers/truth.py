"""ANSWERS: what is true of a company as of a day: all that the marts are reckoned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

from subscriptions.answers.plan_history import Fees, PlanHistory
from subscriptions.extract import Company

NOTHING = Decimal("0.00")
_DAY = timedelta(days=1)


class Plan(NamedTuple):
    """A line of the price list as of the day."""

    plan_id: int
    name: str
    fee: Decimal


class User(NamedTuple):
    """A user as of the day, whose region and referral source hold for the whole past."""

    user_id: str
    signup_date: date
    plan_id: int
    region: str
    referral_source: str


class Subscription(NamedTuple):
    """A subscription; its fee is that of its plan on its start."""

    plan_id: int
    start: date
    end: date | None
    """Inclusive; None while a free one goes on."""
    fee: Decimal

    def covers(self, day: date) -> bool:
        """Whether the day lies within it."""
        return self.start <= day and (self.end is None or day <= self.end)


class Usage(NamedTuple):
    """What a user did on a day."""

    user_id: str
    plan_id: int
    usage_date: date
    actions: int
    storage_mb: Decimal
    api_calls: int
    active_minutes: int


class Month(NamedTuple):
    """A month, and the day on which it is measured: its last; the as-of date in the last month."""

    first: date
    measured_on: date


@dataclass(frozen=True)
class Truth:
    """A company as of a day, with the fees that its dataset's history gives the subscriptions."""

    as_of: date
    plans: Sequence[Plan]
    users: Sequence[User]
    chains: Mapping[str, Sequence[Subscription]]
    """By user_id, all that have started, by start."""
    usage: Sequence[Usage]

    @cached_property
    def months(self) -> Sequence[Month]:
        """From that of the first sign-up to that of the as-of date; none without users."""
        found: list[Month] = []
        if not self.users:
            return found
        first = min(user.signup_date for user in self.users).replace(day=1)
        while first <= self.as_of:
            following = (first + timedelta(days=31)).replace(day=1)
            found.append(Month(first, min(following - _DAY, self.as_of)))
            first = following
        return found

    @cached_property
    def days(self) -> Sequence[date]:
        """From the first sign-up to the as-of date; none without users."""
        if not self.users:
            return []
        first = min(user.signup_date for user in self.users)
        return [first + n * _DAY for n in range((self.as_of - first).days + 1)]

    @property
    def paid_plans(self) -> Sequence[Plan]:
        """Those that cost something."""
        return [plan for plan in self.plans if plan.fee > 0]

    def paid(self, user: User) -> Sequence[Subscription]:
        """The user's subscriptions with a fee above 0, by start."""
        return [subscription for subscription in self.chains[user.user_id] if subscription.fee > 0]


def fees(company: Company, as_of: date) -> Fees:
    """The company's price list as of a day."""
    plans: list[dict[str, Any]] = company.plans(as_of).to_pylist()
    return {plan["plan_id"]: plan["monthly_fee"] for plan in plans}


def truth(company: Company, as_of: date, history: PlanHistory) -> Truth:
    """The company as of a day, straight from the generator, partition after partition."""
    users: list[User] = []
    chains: dict[str, list[Subscription]] = {}
    usage: list[Usage] = []
    for number in range(company.partitions(as_of)):
        tables = company.partition(number, as_of)
        people = [_user(row) for row in tables["user"].to_pylist()]
        users += people
        chains |= {user.user_id: [] for user in people}
        for row in tables["subscription"].to_pylist():
            chains[row["user_id"]].append(_subscription(row, history))
        usage += [_usage(row) for row in tables["usage"].to_pylist()]
    for chain in chains.values():
        chain.sort(key=lambda subscription: subscription.start)
    plans = [
        Plan(row["plan_id"], row["plan_name"], row["monthly_fee"])
        for row in company.plans(as_of).to_pylist()
    ]
    return Truth(as_of, plans, users, chains, usage)


def _user(row: Mapping[str, Any]) -> User:
    return User(**{name: row[name] for name in User._fields})


def _subscription(row: Mapping[str, Any], history: PlanHistory) -> Subscription:
    fee = history.fee(row["plan_id"], row["start_date"])
    return Subscription(row["plan_id"], row["start_date"], row["end_date"], fee)


def _usage(row: Mapping[str, Any]) -> Usage:
    return Usage(
        row["user_id"],
        row["plan_id"],
        row["usage_date"],
        row["actions_performed"],
        # Whole hundredths, of which the float is the nearest that there is.
        Decimal(str(row["storage_used_mb"])).quantize(NOTHING),
        row["api_calls"],
        row["active_minutes"],
    )
