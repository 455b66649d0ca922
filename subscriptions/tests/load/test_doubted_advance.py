"""Advances of what is not as the last load's receipt says: all is compared, and repaired."""

from __future__ import annotations

import json
from datetime import date

import pytest

from subscriptions.load.comparison import Comparison
from subscriptions.load.target import Target
from subscriptions.load.verification import verify
from subscriptions.tests.load.conftest import Run
from subscriptions.tests.load.later_days import DAYS, START, Ways, current
from subscriptions.tests.load.moments import right_after
from subscriptions.tests.load.trouble import Query, Rows


@pytest.mark.parametrize(
    "damage",
    [
        # Of rows that the advance does not touch, and of all, among which are those that it does.
        'UPDATE "user" SET region = \'Mars\' WHERE user_id = (SELECT min(user_id) FROM "user")',
        "UPDATE subscription SET payment_method = 'shells'",
        "DELETE FROM usage WHERE usage_id = (SELECT min(usage_id) FROM usage)",
        "DELETE FROM subscription",
        "UPDATE usage SET api_calls = NULL WHERE usage_id = (SELECT min(usage_id) FROM usage)",
        "UPDATE plan SET monthly_fee = 1 WHERE plan_id = 3",
        "UPDATE _load_receipt SET version = 'another'",
        "UPDATE _load_receipt SET stored = NULL",
    ],
)
def test_where_more_than_time_has_changed_everything_is_compared(
    run: Run, query: Query, alone: dict[date, Rows], target: Target, ways: Ways, damage: str
) -> None:
    right = alone[DAYS[0]]
    run(users=60, as_of=START, epoch=START)
    query(damage)
    ways.compared = 0
    run(advance="1d")
    assert ways.compared == 1
    assert current(query) == right
    assert all(result.right for result in verify(target))


def test_a_row_that_is_there_before_its_day_does_not_come_twice(
    run: Run, query: Query, ways: Ways
) -> None:
    run(users=60, as_of=DAYS[1], epoch=START, write_disposition="replace")
    right = current(query)
    ((row,),) = query(
        "SELECT to_jsonb(u) FROM usage AS u WHERE usage_date > %s ORDER BY usage_id LIMIT 1", START
    )
    run(users=60, as_of=START, epoch=START, write_disposition="replace")
    early = json.dumps({**row, "valid_from": str(START)})
    query("INSERT INTO usage SELECT * FROM jsonb_populate_record(NULL::usage, %s)", early)
    ways.compared = 0
    run(as_of=DAYS[1])
    assert ways.compared == 1
    assert current(query) == right


def test_a_rule_that_others_made_does_not_keep_an_advance_from_comparing(
    run: Run, query: Query, ways: Ways
) -> None:
    run(users=60, as_of=DAYS[1], epoch=START, write_disposition="replace")
    right = current(query)
    ((row,),) = query("SELECT to_jsonb(u) FROM usage AS u ORDER BY usage_date DESC LIMIT 1")
    run(users=60, as_of=START, epoch=START, write_disposition="replace")
    early = json.dumps({**row, "valid_from": str(START)})
    query("INSERT INTO usage SELECT * FROM jsonb_populate_record(NULL::usage, %s)", early)
    query("CREATE UNIQUE INDEX theirs ON usage (usage_id)")
    ways.compared = 0
    run(as_of=DAYS[1])
    assert ways.compared == 1
    assert current(query) == right


def test_tables_that_are_emptied_meanwhile_are_filled_again(
    run: Run, query: Query, alone: dict[date, Rows], ways: Ways
) -> None:
    right = alone[DAYS[1]]
    run(users=60, as_of=START, epoch=START)
    ways.compared = 0
    with right_after("changes found", lambda: query('TRUNCATE plan, "user", subscription, usage')):
        run(as_of=DAYS[1])
    assert ways.compared == 1
    assert current(query) == right


def test_what_began_or_ended_on_the_day_of_the_advance_is_corrected(
    run: Run, query: Query, alone: dict[date, Rows], ways: Ways
) -> None:
    right = alone[DAYS[1]]
    run(users=60, as_of=START, epoch=START)
    query('UPDATE "user" SET valid_from = %s', DAYS[1])
    copies = "user_id, first_name, last_name, email, signup_date, plan_id, region, referral_source"
    query(
        f'INSERT INTO "user" ({copies}, valid_from, valid_to, _dlt_id, _dlt_load_id)'
        f" SELECT {copies}, %s, %s, _dlt_id || '-by-hand', _dlt_load_id FROM \"user\"",
        START,
        DAYS[1],
    )
    query("UPDATE _load_receipt SET stored = jsonb_set(stored, '{user,closed}', '60')")
    run(as_of=DAYS[1])
    assert isinstance(ways.changes[-1], Comparison)
    assert current(query) == right
    assert query('SELECT count(*) FROM "user" WHERE valid_from >= valid_to') == [(0,)]


def test_after_an_append_an_advance_clears_the_copies_away(
    run: Run, query: Query, alone: dict[date, Rows]
) -> None:
    right = alone[DAYS[0]]
    run(users=60, as_of=START, epoch=START)
    run(write_disposition="append", as_of=START)
    run(advance="1d")
    assert current(query) == right
