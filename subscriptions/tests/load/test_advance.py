"""The company moved on: it comes out as the later day alone gives it, and no more is brought."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from subscriptions.load import advance, comparison
from subscriptions.load.checks.run import findings
from subscriptions.load.comparison import Comparison
from subscriptions.load.errors import LoadError
from subscriptions.load.partitions import Changed
from subscriptions.load.receipt import Receipt, latest
from subscriptions.load.request import disposition
from subscriptions.load.tables import TABLES
from subscriptions.load.target import Target
from subscriptions.load.verification import verify
from subscriptions.tests.load.conftest import Run

Query = Callable[..., list[tuple[Any, ...]]]

START = date(2026, 6, 1)
DAYS = (date(2026, 6, 2), date(2026, 6, 30), date(2027, 3, 1))


def current(query: Query) -> dict[str, list[tuple[Any, ...]]]:
    """The business columns of the current rows, by key."""
    return {
        table.name: query(
            f'SELECT {", ".join(table.columns)} FROM "{table.name}" WHERE valid_to IS NULL'
            f" ORDER BY {table.key}"
        )
        for table in TABLES
    }


@dataclass
class Ways:
    """How the loads that follow find out what to bring."""

    changes: list[Comparison | None] = field(default_factory=list)
    """What has changed since the last load, or None where that cannot be said."""
    compared: int = 0
    """How many of them compared everything, at once or in the end."""


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    """Those of the loads of one test."""
    found = Ways()
    since_last, compare = advance.since_last, comparison.compare

    def watched(*arguments: Any) -> tuple[Comparison, Receipt] | None:
        changes = since_last(*arguments)
        found.changes.append(changes and changes[0])
        return changes

    def counted(*arguments: Any) -> Comparison:
        found.compared += 1
        return compare(*arguments)

    monkeypatch.setattr(advance, "since_last", watched)
    monkeypatch.setattr(comparison, "compare", counted)
    return found


@pytest.mark.parametrize("name", [None, "merge", "scd2", "replace"])
def test_every_way_to_a_day_leads_to_the_same_rows(
    run: Run, query: Query, target: Target, name: str | None, ways: Ways
) -> None:
    alone = {}
    for day in DAYS:
        run(users=60, as_of=day, epoch=START, write_disposition="replace")
        alone[day] = current(query)
    run(users=60, as_of=START, epoch=START, write_disposition="replace")
    ways.changes, ways.compared = [], 0
    for day in DAYS:
        run(as_of=day, write_disposition=disposition(name))
        assert current(query) == alone[day]
        assert all(result.right for result in verify(target))
        with target.connect("test") as session, session.transaction():
            recorded = latest(session, target.dataset)
            assert recorded is not None
            assert [f for f in findings(session, target.dataset, recorded) if f.violations] == []
    # Other than to replace, no more was brought than had changed.
    assert [one is None for one in ways.changes] == [name == "replace"] * len(DAYS)
    assert ways.compared == (len(DAYS) if name == "replace" else 0)


def test_only_what_has_changed_is_staged(run: Run, query: Query) -> None:
    run(users=300, as_of=START)
    ids = {table.name: set(query(f'SELECT _dlt_id FROM "{table.name}"')) for table in TABLES}
    changes = run(advance="1d").receipt.changes
    for table in TABLES:
        new = set(query(f'SELECT _dlt_id FROM "{table.name}"')) - ids[table.name]
        assert len(new) == changes[table.name]["added"] < 60


def test_ids_are_in_the_order_of_the_loads_and_of_their_rows(run: Run, query: Query) -> None:
    run(users=300, as_of=START, epoch=START, write_disposition="replace")
    for table in TABLES:
        ids = query(f'SELECT _dlt_id FROM "{table.name}" ORDER BY ctid')
        assert ids == sorted(ids)
    run(as_of=DAYS[1])
    for table in (table for table in TABLES if table.name != "plan"):
        first, second = query(
            'SELECT min(_dlt_id COLLATE "C"), max(_dlt_id COLLATE "C")'
            f' FROM "{table.name}" GROUP BY _dlt_load_id ORDER BY _dlt_load_id'
        )
        assert first[1] < second[0]


def test_usage_once_loaded_never_changes(run: Run, query: Query) -> None:
    run(users=60, as_of=START)
    rows = "SELECT *, xmin::text, ctid::text FROM usage WHERE usage_date <= %s ORDER BY usage_id"
    before = query(rows, START)
    run(advance="3m")
    assert query(rows, START) == before


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
    run: Run, query: Query, target: Target, ways: Ways, damage: str
) -> None:
    run(users=60, as_of=DAYS[0], epoch=START, write_disposition="replace")
    right = current(query)
    run(users=60, as_of=START, epoch=START, write_disposition="replace")
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


def test_what_began_or_ended_on_the_day_of_the_advance_is_corrected(
    run: Run, query: Query, ways: Ways
) -> None:
    run(users=60, as_of=DAYS[1], epoch=START, write_disposition="replace")
    right = current(query)
    run(users=60, as_of=START, epoch=START, write_disposition="replace")
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


def test_after_an_append_an_advance_clears_the_copies_away(run: Run, query: Query) -> None:
    run(users=60, as_of=DAYS[0], epoch=START, write_disposition="replace")
    right = current(query)
    run(users=60, as_of=START, epoch=START, write_disposition="replace")
    run(write_disposition="append", as_of=START)
    run(advance="1d")
    assert current(query) == right


def test_what_postgresql_stores_of_a_change_is_checked(
    run: Run, query: Query, target: Target
) -> None:
    run(users=60, as_of=START)
    before = current(query)
    # Somebody's trigger that spoils what is written.
    query(
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.api_calls := NEW.api_calls + 1; RETURN NEW; END'"
    )
    query("CREATE TRIGGER spoil BEFORE INSERT ON usage FOR EACH ROW EXECUTE FUNCTION spoil()")
    with pytest.raises(Exception, match="usage") as failure:
        run(advance="1m")
    assert "nothing was published" in str(failure.getrepr(style="short"))
    assert current(query) == before


def test_the_epoch_and_what_came_before_it_are_a_history_too(run: Run, query: Query) -> None:
    epoch = date(2026, 6, 1)
    run(users=60, as_of=epoch, epoch=epoch, write_disposition="replace")
    alone = current(query)
    run(users=60, as_of=date(2024, 8, 1), epoch=epoch, write_disposition="replace")
    run(as_of=date(2025, 1, 1))
    run(as_of=epoch)
    assert current(query) == alone


def test_going_back_is_refused_and_replace_goes_anywhere(run: Run) -> None:
    run(users=60, as_of=START)
    with pytest.raises(LoadError, match="cannot be undone: name --as-of 2026-06-01 or a later day"):
        run(as_of=date(2026, 5, 31))
    assert run(as_of=date(2026, 5, 31), write_disposition="replace").receipt.epoch == START


def test_there_has_to_be_a_company_to_advance(run: Run) -> None:
    with pytest.raises(LoadError, match="load one first"):
        run(advance="1d")


def test_a_day_is_named_once(run: Run) -> None:
    with pytest.raises(LoadError, match="not both"):
        run(advance="1d", as_of=START)


@pytest.mark.parametrize("name", [None, "append", "replace"])
def test_an_advance_that_was_killed_after_its_commit_is_not_taken_twice(
    run: Run, query: Query, name: str | None
) -> None:
    run(users=20, as_of=START)
    run(advance="1m", write_disposition=disposition(name))
    after = current(query)
    # As a kill between the commit and the command's own last note leaves it.
    query("UPDATE _load_receipt SET finished_at = NULL WHERE as_of = '2026-07-01'")
    assert run(advance="1m", write_disposition=disposition(name)).receipt.as_of == date(2026, 7, 1)
    assert current(query) == after
    assert query("SELECT count(*), count(finished_at) FROM _load_receipt") == [(2, 2)]
    assert run(advance="1m", write_disposition=disposition(name)).receipt.as_of == date(2026, 8, 1)


def test_the_changed_rows_of_a_table_carry_what_is_stored_of_it(run: Run, ways: Ways) -> None:
    run(users=60, as_of=START)
    run(advance="2w")
    compared = ways.changes[-1]
    assert compared is not None
    for name, rows in (("user", 60), ("subscription", 103), ("usage", 300)):
        selection = compared.selections[name]
        assert isinstance(selection, Changed)
        assert (selection.since, selection.stored.current.rows) == (START, rows)
