"""What others attach to the dataset survives loads, and loads leave nothing of their own."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from subscriptions.extract import Company
from subscriptions.load import publication
from subscriptions.load.tables import TABLES, Disposition
from subscriptions.load.target import Target
from subscriptions.tests.load.conftest import Execute
from subscriptions.tests.load.trouble import Query

DAY = date(2026, 6, 1)
SMALL = Company(seed=1, users=30, epoch=DAY)
LARGE = Company(seed=2, users=60, epoch=DAY)

# What others may build on the tables, and how to see that it is still there afterwards.
ATTACHMENTS = {
    "view": (
        'CREATE VIEW {other}.heads AS SELECT count(*) AS heads FROM {dataset}."user"',
        "SELECT heads = 60 FROM {other}.heads",
    ),
    "materialized view": (
        "CREATE MATERIALIZED VIEW {other}.heads AS SELECT count(*) FROM {dataset}.user_current",
        "SELECT count(*) = 1 FROM {other}.heads",
    ),
    "grant on a table": (
        'GRANT SELECT ON {dataset}."user" TO PUBLIC',
        "SELECT has_table_privilege('public', '{dataset}.\"user\"', 'SELECT')",
    ),
    "grant on the schema": (
        "GRANT USAGE ON SCHEMA {dataset} TO PUBLIC",
        "SELECT has_schema_privilege('public', '{dataset}', 'USAGE')",
    ),
    "table": (
        "CREATE TABLE {dataset}.notes AS SELECT 1 AS note",
        "SELECT note = 1 FROM {dataset}.notes",
    ),
    "column": (
        'ALTER TABLE {dataset}."user" ADD COLUMN note text',
        'SELECT count(note) = 0 FROM {dataset}."user"',
    ),
    "index": (
        "CREATE INDEX their_index ON {dataset}.usage (api_calls)",
        "SELECT to_regclass('{dataset}.their_index') IS NOT NULL",
    ),
    "function": (
        "CREATE FUNCTION {dataset}.one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SELECT {dataset}.one() = 1",
    ),
    "check": (
        "ALTER TABLE {dataset}.usage ADD CONSTRAINT sane CHECK (api_calls >= 0)",
        "SELECT count(*) = 1 FROM pg_constraint WHERE conname = 'sane'",
    ),
    "policy": (
        'ALTER TABLE {dataset}."user" ENABLE ROW LEVEL SECURITY',
        "SELECT relrowsecurity FROM pg_class WHERE oid = '{dataset}.\"user\"'::regclass",
    ),
    "comment": (
        "COMMENT ON TABLE {dataset}.usage IS 'theirs'",
        "SELECT obj_description('{dataset}.usage'::regclass) = 'theirs'",
    ),
}


@pytest.mark.parametrize("kind", ATTACHMENTS)
def test_what_others_built_on_the_tables_survives_a_replace(
    execute: Execute, target: Target, query: Query, kind: str
) -> None:
    names = {"dataset": target.dataset, "other": f"{target.dataset}_reports"}
    attach, still_there = (sql.format(**names) for sql in ATTACHMENTS[kind])
    execute(SMALL, DAY)
    query("CREATE SCHEMA {other}".format(**names))
    try:
        query(attach)
        execute(LARGE, DAY, "replace")
        assert query(still_there) == [(True,)]
        assert query('SELECT count(*) FROM "user"') == [(60,)]
    finally:
        query("DROP SCHEMA {other} CASCADE".format(**names))


def test_what_is_built_between_the_choice_and_the_swap_survives(
    execute: Execute, target: Target, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(SMALL, DAY)
    prepare = publication.Publication.prepare

    def build_meanwhile(chosen: publication.Publication) -> None:
        prepare(chosen)
        assert chosen.staging.swap
        query(f"CREATE VIEW public.{target.dataset}_heads AS SELECT count(*) FROM user_current")

    monkeypatch.setattr(publication.Publication, "prepare", build_meanwhile)
    try:
        execute(LARGE, DAY, "replace")
        assert query(f"SELECT count FROM public.{target.dataset}_heads") == [(60,)]
    finally:
        query(f"DROP VIEW IF EXISTS public.{target.dataset}_heads")


@pytest.mark.parametrize("disposition", [None, "replace", "append"])
def test_indexes_and_views_stand_after_every_load(
    execute: Execute, query: Query, target: Target, disposition: Disposition | None
) -> None:
    def standing() -> tuple[list[Any], list[Any]]:
        indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = %s ORDER BY 1"
        views = "SELECT viewname, definition FROM pg_views WHERE schemaname = %s ORDER BY 1"
        return query(indexes, target.dataset), query(views, target.dataset)

    execute(SMALL, DAY)
    first = standing()
    assert [name for name, _ in first[1]] == sorted(table.view for table in TABLES)
    assert len(first[0]) > len(TABLES)
    execute(SMALL, DAY, disposition)
    assert standing() == first


def test_nothing_but_the_dataset_is_left(execute: Execute, query: Query, target: Target) -> None:
    for disposition in (None, "replace", "append"):
        execute(SMALL, DAY, disposition)
        left = query("SELECT nspname FROM pg_namespace WHERE nspname LIKE %s", f"{target.dataset}%")
        assert left == [(target.dataset,)]
    kept = "SELECT count(*), count(DISTINCT version_hash) FROM _dlt_version"
    assert len(set(query(kept)[0])) == 1


def test_only_what_a_load_retired_is_dropped(
    execute: Execute, query: Query, target: Target
) -> None:
    backup = f"{target.dataset}_old_2024"
    query(f"CREATE SCHEMA {backup}")
    try:
        execute(SMALL, DAY)
        execute(SMALL, DAY, "replace")
        assert query("SELECT to_regnamespace(%s) IS NOT NULL", backup) == [(True,)]
    finally:
        query(f"DROP SCHEMA {backup}")
