"""LOAD, checks: the contract's six invariants, true of the current rows after every load."""

from __future__ import annotations

from collections.abc import Iterator

from subscriptions.load.checks.check import OPENING, Check
from subscriptions.load.tables import PLAN, SUBSCRIPTION, TABLES, USAGE, USER, Table

# Each current subscription with what follows it.
_CHAIN = """
    SELECT *, lead(start_date) OVER chain AS next_start, lead(plan_id) OVER chain AS next_plan
    FROM subscription_current
    WINDOW chain AS (PARTITION BY user_id ORDER BY start_date, subscription_id)
"""

_COVERS = """
    subscription.user_id = used.user_id
    AND used.usage_date >= subscription.start_date
    AND (used.usage_date <= subscription.end_date OR subscription.end_date IS NULL)
"""

# What a plan stores, in MB.
_STORAGE = "(VALUES (1, 500), (2, 5 * 1024), (3, 25 * 1024), (4, 100 * 1024), (5, 1024 * 1024))"


def _unique(table: Table) -> Check:
    return Check(
        f"{table.name}-keys-unique",
        f"Each {table.key} has one current version.",
        f"SELECT {table.key}::text FROM {table.view} GROUP BY {table.key} HAVING count(*) > 1",
    )


def _refers(table: Table, to: Table) -> Check:
    return Check(
        f"{table.name}-{to.name}-there",
        f"Each {table.name} refers to a current {to.name}.",
        f"""
        SELECT {table.key} FROM {table.view} AS referring
        WHERE {to.key} IS NOT NULL
          AND NOT EXISTS (SELECT FROM {to.view} AS there WHERE there.{to.key} = referring.{to.key})
        """,
    )


KEYS = (
    *(_unique(table) for table in TABLES),
    Check(
        "user-emails-unique",
        "No two users have the same e-mail address.",
        """
        SELECT email FROM user_current WHERE email IS NOT NULL GROUP BY email HAVING count(*) > 1
        """,
    ),
    _refers(USER, PLAN),
    _refers(SUBSCRIPTION, USER),
    _refers(SUBSCRIPTION, PLAN),
    _refers(USAGE, USER),
    _refers(USAGE, PLAN),
)

CHAINS = (
    Check(
        "user-starts-at-signup",
        "A user's first subscription starts on signup_date.",
        """
        SELECT user_id FROM user_current
        LEFT JOIN (
            SELECT user_id, min(start_date) AS first FROM subscription_current GROUP BY user_id
        ) AS earliest USING (user_id)
        WHERE signup_date IS NOT NULL AND first IS DISTINCT FROM signup_date
        """,
    ),
    Check(
        "subscriptions-apart",
        "A user's subscription ends before the next one starts.",
        f"""
        SELECT subscription_id FROM ({_CHAIN}) AS chain
        WHERE next_start <= end_date OR (next_start IS NOT NULL AND end_date IS NULL)
        """,
    ),
    Check(
        "user-on-latest-plan",
        "A user is on the plan of the latest subscription.",
        f"""
        SELECT user_id FROM user_current
        JOIN (SELECT user_id, plan_id FROM ({_CHAIN}) AS chain WHERE next_start IS NULL) AS latest
        USING (user_id)
        WHERE user_current.plan_id <> latest.plan_id
        """,
    ),
)

TERMS = (
    Check(
        "free-costs-nothing",
        "A free subscription has no payment_method.",
        """
        SELECT subscription_id FROM subscription_current
        WHERE plan_id = 1 AND payment_method IS NOT NULL
        """,
    ),
    Check(
        "free-ends-at-the-next",
        "A free subscription ends never, or the day before the user's next one starts.",
        f"""
        SELECT subscription_id FROM ({_CHAIN}) AS chain
        WHERE plan_id = 1 AND end_date IS NOT NULL AND end_date IS DISTINCT FROM next_start - 1
        """,
    ),
    Check(
        "free-then-paid",
        "A free subscription is followed by a paid one.",
        f"SELECT subscription_id FROM ({_CHAIN}) AS chain WHERE plan_id = 1 AND next_plan = 1",
    ),
    Check(
        "paid-has-a-method",
        "A paid subscription has a payment_method.",
        """
        SELECT subscription_id FROM subscription_current
        WHERE plan_id <> 1 AND payment_method IS NULL
        """,
    ),
    Check(
        "paid-lasts-a-month",
        "A paid subscription ends on (start_date + interval '1 month')::date.",
        """
        SELECT subscription_id FROM subscription_current
        WHERE plan_id <> 1 AND end_date IS DISTINCT FROM (start_date + interval '1 month')::date
        """,
    ),
)

STATUS = (
    Check(
        "status-listed",
        "A status is Active or Inactive.",
        """
        SELECT subscription_id || ': ' || status FROM subscription_current
        WHERE status NOT IN ('Active', 'Inactive')
        """,
    ),
    Check(
        "status-of-the-day",
        "A subscription is Active exactly when the as-of date lies within it.",
        """
        SELECT subscription_id || ': ' || status FROM subscription_current
        WHERE status = CASE
            WHEN start_date <= %(as_of)s AND (end_date IS NULL OR end_date >= %(as_of)s)
            THEN 'Inactive' ELSE 'Active' END
        """,
    ),
)

USE = (
    Check(
        "usage-in-a-subscription",
        "A day's usage lies inside one of the user's subscriptions.",
        f"""
        SELECT usage_id FROM usage_current AS used
        WHERE NOT EXISTS (SELECT FROM subscription_current AS subscription WHERE {_COVERS})
        """,
    ),
    Check(
        "usage-on-its-plan",
        "A day's usage has the plan of the subscription that it lies in.",
        f"""
        SELECT usage_id FROM usage_current AS used
        JOIN subscription_current AS subscription ON {_COVERS}
        WHERE used.plan_id <> subscription.plan_id
        """,
    ),
    Check(
        "usage-fits-its-plan",
        "storage_used_mb is 0 or more, and fits the plan's storage.",
        f"""
        SELECT usage_id || ': ' || storage_used_mb
        FROM usage_current JOIN {_STORAGE} AS storage (plan_id, mb) USING (plan_id)
        WHERE storage_used_mb NOT BETWEEN 0 AND mb
        """,
    ),
)


def _in_time(table: Table, column: str) -> Iterator[Check]:
    """Nothing begins outside the company's life."""
    for word, bound, outside in (
        ("by-as-of", "later than the load's as-of date", "> %(as_of)s"),
        ("since-opening", "earlier than 2024-08-01", f"< {OPENING}"),
    ):
        yield Check(
            f"{table.name}-{word}",
            f"No {column} is {bound}.",
            f"SELECT {table.key} || ': ' || {column} FROM {table.view} WHERE {column} {outside}",
        )


INVARIANTS = (
    *KEYS,
    *CHAINS,
    *TERMS,
    *STATUS,
    *USE,
    *_in_time(USER, "signup_date"),
    *_in_time(SUBSCRIPTION, "start_date"),
    *_in_time(USAGE, "usage_date"),
)
