"""What each write disposition leaves, by loading for real and looking at every stored row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from subscriptions.extract import Company
from subscriptions.load.tables import TABLES, Disposition
from subscriptions.load.target import Target
from subscriptions.tests.load.conftest import Execute, Run
from subscriptions.tests.load.trouble import DAY

Query = Callable[..., list[tuple[Any, ...]]]

EPOCH = date(2026, 6, 1)
LATER = date(2026, 8, 1)
COMPANY = Company(seed=7, users=40, epoch=EPOCH)
COUNTS = {"plan": 5, "user": 40, "subscription": 69, "usage": 200}
KEEPING: tuple[Disposition | None, ...] = (None, "merge", "scd2")


def midnight(day: date) -> datetime:
    """The instant from which a load as of that day dates its versions."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def stored(query: Query, table: str) -> list[tuple[Any, ...]]:
    """Every stored row whole, technical columns included."""
    return sorted(query(f'SELECT * FROM "{table}"'), key=repr)


def business_rows(query: Query, table: str, *, current: bool = True) -> list[str]:
    """The business columns of the current rows, as JSON texts."""
    names = next(t.columns for t in TABLES if t.name == table)
    where = "WHERE valid_to IS NULL" if current else ""
    rows = query(
        f'SELECT to_json(r)::text FROM (SELECT {", ".join(names)} FROM "{table}" {where}) r'
    )
    return sorted(text for (text,) in rows)


@pytest.mark.parametrize("disposition", [None, "replace", "append", "merge", "scd2"])
def test_the_first_load_brings_every_row_once(
    execute: Execute, query: Query, disposition: Disposition | None
) -> None:
    execute(COMPANY, EPOCH, disposition)
    for table, count in COUNTS.items():
        rows = query(
            "SELECT count(*), count(DISTINCT _dlt_id), count(valid_to), min(valid_from),"
            f' max(valid_from), count(DISTINCT _dlt_load_id) FROM "{table}"'
        )
        assert rows == [(count, count, 0, midnight(EPOCH), midnight(EPOCH), 1)]


@pytest.mark.parametrize("disposition", KEEPING)
def test_the_same_load_again_touches_no_row(
    execute: Execute, query: Query, disposition: Disposition | None
) -> None:
    execute(COMPANY, EPOCH, disposition)
    before = {table: stored(query, table) for table in COUNTS}
    pages = {table: query(f'SELECT xmin::text, ctid::text FROM "{table}"') for table in COUNTS}
    execute(COMPANY, EPOCH, disposition)
    assert {table: stored(query, table) for table in COUNTS} == before
    assert pages == {
        table: query(f'SELECT xmin::text, ctid::text FROM "{table}"') for table in COUNTS
    }


def test_replace_twice_holds_exactly_the_second_load(execute: Execute, query: Query) -> None:
    execute(COMPANY, EPOCH, "replace")
    execute(Company(seed=8, users=3, epoch=EPOCH), EPOCH, "replace")
    assert query('SELECT count(*) FROM "user"') == [(3,)]
    assert query('SELECT count(*) FROM "usage"') == [(15,)]
    assert query("SELECT count(*) FROM _dlt_loads") == [(2,)]
    assert query("SELECT array_agg(users ORDER BY published_at) FROM _load_receipt") == [([40, 3],)]


def test_append_twice_holds_every_row_twice(execute: Execute, query: Query) -> None:
    execute(COMPANY, EPOCH, "append")
    execute(COMPANY, EPOCH, "append")
    for table, count in COUNTS.items():
        rows = query(f'SELECT count(*), count(DISTINCT _dlt_id), count(valid_to) FROM "{table}"')
        assert rows == [(2 * count, 2 * count, 0)]
        assert len(set(business_rows(query, table))) == count


@pytest.mark.parametrize("disposition", KEEPING)
def test_after_an_append_the_oldest_copy_stays(
    execute: Execute, query: Query, disposition: Disposition | None
) -> None:
    execute(COMPANY, EPOCH)
    # So that the order of the ids alone would choose the wrong copy.
    for table in COUNTS:
        query(f"UPDATE \"{table}\" SET _dlt_id = 'z' || _dlt_id")
    before = {table: stored(query, table) for table in COUNTS}
    execute(COMPANY, EPOCH, "append")
    execute(COMPANY, EPOCH, disposition)
    assert {table: stored(query, table) for table in COUNTS} == before


def test_scd2_closes_changed_versions_and_opens_new_ones(execute: Execute, query: Query) -> None:
    execute(COMPANY, EPOCH)
    earlier = {table: business_rows(query, table) for table in COUNTS}
    execute(COMPANY, LATER)
    for table in ("user", "subscription"):
        key = f"{table}_id"
        closed = query(
            f'SELECT {key}, valid_from, valid_to FROM "{table}" WHERE valid_to IS NOT NULL'
        )
        assert closed, f"nothing changed in {table} within two months"
        assert {(start, end) for _, start, end in closed} == {(midnight(EPOCH), midnight(LATER))}
        # Every closed version goes on in one current version of the same key from that day.
        successors = query(
            f'SELECT {key} FROM "{table}" WHERE valid_to IS NULL AND valid_from = %s',
            midnight(LATER),
        )
        assert {key for key, _, _ in closed} <= {key for (key,) in successors}
        then = query(f'SELECT count(*) FROM "{table}" WHERE valid_from = %s', midnight(EPOCH))
        assert then == [(len(earlier[table]),)]


