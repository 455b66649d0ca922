"""Users: shares, names of the region, unique addresses, and rare changes."""

import re
from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import pairwise

import pyarrow.compute as pc
import pytest

from subscriptions.extract import Company
from subscriptions.extract.vocabulary import REGIONS
from subscriptions.tests.extract.datasets import EPOCH, chains, rows, whole

LARGE = Company(42, 100_000, EPOCH)
REFERRALS = {"web search": 20, "paid ads": 45, "social media": 10, "referral": 25}


def percentages(values: list[object]) -> dict[object, float]:
    """How often each value occurs, in percent."""
    return {value: 100 * n / len(values) for value, n in Counter(values).items()}


def test_referral_sources_have_the_contracts_shares() -> None:
    shares = percentages(whole(LARGE, EPOCH)["user"]["referral_source"].to_pylist())
    assert shares == pytest.approx(REFERRALS, abs=1)


def test_plans_at_signup_have_the_contracts_shares() -> None:
    tables = whole(LARGE, EPOCH)
    first: dict[str, int] = {}
    for user, plan in zip(
        tables["subscription"]["user_id"].to_pylist(),
        tables["subscription"]["plan_id"].to_pylist(),
        strict=True,
    ):
        first.setdefault(user, plan)
    assert percentages(list(first.values())) == pytest.approx(
        {1: 33, 2: 27, 3: 18, 4: 16, 5: 6}, abs=1
    )


def test_payment_methods_have_the_contracts_shares() -> None:
    methods = whole(LARGE, EPOCH)["subscription"]["payment_method"].drop_null().to_pylist()
    assert percentages(methods) == pytest.approx(
        {"credit card": 60, "paypal": 30, "bank transfer": 10}, abs=1
    )


def test_regions_have_the_documented_shares() -> None:
    """A point and a half: some have moved since they signed up."""
    shares = percentages(whole(LARGE, EPOCH)["user"]["region"].to_pylist())
    assert shares == pytest.approx({name: percent for name, percent, _ in REGIONS}, abs=1.5)


def test_every_region_shows_500_first_and_last_names() -> None:
    users = whole(LARGE, EPOCH)["user"]
    for name, _, _ in REGIONS:
        here = users.filter(pc.equal(users["region"], name))
        for column in ("first_name", "last_name"):
            assert pc.count_distinct(here[column]).as_py() >= 500, (name, column)


def test_names_fit_the_region() -> None:
    """The most frequent last names of a region are ones that a person would place there."""
    users = whole(LARGE, EPOCH)["user"]
    expected = {
        "North America": "Smith",
        "South America": "Rodríguez",
        "Africa": "Otieno",
        "Oceania": "Smith",
        "Asia": "Chen",
        "Europe": "Jones",
    }
    for region, last_name in expected.items():
        here = users.filter(pc.equal(users["region"], region))["last_name"].to_pylist()
        assert last_name in dict(Counter(here).most_common(25)), Counter(here).most_common(25)


def test_addresses_are_valid_reserved_and_unique() -> None:
    users = whole(LARGE, EPOCH + timedelta(days=30))["user"]
    addresses = users["email"].to_pylist()
    assert len(set(addresses)) == len(addresses) > 100_000
    pattern = re.compile(r"[a-z]+(\.[a-z]+)?[0-9]+@example\.(com|org|net)")
    assert all(pattern.fullmatch(address) for address in addresses)
    # Unique by construction, not by luck: the number is the user's own.
    assert len({re.sub("[^0-9]", "", address) for address in addresses}) == len(addresses)
    assert max(len(address.split("@")[0]) for address in addresses) <= 64
    assert min(percentages([a.split("@")[1] for a in addresses]).values()) > 30


def test_an_address_is_made_of_the_name() -> None:
    for user in rows(Company(2, 300, EPOCH), EPOCH)["user"]:
        local = user["email"].split("@")[0]
        if user["last_name"].isascii() and user["last_name"].isalpha():
            assert user["last_name"].lower() in local


def test_addresses_and_regions_change_rarely_and_stay_changed() -> None:
    company = Company(6, 2000, EPOCH)
    history: dict[str, list[tuple[str, str]]] = defaultdict(list)
    months = [EPOCH + timedelta(days=30 * n) for n in range(-12, 13)]
    for as_of in months:
        for user in whole(company, as_of)["user"].to_pylist():
            history[user["user_id"]].append((user["email"], user["region"]))
    for attribute, most, least in ((0, 0.25, 0.05), (1, 0.10, 0.02)):
        courses = [[state[attribute] for state in states] for states in history.values()]
        changed = [course for course in courses if len(set(course)) > 1]
        assert least < len(changed) / len(courses) < most
        # A change is for good: no value comes and goes from one month to the next.
        assert all(sum(a != b for a, b in pairwise(course)) <= 3 for course in changed)
    taken = [{email for email, _ in states} for states in history.values()]
    assert len(set().union(*taken)) == sum(map(len, taken)), "two users had the same address"


def test_changes_happen_before_the_epoch_too() -> None:
    company = Company(6, 3000, EPOCH)
    before = {
        user["user_id"]: user for user in whole(company, date(2026, 5, 1))["user"].to_pylist()
    }
    now = {user["user_id"]: user for user in whole(company, EPOCH)["user"].to_pylist()}
    assert any(now[key]["email"] != user["email"] for key, user in before.items())
    assert any(now[key]["region"] != user["region"] for key, user in before.items())


def test_plan_is_that_of_the_latest_subscription() -> None:
    tables = rows(Company(2, 500, EPOCH), EPOCH)
    latest = {user: chain[-1]["plan_id"] for user, chain in chains(tables["subscription"]).items()}
    assert {user["user_id"]: user["plan_id"] for user in tables["user"]} == latest
