"""The stock way's resources: one Faker call per cell, one dict per row, dlt's own dispositions.

What a good tutorial would write. Nothing is slowed on purpose.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import dlt
from dlt.common.schema.typing import TMergeDispositionDict, TScd2StrategyDict
from dlt.extract import DltResource
from faker import Faker

Row = dict[str, Any]

OPENING_DATE = date(2024, 8, 1)
# Names fit the region, as the real load's do: one Faker with the region's locales for each.
LOCALES = {
    "North America": "en_US es_MX fr_CA",
    "Europe": "en_GB de_DE fr_FR it_IT es_ES nl_NL sv_SE",
    "Asia": "en_IN id_ID zh_TW ja_JP en_PK",
    "South America": "pt_BR es_CO es_AR es_CL",
    "Africa": "en_KE yo_NG zu_ZA tw_GH",
    "Oceania": "en_NZ",
}
REFERRALS = OrderedDict(
    {"web search": 0.20, "paid ads": 0.45, "social media": 0.10, "referral": 0.25}
)
SIGNUP_PLANS = OrderedDict({1: 0.33, 2: 0.27, 3: 0.18, 4: 0.16, 5: 0.06})
PAYMENTS = OrderedDict({"credit card": 0.6, "paypal": 0.3, "bank transfer": 0.1})
FREE = 1
PLANS: dict[int, tuple[str, str, str, int]] = {  # name, fee, users, storage in MB
    1: ("Free", "0.00", "2", 500),
    2: ("Basic", "20.00", "10", 5_000),
    3: ("Premium", "35.00", "25", 25_000),
    4: ("Enterprise", "70.00", "unlimited", 100_000),
    5: ("Ultimate", "100.00", "unlimited", 1_000_000),
}
HISTORY: TScd2StrategyDict = {
    "disposition": "merge",
    "strategy": "scd2",
    "validity_column_names": ["valid_from", "valid_to"],
}
UPSERT: TMergeDispositionDict = {"disposition": "merge", "strategy": "upsert"}


@dlt.source(name="stock_way", max_table_nesting=0)
def stock_company(users: int, seed: int = 42) -> Iterable[DltResource]:
    """The four tables, with the row counts of the real load."""
    fake = Faker()
    fake.seed_instance(seed)
    local = {region: Faker(locales.split()) for region, locales in LOCALES.items()}
    for names in local.values():
        names.seed_instance(seed)
    today = datetime.now(UTC).date()
    people = [_user(fake, local, today) for _ in range(users)]
    terms = [
        _subscription(fake, person, today)
        for person in fake.random_choices(people, length=(1717 * users + 500) // 1000)
    ]

    @dlt.resource(write_disposition=HISTORY, columns={"features": {"data_type": "json"}})
    def plan() -> Iterator[Row]:
        yield from (_plan(fake, plan_id) for plan_id in PLANS)

    @dlt.resource(write_disposition=HISTORY)
    def user() -> Iterator[Row]:
        yield from people

    @dlt.resource(write_disposition=HISTORY)
    def subscription() -> Iterator[Row]:
        yield from terms

    @dlt.resource(write_disposition=UPSERT, primary_key="usage_id")
    def usage() -> Iterator[Row]:
        for _ in range(5 * users):
            yield _usage(fake, fake.random_element(terms), today)

    return plan, user, subscription, usage


def _plan(fake: Faker, plan_id: int) -> Row:
    name, fee, max_users, storage = PLANS[plan_id]
    return {
        "plan_id": plan_id,
        "plan_name": name,
        "monthly_fee": Decimal(fee),
        "max_users": max_users,
        "features": [f"{storage:,} MB storage", *(fake.bs() for _ in range(3 + plan_id))],
    }


def _user(fake: Faker, local: Mapping[str, Faker], today: date) -> Row:
    region = fake.random_element(tuple(LOCALES))
    return {
        "user_id": fake.unique.hexify("^" * 8),
        "first_name": local[region].first_name(),
        "last_name": local[region].last_name(),
        "email": fake.unique.safe_email(),
        "signup_date": fake.date_between(OPENING_DATE, today),
        "plan_id": fake.random_element(SIGNUP_PLANS),
        "region": region,
        "referral_source": fake.random_element(REFERRALS),
    }


def _subscription(fake: Faker, user: Row, today: date) -> Row:
    start = fake.date_between(user["signup_date"], today)
    free = user["plan_id"] == FREE
    end = None if free else start + timedelta(days=30)
    return {
        "subscription_id": fake.unique.hexify("^" * 8),
        "user_id": user["user_id"],
        "plan_id": user["plan_id"],
        "start_date": start,
        "end_date": end,
        "payment_method": None if free else fake.random_element(PAYMENTS),
        "status": "Active" if end is None or end >= today else "Inactive",
    }


def _usage(fake: Faker, term: Row, today: date) -> Row:
    *_, storage = PLANS[term["plan_id"]]
    return {
        "usage_id": fake.unique.hexify("^" * 8),
        "user_id": term["user_id"],
        "plan_id": term["plan_id"],
        "usage_date": fake.date_between(term["start_date"], min(term["end_date"] or today, today)),
        "actions_performed": fake.random_int(1, 500),
        "storage_used_mb": fake.pyfloat(min_value=0, max_value=storage, right_digits=2),
        "api_calls": fake.random_int(0, 1_000),
        "active_minutes": fake.random_int(1, 600),
    }
