"""Each user's life as a customer, where users came from, plan changes and days of usage."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from subscriptions.answers.lifetimes import customer_lifetime, referral_performance
from subscriptions.answers.marts import (
    CUSTOMER_LIFETIME,
    PLAN_MOVEMENTS,
    REFERRAL_PERFORMANCE,
    USAGE_DAILY,
)
from subscriptions.answers.plans import plan_movements, usage_daily
from subscriptions.answers.truth import Usage
from subscriptions.tests.answers.hand_made import (
    BASIC,
    FREE,
    PREMIUM,
    amount,
    cells,
    day,
    on,
    someone,
    truth,
)

LEFT = someone(on(BASIC, "01-10"), on(PREMIUM, "02-11"), on(FREE, "03-20"), name="left")
STAYS = someone(on(BASIC, "03-05"), name="stays", source="paid ads")
WAITS = someone(on(BASIC, "02-16", fee="21.50"), name="waits", source="paid ads")
FREE_ONLY = someone(on(FREE, "03-19"), name="free", source="paid ads")
EVERYBODY = truth("03-20", LEFT, STAYS, WAITS, FREE_ONLY)


def used(who: str, plan_id: int, on_day: str, megabytes: str) -> Usage:
    return Usage(who, plan_id, day(on_day), 3, Decimal(megabytes), 5, 7)


USED = replace(
    EVERYBODY,
    usage=[
        used("stays", BASIC, "03-06", "0.10"),
        used("stays", BASIC, "03-06", "0.20"),
        used("waits", BASIC, "03-06", "1000.01"),
        used("left", FREE, "03-20", "5.00"),
        used("left", PREMIUM, "02-15", "6.00"),
    ],
)


def test_a_lifetime_sums_up_paid_subscriptions_to_their_ends() -> None:
    rows = {row["user_id"]: row for row in customer_lifetime(USED)}
    assert list(rows) == ["free", "left", "stays", "waits"]
    assert rows["left"] == CUSTOMER_LIFETIME.row(
        "left", day("01-10"), "Europe", "referral", FREE, "churned", day("01-10"), day("03-11"),
        day("03-12"), 2, 32 + 29, 55, 0, day("03-20"),
    )  # fmt: skip
    # In progress: counted up to its end, which is later than the day.
    assert rows["stays"] == CUSTOMER_LIFETIME.row(
        "stays", day("03-05"), "Europe", "paid ads", BASIC, "active", day("03-05"), day("04-05"),
        None, 1, 32, 20, 20, day("03-06"),
    )  # fmt: skip
    # Ended on the 16th, in the days of grace on the 20th: active, and pays nothing.
    assert rows["waits"] == CUSTOMER_LIFETIME.row(
        "waits", day("02-16"), "Europe", "paid ads", BASIC, "active", day("02-16"), day("03-16"),
        None, 1, 29, amount("21.50"), 0, day("03-06"),
    )  # fmt: skip
    assert rows["free"] == CUSTOMER_LIFETIME.row(
        "free", day("03-19"), "Europe", "paid ads", FREE, "free", None, None, None, 0, 0, 0, 0,
        None,
    )  # fmt: skip


def test_the_churn_day_is_the_latest_and_none_of_who_came_back() -> None:
    back = someone(on(BASIC, "01-01"), on(BASIC, "03-01"))
    for as_of, state, churned_on in (
        ("02-20", "churned", day("02-02")),
        ("03-02", "active", None),
        ("05-01", "churned", day("04-02")),
    ):
        chain = [s for s in back[1] if s.start <= day(as_of)]
        (row,) = customer_lifetime(truth(as_of, (back[0], chain)))
        assert (row["state"], row["churned_on"]) == (state, churned_on)


def test_referral_sources_have_four_rows_and_no_rate_without_users() -> None:
    rows = {row["referral_source"]: row for row in referral_performance(EVERYBODY)}
    assert list(rows) == ["paid ads", "referral", "social media", "web search"]
    assert rows["paid ads"] == REFERRAL_PERFORMANCE.row(
        "paid ads", 3, 2, amount("0.666667"), 2, 0, amount("41.50"), amount("13.83"), 20
    )
    assert rows["referral"] == REFERRAL_PERFORMANCE.row("referral", 1, 1, 1, 0, 1, 55, 55, 0)
    assert rows["web search"] == REFERRAL_PERFORMANCE.row(
        "web search", 0, 0, None, 0, 0, 0, None, 0
    )
    assert referral_performance(truth("03-20")) == []


def test_plan_changes_are_told_by_the_month_of_the_later_start() -> None:
    # Also after months away; a renewal of the same plan is none, whatever its price.
    of = truth(
        "12-31",
        LEFT,
        someone(on(BASIC, "01-05"), on(BASIC, "02-06", fee="21"), on(PREMIUM, "11-01"), name="b"),
        someone(on(BASIC, "01-20", fee="19.50"), on(PREMIUM, "02-21", fee="36"), name="c"),
    )
    rows = plan_movements(of)
    assert cells(PLAN_MOVEMENTS, rows, "movements", "fee_change") == {
        ("02", BASIC, PREMIUM): [2, amount("31.50")],
        ("03", PREMIUM, FREE): [1, -35],
        ("11", BASIC, PREMIUM): [1, 14],
    }
    assert len(rows) == 12 * 3 * 2


def test_usage_counts_users_once_and_has_every_day_and_plan() -> None:
    rows = usage_daily(USED)
    assert len(rows) == 70 * 3  # from 10 January to 20 March
    assert [row for row in rows if row["active_users"]] == [
        USAGE_DAILY.row(day("02-15"), PREMIUM, "Premium", 1, 3, 6, 5, 7),
        USAGE_DAILY.row(day("03-06"), BASIC, "Basic", 2, 9, amount("1000.31"), 15, 21),
        USAGE_DAILY.row(day("03-20"), FREE, "Free", 1, 3, 5, 5, 7),
    ]
