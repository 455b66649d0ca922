"""LOAD: whether others have built on the dataset's tables, which a swap would then take away."""

from __future__ import annotations

import json
from typing import Any, Final, Protocol

from subscriptions.load.structure import INDEXES
from subscriptions.load.tables import RECEIPT_TABLE, TABLES

_OWN_RELATIONS: Final = (
    *(table.name for table in TABLES),
    *(table.view for table in TABLES),
    *(index.name for index in INDEXES),
    RECEIPT_TABLE,
)

# Whatever is in the schema, or depends on what is in it, and is neither ours nor dlt's: asked of
# pg_depend rather than kind by kind, so that kinds nobody thought of count as well.
_ATTACHED = r"""
    WITH ours AS (
        SELECT rel.* FROM pg_class AS rel
        WHERE rel.relnamespace = to_regnamespace(%(dataset)s) AND rel.relkind <> 't')
    SELECT WHERE
        EXISTS (
            SELECT FROM pg_namespace
            WHERE nspname = %(dataset)s AND (
                nspacl IS NOT NULL OR nspowner <> current_user::regrole
                OR obj_description(oid, 'pg_namespace') IS NOT NULL))
        OR EXISTS (
            SELECT FROM ours
            WHERE relacl IS NOT NULL OR relrowsecurity OR relowner <> current_user::regrole
                OR relname NOT LIKE '\_dlt\_%%' AND relname <> ALL (%(own)s))
        OR EXISTS (
            SELECT FROM pg_description
            JOIN ours ON objoid = ours.oid AND classoid = 'pg_class'::regclass)
        OR EXISTS (  -- columns of theirs
            SELECT FROM pg_attribute JOIN ours ON attrelid = ours.oid
            JOIN jsonb_each(%(columns)s::jsonb) AS known ON known.key = ours.relname
            WHERE attnum > 0 AND NOT attisdropped AND NOT known.value ? attname::text)
        OR EXISTS (  -- functions, types, and the like, which live in the schema
            SELECT FROM pg_depend
            WHERE refclassid = 'pg_namespace'::regclass AND classid <> 'pg_class'::regclass
                AND refobjid = to_regnamespace(%(dataset)s))
        OR EXISTS (  -- triggers, policies, publications, constraints, others' views and functions
            SELECT FROM pg_depend AS dep
            JOIN ours ON dep.refobjid IN (ours.oid, ours.reltype)
                AND dep.refclassid IN ('pg_class'::regclass, 'pg_type'::regclass)
            LEFT JOIN pg_rewrite AS rule
                ON dep.classid = 'pg_rewrite'::regclass AND rule.oid = dep.objid
            LEFT JOIN pg_constraint AS con
                ON dep.classid = 'pg_constraint'::regclass AND con.oid = dep.objid
            WHERE dep.classid NOT IN (
                    'pg_class'::regclass, 'pg_type'::regclass, 'pg_attrdef'::regclass,
                    'pg_rewrite'::regclass, 'pg_constraint'::regclass)
                OR rule.ev_class NOT IN (SELECT oid FROM ours)
                OR con.contype IN ('c', 'f', 'p', 'u', 'x'))
"""


class Cursor(Protocol):
    """What the cursors of psycopg, which we use, and of psycopg2, which dlt uses, have alike."""

    def execute(self, query: Any, parameters: Any = ..., /) -> Any:
        """Run a statement."""

    def fetchone(self) -> Any:
        """The next row, or None."""


def exist(cursor: Cursor, dataset: str) -> bool:
    """Whether anything of others' is attached to the dataset."""
    columns = {table.name: table.stored_columns for table in TABLES}
    cursor.execute(
        _ATTACHED,
        {"dataset": dataset, "own": list(_OWN_RELATIONS), "columns": json.dumps(columns)},
    )
    return cursor.fetchone() is not None
