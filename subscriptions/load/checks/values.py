"""LOAD, checks: what a single current row may hold, whatever stands in the others."""

from __future__ import annotations

from subscriptions.load.checks.check import Check
from subscriptions.load.tables import SUBSCRIPTION, TABLES, USAGE, USER, Table

_MAY_BE_NULL = {"end_date", "payment_method", "valid_to"}

# The price list: name, fee up to the epoch, users, and how its storage is written.
_LISTED = """
    (VALUES
        (1, 'Free', 0, '2', '500 MB'),
        (2, 'Basic', 20, '10', '5 GB'),
        (3, 'Premium', 35, '25', '25 GB'),
        (4, 'Enterprise', 70, 'unlimited', '100 GB'),
        (5, 'Ultimate', 100, 'unlimited', '1 TB')
    ) AS listed (plan_id, plan_name, monthly_fee, max_users, storage)
"""


def _complete(table: Table) -> Check:
    needed = [column for column in table.stored_columns if column not in _MAY_BE_NULL]
    lacking = ", ".join(f"CASE WHEN {name} IS NULL THEN '{name}' END" for name in needed)
    return Check(
        f"{table.name}-complete",
        f"No column of {table.name} is null"
        + (", but for end_date and payment_method." if table is SUBSCRIPTION else "."),
        f"""
        SELECT coalesce({table.key}::text, '') || ': ' || concat_ws(', ', {lacking})
        FROM {table.view} WHERE num_nulls({", ".join(needed)}) > 0
        """,
    )


def _key_form(table: Table) -> Check:
    return Check(
        f"{table.name}-keys-formed",
        f"A {table.key} has 8 lower-case hexadecimal characters.",
        # Two plain questions cost two thirds of a counted repetition.
        f"""
        SELECT {table.key} FROM {table.view}
        WHERE length({table.key}) <> 8 OR {table.key} ~ '[^0-9a-f]'
        """,
    )


def _listed(table: Table, column: str, *values: str) -> Check:
    return Check(
        f"{table.name}-{column.replace('_', '-')}-listed",
        f"A {column} is one of: {', '.join(values)}.",
        f"""
        SELECT {table.key} || ': ' || {column} FROM {table.view}
        WHERE {column} NOT IN ({", ".join(f"'{value}'" for value in values)})
        """,
    )


PLANS = (
    Check(
        "plan-listed",
        "The plans are the five of the price list, with its names and max_users.",
        f"""
        SELECT plan_id::text FROM plan_current AS stored FULL JOIN {_LISTED} USING (plan_id)
        WHERE stored.plan_name <> listed.plan_name OR stored.max_users <> listed.max_users
           OR stored._dlt_id IS NULL OR listed.plan_name IS NULL
        """,
    ),
    Check(
        "plan-features",
        "A plan has 4 to 8 features, each a text, and one of them is its storage.",
        f"""
        SELECT plan_id::text FROM plan_current AS stored JOIN {_LISTED} USING (plan_id)
        WHERE CASE jsonb_typeof(features)
            WHEN 'array' THEN
                jsonb_array_length(features) NOT BETWEEN 4 AND 8
                OR jsonb_path_exists(features, '$[*] ? (@.type() != "string")')
                OR strpos(features::text, '"' || storage) = 0
            ELSE true END
        """,
    ),
    Check(
        "plan-fees",
        "A monthly_fee is that of the price list up to the epoch, and 0 for Free alone.",
        f"""
        SELECT plan_id || ': ' || stored.monthly_fee
        FROM plan_current AS stored JOIN {_LISTED} USING (plan_id)
        WHERE CASE WHEN plan_id = 1 OR %(as_of)s <= %(epoch)s
            THEN stored.monthly_fee <> listed.monthly_fee ELSE stored.monthly_fee <= 0 END
        """,
    ),
)

VALUES = (
    *(_complete(table) for table in TABLES),
    *(_key_form(table) for table in (USER, SUBSCRIPTION, USAGE)),
    *PLANS,
    _listed(
        *(USER, "region"),
        *("North America", "Europe", "Asia", "South America", "Africa", "Oceania"),
    ),
    _listed(USER, "referral_source", "web search", "paid ads", "social media", "referral"),
    _listed(SUBSCRIPTION, "payment_method", "credit card", "paypal", "bank transfer"),
    Check(
        "user-emails-reserved",
        "E-mail addresses use only example.com, example.org and example.net.",
        r"""
        SELECT user_id || ': ' || email FROM user_current
        WHERE email !~ '^[^@[:space:]]+@example\.(com|org|net)$'
        """,
    ),
    Check(
        "subscription-not-backwards",
        "A subscription does not end before it starts.",
        "SELECT subscription_id FROM subscription_current WHERE end_date < start_date",
    ),
    Check(
        "usage-counted",
        "Counts of usage are 0 or more, and a day has at most 1,440 active_minutes.",
        """
        SELECT usage_id FROM usage_current
        WHERE actions_performed < 0 OR api_calls < 0 OR active_minutes NOT BETWEEN 0 AND 1440
        """,
    ),
)
