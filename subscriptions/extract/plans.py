"""EXTRACT, plans: the price list, its later prices, and what each plan allows."""

import json
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa

from subscriptions.extract.randomness import Stream, below, draw
from subscriptions.extract.tables import table

FREE = 1


@dataclass(frozen=True)
class Plan:
    """One line of the price list; the fee in cents, storage in MB."""

    number: int
    name: str
    fee: int
    max_users: str
    storage: int
    features: tuple[str, ...]


PLANS = (
    Plan(
        FREE,
        "Free",
        0,
        "2",
        500,
        ("500 MB storage", "Core dashboards", "Community support", "7-day activity log"),
    ),
    Plan(
        2,
        "Basic",
        2000,
        "10",
        5 * 1024,
        (
            "5 GB storage",
            "Unlimited dashboards",
            "Email support",
            "30-day activity log",
            "CSV export",
        ),
    ),
    Plan(
        3,
        "Premium",
        3500,
        "25",
        25 * 1024,
        (
            "25 GB storage",
            "Unlimited dashboards",
            "Priority email support",
            "1-year activity log",
            "API access",
            "Scheduled reports",
        ),
    ),
    Plan(
        4,
        "Enterprise",
        7000,
        "unlimited",
        100 * 1024,
        (
            "100 GB storage",
            "Single sign-on",
            "Phone support",
            "Unlimited activity log",
            "API access",
            "Audit trail",
            "Role-based permissions",
        ),
    ),
    Plan(
        5,
        "Ultimate",
        10000,
        "unlimited",
        1024 * 1024,
        (
            "1 TB storage",
            "Single sign-on",
            "Dedicated account manager",
            "Unlimited activity log",
            "Unlimited API access",
            "Audit trail",
            "Data residency",
            "99.9 % uptime guarantee",
        ),
    ),
)


def fee(seed: int, plan: Plan, days_since_epoch: int) -> int:
    """The fee in cents: that of the list up to the epoch, raised every 200 to 400 days later.

    A rise is 3 to 9 % and ends on half a unit of currency, as price lists do. Free stays free.
    """
    amount = plan.fee
    address = np.array([plan.number], np.int64)
    due, rise = 0, 0
    while amount:
        wait, percent = (
            int(below(draw(seed, Stream.PRICE, address, 2 * rise + part), limit)[0])
            for part, limit in ((0, 201), (1, 7))
        )
        due += 200 + wait
        if due > days_since_epoch:
            break
        amount += max(50, (amount * (3 + percent) // 100 + 25) // 50 * 50)
        rise += 1
    return amount


def plan_table(seed: int, days_since_epoch: int) -> pa.Table:
    """The price list as of that many days after the epoch (negative before it)."""
    fees = [Decimal(fee(seed, plan, days_since_epoch)).scaleb(-2) for plan in PLANS]
    columns = [
        pa.array([plan.number for plan in PLANS], pa.int32()),
        pa.array([plan.name for plan in PLANS], pa.string()),
        pa.array(fees, pa.decimal128(10, 2)),
        pa.array([plan.max_users for plan in PLANS], pa.string()),
        pa.array([json.dumps(plan.features) for plan in PLANS], pa.string()),
    ]
    return table("plan", columns)
