"""Whole datasets for the tests of EXTRACT, and the contract's invariants in plain Python."""

import calendar
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import pyarrow as pa

from subscriptions.extract import Company

EPOCH = date(2026, 11, 23)
OPENING = date(2024, 8, 1)
STORAGE = {1: 500, 2: 5 * 1024, 3: 25 * 1024, 4: 100 * 1024, 5: 1024 * 1024}

Row = dict[str, Any]


@lru_cache(maxsize=8)
def whole(company: Company, as_of: date) -> dict[str, pa.Table]:
    """All four tables, the partitions in order."""
    parts = [company.partition(n, as_of) for n in range(company.partitions(as_of))]
    tables = {name: pa.concat_tables([part[name] for part in parts]) for name in parts[0]}
    return {"plan": company.plans(as_of)} | tables


def rows(company: Company, as_of: date) -> dict[str, list[Row]]:
    """All four tables as lists of rows."""
    return {name: table.to_pylist() for name, table in whole(company, as_of).items()}


def chains(subscriptions: list[Row]) -> dict[str, list[Row]]:
    """Each user's subscriptions in order of time."""
    by_user: dict[str, list[Row]] = defaultdict(list)
    for row in subscriptions:
        by_user[row["user_id"]].append(row)
    for chain in by_user.values():
        chain.sort(key=lambda row: row["start_date"])
    return by_user


def month_later(day: date) -> date:
    """PostgreSQL's `day + interval '1 month'`, written down on its own."""
    year, month = (day.year, day.month + 1) if day.month < 12 else (day.year + 1, 1)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def violations(tables: dict[str, list[Row]], as_of: date) -> list[str]:
    """Everything about current rows that breaks one of the contract's six invariants."""
    by_user = chains(tables["subscription"])
    return [
        *_keys(tables),
        *_users(tables["user"], by_user),
        *(fault for chain in by_user.values() for fault in _chain(chain, as_of)),
        *_usage(tables["usage"], by_user, as_of),
    ]


def _keys(tables: dict[str, list[Row]]) -> Iterator[str]:
    for name, table in tables.items():
        keys = [row[f"{name}_id"] for row in table]
        if len(set(keys)) != len(keys):
            yield f"1: a key of {name} occurs twice"
        if name != "plan" and not all(re.fullmatch("[0-9a-f]{8}", key) for key in keys):
            yield f"1: a key of {name} is not 8 hexadecimal characters"
    if len({row["email"] for row in tables["user"]}) != len(tables["user"]):
        yield "1: an e-mail address occurs twice"
    users = {row["user_id"] for row in tables["user"]}
    plans = {row["plan_id"] for row in tables["plan"]}
    for name in ("user", "subscription", "usage"):
        if any(row["user_id"] not in users or row["plan_id"] not in plans for row in tables[name]):
            yield f"1: a row of {name} refers to nothing"


def _users(users: list[Row], by_user: dict[str, list[Row]]) -> Iterator[str]:
    for user in users:
        chain = by_user.get(user["user_id"], [])
        if not chain or chain[0]["start_date"] != user["signup_date"]:
            yield f"2: no subscription starts with {user}"
        elif chain[-1]["plan_id"] != user["plan_id"]:
            yield f"2: {user} is not on the plan of {chain[-1]}"


def _chain(chain: list[Row], as_of: date) -> Iterator[str]:
    for row, follower in zip(chain, [*chain[1:], None], strict=True):
        start, end = row["start_date"], row["end_date"]
        if follower and (end is None or follower["start_date"] <= end):
            yield f"2: {row} overlaps {follower}"
        if row["plan_id"] == 1:
            expected = follower["start_date"] - timedelta(days=1) if follower else None
            if follower and follower["plan_id"] == 1:
                yield f"3: Free follows Free in {row}"
        else:
            expected = month_later(start)
        if end != expected:
            yield f"3: {row} should end on {expected}"
        if (row["payment_method"] is None) != (row["plan_id"] == 1):
            yield f"3: payment of {row}"
        active = start <= as_of and (end is None or end >= as_of)
        if row["status"] != ("Active" if active else "Inactive"):
            yield f"4: {row} as of {as_of}"
        if not OPENING <= start <= as_of:
            yield f"6: {row} starts outside the company's life"


def _usage(usage: list[Row], by_user: dict[str, list[Row]], as_of: date) -> Iterator[str]:
    for row in usage:
        day = row["usage_date"]
        if not any(
            chain["start_date"] <= day <= (chain["end_date"] or as_of)
            and chain["plan_id"] == row["plan_id"]
            for chain in by_user.get(row["user_id"], [])
        ):
            yield f"5: {row} lies in no subscription of its plan"
        if not 0 <= row["storage_used_mb"] <= STORAGE[row["plan_id"]]:
            yield f"5: {row} does not fit its plan"
        if not OPENING <= day <= as_of:
            yield f"6: {row} lies outside the company's life"
