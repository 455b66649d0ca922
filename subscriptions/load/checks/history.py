"""LOAD, checks: what holds of every stored version, current or closed, in all four tables.

That a key has at most one current version is the first of the invariants, `…-keys-unique`.
"""

from __future__ import annotations

from subscriptions.load.checks.check import Check
from subscriptions.load.tables import TABLES

# A version, by table, key and the instant from which it holds.
_VERSION = "concat_ws(' ', '{table}', {key}, valid_from)"


def _everywhere(query: str) -> str:
    """The query for each table; {table}, {key} and {version} stand for what is theirs."""
    words = [
        {"table": t.name, "key": t.key, "version": _VERSION.format(table=t.name, key=t.key)}
        for t in TABLES
    ]
    return " UNION ALL ".join(query.format(**each) for each in words)


HISTORY = (
    Check(
        "versions-at-midnight",
        "valid_from and valid_to are at 00:00 UTC.",
        _everywhere("""
        SELECT {version} FROM "{table}"
        WHERE valid_from <> date_trunc('day', valid_from)
           OR valid_to <> date_trunc('day', valid_to)
        """),
    ),
    Check(
        "versions-last",
        "A closed version ends after it begins.",
        _everywhere('SELECT {version} FROM "{table}" WHERE valid_from >= valid_to'),
    ),
    Check(
        "versions-apart",
        "A version of a key ends before the next one begins, or on that instant.",
        # Two current ones are left to the checks of unique keys. Only keys with a closed version
        # can have any others: few, so that not every row has to be sorted.
        _everywhere("""
        SELECT {version} FROM (
            SELECT {key}, valid_from, valid_to,
                lead(valid_from) OVER versions AS next_from, lead(valid_to) OVER versions AS next_to
            FROM "{table}"
            WHERE {key} IN (SELECT {key} FROM "{table}" WHERE valid_to IS NOT NULL)
            WINDOW versions AS (PARTITION BY {key} ORDER BY valid_from, valid_to)
        ) AS version
        WHERE valid_to > next_from
           OR (valid_to IS NULL AND next_from IS NOT NULL AND next_to IS NOT NULL)
        """),
    ),
    Check(
        "versions-differ",
        "Versions of a key that meet differ, unless rows were merged or appended.",
        # Under merge a row may come to be what its last closed version was.
        " UNION ALL ".join(
            f"""
            SELECT concat_ws(' ', '{t.name}', newer.{t.key}, newer.valid_from)
            FROM "{t.name}" AS newer JOIN "{t.name}" AS older
                ON older.{t.key} = newer.{t.key} AND older.valid_to = newer.valid_from
            WHERE {" AND ".join(f"newer.{c} IS NOT DISTINCT FROM older.{c}" for c in t.columns)}
                AND NOT EXISTS (
                    SELECT FROM _load_receipt
                    WHERE dispositions ->> '{t.name}' IN ('merge', 'append'))
            """
            for t in TABLES
        ),
    ),
    Check(
        "versions-by-as-of",
        "No version begins or ends later than the load's as-of date.",
        _everywhere("""
        SELECT {version} FROM "{table}" WHERE valid_from > %(as_of)s OR valid_to > %(as_of)s
        """),
    ),
    Check(
        "version-ids-unique",
        "No two versions have the same _dlt_id.",
        _everywhere("""
        SELECT '{table} ' || _dlt_id FROM "{table}" GROUP BY _dlt_id HAVING count(*) > 1
        """),
    ),
    Check(
        "version-loads-noted",
        "The _dlt_load_id of a version is one of _dlt_loads.",
        _everywhere("""
        SELECT {version} FROM "{table}" AS version
        WHERE NOT EXISTS (SELECT FROM _dlt_loads WHERE load_id = version._dlt_load_id)
        """),
    ),
)
