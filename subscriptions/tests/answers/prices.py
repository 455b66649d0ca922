"""What the stored versions of the plans say of their prices, and what the receipts lead to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from subscriptions.answers.plan_history import PlanHistory

Query = Callable[..., list[tuple[Any, ...]]]

EPOCH = date(2025, 3, 1)
# Prices rise 200 to 400 days after the epoch, and again after as long.
DAYS = [EPOCH + timedelta(days=n) for n in (-30, 0, 250, 420, 600, 800, 801, 1000, 1200)]

_FEE = """
    SELECT monthly_fee FROM plan WHERE plan_id = %s
    ORDER BY (valid_from <= %s) DESC,
        CASE WHEN valid_from <= %s THEN valid_from END DESC,
        CASE WHEN valid_from <= %s THEN _dlt_id END DESC, valid_from, _dlt_id LIMIT 1
"""


def stored_fees(query: Query) -> list[Decimal]:
    """What a subscription to Premium and to Ultimate costs that starts on each of the days."""
    return [query(_FEE, plan_id, start, start, start)[0][0] for plan_id in (3, 5) for start in DAYS]


def reckoned_fees(history: PlanHistory) -> list[Decimal]:
    return [history.fee(plan_id, start) for plan_id in (3, 5) for start in DAYS]
