"""The company moved on: it comes out as the later day alone gives it, and no more is brought."""

from __future__ import annotations

from datetime import date

import pytest

from subscriptions.load.checks.run import findings
from subscriptions.load.errors import LoadError
from subscriptions.load.partitions import Changed
from subscriptions.load.receipt import latest
from subscriptions.load.request import disposition
from subscriptions.load.tables import TABLES
from subscriptions.load.target import Target
from subscriptions.load.verification import verify
from subscriptions.tests.load.conftest import Run
from subscriptions.tests.load.later_days import DAYS, START, Ways, current
from subscriptions.tests.load.trouble import Query, Rows


@pytest.mark.parametrize("name", [None, "merge", "scd2", "replace"])
def test_every_way_to_a_day_leads_to_the_same_rows(
    run: Run,
    query: Query,
    target: Target,
    alone: dict[date, Rows],
    name: str | None,
    ways: Ways,
) -> None:
    run(users=60, as_of=START, epoch=START)
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


def test_row_ids_of_an_older_release_stay_beside_new_ones(
    run: Run, query: Query, target: Target, alone: dict[date, Rows]
) -> None:
    run(users=60, as_of=START, epoch=START)
    load_id = "1q2w3e4r5t"  # of the same form as those in the ids of today
    for table in TABLES:
        query(f"UPDATE \"{table.name}\" SET _dlt_id = {table.key}::text || '-{load_id}'")
    older = {table.name: set(query(f'SELECT _dlt_id FROM "{table.name}"')) for table in TABLES}
    run(as_of=DAYS[1])
    assert current(query) == alone[DAYS[1]]
    for table in TABLES:
        ids = query(f'SELECT _dlt_id FROM "{table.name}"')
        assert older[table.name] <= set(ids)
    run(as_of=DAYS[1], write_disposition="append")
    run(advance="1d")
    with target.connect("test") as session, session.transaction():
        recorded = latest(session, target.dataset)
        assert recorded is not None
        assert [f for f in findings(session, target.dataset, recorded) if f.violations] == []
    assert all(result.right for result in verify(target))


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
