"""Tiny companies written down by hand, so that their marts can be reckoned in one's head."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from subscriptions.answers.marts import Mart, Row, Value
from subscriptions.answers.truth import Plan, Subscription, Truth, User
from subscriptions.tests.extract.datasets import month_later

FREE, BASIC, PREMIUM = 1, 2, 3
FEES: Final = {FREE: Decimal("0.00"), BASIC: Decimal("20.00"), PREMIUM: Decimal("35.00")}
PLANS: Final = [
    Plan(FREE, "Free", FEES[FREE]),
    Plan(BASIC, "Basic", FEES[BASIC]),
    Plan(PREMIUM, "Premium", FEES[PREMIUM]),
]

Someone = tuple[User, Sequence[Subscription]]


def day(text: str) -> date:
    """A day of 2026, such as 02-28."""
    return date.fromisoformat(f"2026-{text}")


def on(plan_id: int, start: str, fee: str | None = None, end: str | None = None) -> Subscription:
    """A subscription; a paid one ends a month later, a free one when it is told to, or never."""
    starts = day(start)
    until = day(end) if end else None if plan_id == FREE else month_later(starts)
    return Subscription(plan_id, starts, until, Decimal(fee) if fee else FEES[plan_id])


def someone(
    *chain: Subscription, name: str = "a", region: str = "Europe", source: str = "referral"
) -> Someone:
    """A user with subscriptions by start, who signed up on the first one's day."""
    return User(name, chain[0].start, chain[-1].plan_id, region, source), chain


def truth(as_of: str, *people: Someone) -> Truth:
    """A company of three plans as of a day of 2026."""
    users = [user for user, _ in people]
    chains = {user.user_id: chain for user, chain in people}
    return Truth(day(as_of), PLANS, users, chains, [])


def cells(mart: Mart, rows: Sequence[Row], *columns: str) -> dict[tuple[Value, ...], list[Value]]:
    """By key, some columns of the rows in which not all of them are zero.

    Of the key only what tells the rows of a tiny company apart: months as in 02, and plans.
    """
    found = {}
    for row in rows:
        values = [row[column] for column in columns]
        if any(values):
            found[tuple(_short(row[part]) for part in mart.key if part in _TOLD)] = values
    return found


_TOLD: Final = {"month", "plan_id", "from_plan_id", "to_plan_id"}


def _short(value: Value) -> Value:
    return f"{value.month:02}" if isinstance(value, date) else value


def amount(text: str) -> Decimal:
    """Money, as short as it is written."""
    return Decimal(text)