@pytest.mark.parametrize("disposition", [None, "merge", "scd2", "replace"])
def test_every_way_leads_to_the_same_current_rows(
    execute: Execute, query: Query, target: Target, disposition: Disposition | None
) -> None:
    execute(COMPANY, LATER, "replace")
    alone = {table: business_rows(query, table) for table in COUNTS}
    execute(COMPANY, EPOCH, "replace")
    execute(COMPANY, LATER, disposition)
    assert {table: business_rows(query, table) for table in COUNTS} == alone


def test_merge_changes_current_rows_in_place_and_leaves_closed_ones(
    execute: Execute, query: Query
) -> None:
    execute(COMPANY, EPOCH)
    execute(COMPANY, LATER)
    closed = query('SELECT * FROM "user" WHERE valid_to IS NOT NULL ORDER BY _dlt_id')
    ids = query('SELECT _dlt_id, valid_from FROM "user" WHERE valid_to IS NULL ORDER BY _dlt_id')
    execute(COMPANY, date(2026, 11, 1), "merge")
    assert query('SELECT * FROM "user" WHERE valid_to IS NOT NULL ORDER BY _dlt_id') == closed
    now = query('SELECT _dlt_id, valid_from FROM "user" WHERE valid_to IS NULL ORDER BY _dlt_id')
    assert set(ids) <= set(now)
    (receipt,) = query(
        "SELECT changes #>> '{user,changed}', _dlt_load_id FROM _load_receipt"
        " ORDER BY published_at DESC LIMIT 1"
    )
    changed = query(
        'SELECT count(*) FROM "user" WHERE _dlt_load_id = %s AND _dlt_id = ANY (%s)',
        receipt[1],
        [row_id for row_id, _ in ids],
    )
    assert int(receipt[0]) == changed[0][0] > 0


def test_scd2_after_replace_keeps_the_versions_of_unchanged_rows(
    execute: Execute, query: Query
) -> None:
    execute(COMPANY, EPOCH, "replace")
    execute(COMPANY, LATER, "scd2")
    unchanged = query(
        'SELECT count(*) FROM "user" WHERE valid_to IS NULL AND valid_from = %s', midnight(EPOCH)
    )
    assert unchanged[0][0] > 0
    execute(COMPANY, LATER, "replace")
    assert query('SELECT count(valid_to), min(valid_from) FROM "user"') == [(0, midnight(LATER))]


DAMAGES = {
    "changed": 'UPDATE "{table}" SET {column} = {value} WHERE {key} = '
    '(SELECT min({key}) FROM "{table}")',
    "deleted": 'DELETE FROM "{table}" WHERE {key} = (SELECT min({key}) FROM "{table}")',
    "added": 'INSERT INTO "{table}" SELECT (jsonb_populate_record(r, jsonb_build_object('
    "'{key}', {new_key}, '_dlt_id', 'by hand'))).* FROM \"{table}\" AS r LIMIT 1",
}
BY_HAND = {
    "plan": {"key": "plan_id", "column": "max_users", "value": "'7'", "new_key": "99"},
    "user": {"key": "user_id", "column": "plan_id", "value": "NULL", "new_key": "'ffffffff'"},
    "subscription": {
        "key": "subscription_id",
        "column": "end_date",
        "value": "'2031-01-01'",
        "new_key": "'ffffffff'",
    },
    "usage": {"key": "usage_id", "column": "api_calls", "value": "-1", "new_key": "'ffffffff'"},
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("disposition", KEEPING)
def test_what_was_done_by_hand_is_repaired(
    execute: Execute, query: Query, disposition: Disposition | None, damage: str
) -> None:
    execute(COMPANY, EPOCH)
    good = {table: business_rows(query, table, current=False) for table in COUNTS}
    for table, words in BY_HAND.items():
        query(DAMAGES[damage].format(table=table, **words))
    assert all(business_rows(query, table) != good[table] for table in COUNTS)
    execute(COMPANY, EPOCH, disposition)
    # On the same day nothing becomes history: the damage was never true on any day.
    assert {table: business_rows(query, table, current=False) for table in COUNTS} == good


def test_a_key_that_goes_and_returns_has_two_versions(execute: Execute, query: Query) -> None:
    execute(COMPANY, EPOCH)
    execute(COMPANY, LATER)
    (key,) = query('SELECT max(user_id) FROM "user" WHERE valid_from = %s', midnight(EPOCH))[0]
    query('UPDATE "user" SET valid_to = %s WHERE user_id = %s', midnight(LATER), key)
    execute(COMPANY, date(2026, 9, 1))
    versions = query(
        'SELECT valid_from, valid_to FROM "user" WHERE user_id = %s ORDER BY valid_from', key
    )
    assert versions[-1] == (midnight(date(2026, 9, 1)), None)
    assert len([end for _, end in versions if end is None]) == 1


def test_a_second_run_of_the_command_changes_nothing(run: Run, query: Query) -> None:
    first = run(users=40, seed=7)
    before = {table: stored(query, table) for table in COUNTS}
    second = run()
    assert {table: stored(query, table) for table in COUNTS} == before
    assert first.receipt.changes["usage"] == {"removed": 0, "added": 200}
    assert all(not any(counts.values()) for counts in second.receipt.changes.values())
    kept = second.receipt.stored.items()
    assert {table: (now["rows"], now["closed"]) for table, now in kept} == {
        table: (count, 0) for table, count in COUNTS.items()
    }
    assert second.receipt.as_of == DAY
