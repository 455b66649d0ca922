"""ANSWERS: each user's life as a customer, summed up, also by where the users came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from subscriptions.answers.marts import CUSTOMER_LIFETIME, REFERRAL_PERFORMANCE, Row
from subscriptions.answers.ratios import ratio
from subscriptions.answers.spells import of_chain
from subscriptions.answers.truth import NOTHING, Subscription, Truth, User
from subscriptions.fixed_values import REFERRAL_SOURCES


@dataclass(frozen=True)
class Lifetime:
    """A user, the paid subscriptions by start, and the latest churn day unless still a customer."""

    user: User
    paid: tuple[Subscription, ...]
    churned_on: date | None
    mrr: Decimal

    @property
    def state(self) -> str:
        """`free` who never paid, else `active` or `churned`."""
        if not self.paid:
            return "free"
        return "active" if self.churned_on is None else "churned"

    @property
    def revenue(self) -> Decimal:
        """The fees of all paid subscriptions, that in progress included."""
        return sum((subscription.fee for subscription in self.paid), NOTHING)

    @property
    def ends(self) -> list[date]:
        """The last days of the paid subscriptions."""
        return [subscription.end for subscription in self.paid if subscription.end is not None]

    @property
    def tenure_days(self) -> int:
        """The days that the paid subscriptions cover, up to their ends."""
        return sum(
            (end - subscription.start).days + 1
            for subscription, end in zip(self.paid, self.ends, strict=True)
        )


def lifetimes(truth: Truth) -> list[Lifetime]:
    """Everybody's, by user_id."""
    return [_lifetime(truth, user) for user in sorted(truth.users, key=lambda user: user.user_id)]


def _lifetime(truth: Truth, user: User) -> Lifetime:
    churn_days = [s.churn_day for s in of_chain(user, truth.chains[user.user_id], truth.as_of)]
    paid = tuple(truth.paid(user))
    mrr = sum((s.fee for s in paid if s.covers(truth.as_of)), NOTHING)
    return Lifetime(user, paid, churn_days[-1] if churn_days else None, mrr)


def customer_lifetime(truth: Truth) -> list[Row]:
    """One row for each user."""
    last_activity: dict[str, date] = {}
    for usage in truth.usage:
        latest = last_activity.get(usage.user_id, usage.usage_date)
        last_activity[usage.user_id] = max(latest, usage.usage_date)
    return [
        CUSTOMER_LIFETIME.row(
            life.user.user_id,
            life.user.signup_date,
            life.user.region,
            life.user.referral_source,
            life.user.plan_id,
            life.state,
            life.paid[0].start if life.paid else None,
            max(life.ends, default=None),
            life.churned_on,
            len(life.paid),
            life.tenure_days,
            life.revenue,
            life.mrr,
            last_activity.get(life.user.user_id),
        )
        for life in lifetimes(truth)
    ]


def referral_performance(truth: Truth) -> list[Row]:
    """One row for each referral source; none without users."""
    lives = lifetimes(truth)
    rows = []
    for source in sorted(REFERRAL_SOURCES if lives else ()):
        found = [life for life in lives if life.user.referral_source == source]
        customers = [life for life in found if life.paid]
        revenue = sum((life.revenue for life in found), NOTHING)
        rows.append(
            REFERRAL_PERFORMANCE.row(
                source,
                len(found),
                len(customers),
                ratio(len(customers), len(found)),
                sum(life.state == "active" for life in found),
                sum(life.state == "churned" for life in found),
                revenue,
                ratio(revenue, len(found), decimals=2),
                sum((life.mrr for life in found), NOTHING),
            )
        )
    return rows
