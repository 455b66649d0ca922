"""LOAD: what each write disposition does to a stored table, as plain SQL.

dlt stages the load, or what of it is not stored yet, beside the dataset; these statements bring
one staged table into its stored twin. They run in one transaction for all tables, so readers see
all of a load or none.
dlt's own merge jobs commit table by table, let `upsert` overwrite closed versions and `scd2`
re-version every row after another disposition; README, "How loading works", says more.

All four compare business columns, never a stored hash, so a row changed by hand is repaired.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from subscriptions.load.tables import Disposition, Table

# A key's surplus current rows: what an `append` left of a row that was there already. The oldest
# copy stays, since its valid_from tells when the row became what it is.
_DROP_SURPLUS = """
    DELETE FROM {stored} AS surplus
    USING (
        SELECT _dlt_id, row_number() OVER (
            PARTITION BY {key} ORDER BY valid_from, _dlt_load_id, _dlt_id) AS place
        FROM {stored} AS stored
        WHERE valid_to IS NULL AND {key} IN (
            SELECT {key} FROM {stored} AS stored
            WHERE valid_to IS NULL AND {compared} GROUP BY {key} HAVING count(*) > 1)
    ) AS numbered
    WHERE numbered.place > 1 AND surplus._dlt_id = numbered._dlt_id
"""

_DELETE_ALL = "DELETE FROM {stored}"

_INSERT_ALL = "INSERT INTO {stored} ({columns}) SELECT {columns} FROM {staged}"

_INSERT_NEW = """
    INSERT INTO {stored} ({columns}) SELECT {columns} FROM {staged} AS staged
    WHERE NOT EXISTS (
        SELECT FROM {stored} AS stored WHERE stored.{key} = staged.{key} AND valid_to IS NULL)
"""

_ABSENT = """
    stored.valid_to IS NULL AND {compared}
    AND NOT EXISTS (SELECT FROM {staged} AS staged WHERE staged.{key} = stored.{key})
"""

_CHANGED = """
    stored.valid_to IS NULL AND staged.{key} = stored.{key}
    AND ({stored_values}) IS DISTINCT FROM ({staged_values})
"""

_DELETE_ABSENT = "DELETE FROM {stored} AS stored WHERE" + _ABSENT

_UPDATE_CHANGED = (
    "UPDATE {stored} AS stored SET {assignments}, _dlt_load_id = staged._dlt_load_id"
    " FROM {staged} AS staged WHERE" + _CHANGED
)

# A version that began on the load's own day was never true on any earlier day: it is corrected
# in place, for closing it would leave a version of no length.
_NOT_EARLIER = " AND stored.valid_from >= staged.valid_from"
_EARLIER = " AND stored.valid_from < staged.valid_from"

_CLOSE_CHANGED = (
    "UPDATE {stored} AS stored SET valid_to = staged.valid_from"
    " FROM {staged} AS staged WHERE" + _CHANGED + _EARLIER
)
_CLOSE_ABSENT = (
    "UPDATE {stored} AS stored SET valid_to = {as_of} WHERE"
    + _ABSENT
    + " AND stored.valid_from < {as_of}"
)

# A version that an earlier load closed on this very day was true until then and, by this load, is
# true from then on: it goes on, where one of the same values would begin. What was stored of that
# day meanwhile was never true on an earlier one.
_GOES_ON = """
    closed.{key} = staged.{key} AND closed.valid_to = {as_of}
    AND ({closed_values}) IS NOT DISTINCT FROM ({staged_values})
"""
_DELETE_MEANWHILE = (
    "DELETE FROM {stored} AS stored USING {staged} AS staged, {stored} AS closed WHERE"
    + _CHANGED
    + _NOT_EARLIER
    + " AND"
    + _GOES_ON
)
_REOPEN = (
    "UPDATE {stored} AS closed SET valid_to = NULL FROM {staged} AS staged WHERE"
    + _GOES_ON
    + """AND NOT EXISTS (
        SELECT FROM {stored} AS stored WHERE stored.{key} = staged.{key} AND valid_to IS NULL)
    """
)

# Each disposition: what is counted in the load's receipt, and the statement, in order.
_STATEMENTS: dict[Disposition, tuple[tuple[str, str], ...]] = {
    "append": (("added", _INSERT_ALL),),
    "replace": (("removed", _DELETE_ALL), ("added", _INSERT_ALL)),
    "merge": (
        ("removed", _DROP_SURPLUS),
        ("removed", _DELETE_ABSENT),
        ("changed", _UPDATE_CHANGED),
        ("added", _INSERT_NEW),
    ),
    "scd2": (
        ("removed", _DROP_SURPLUS),
        ("closed", _CLOSE_ABSENT),
        ("removed", _DELETE_ABSENT),
        ("removed", _DELETE_MEANWHILE),
        ("reopened", _REOPEN),
        ("changed", _UPDATE_CHANGED + _NOT_EARLIER),
        ("closed", _CLOSE_CHANGED),
        ("added", _INSERT_NEW),
    ),
}


# What corrects or reopens a version that began or ended on the load's own day.
_OF_THE_DAY = {_DELETE_MEANWHILE, _REOPEN, _UPDATE_CHANGED + _NOT_EARLIER}


class There(Enum):
    """Which versions are stored of the keys that are staged, as far as is known."""

    ANY = "any"
    EARLIER = "none that began or ended on the load's day or later"
    NONE = "none"


@dataclass(frozen=True)
class Statement:
    """One SQL statement and what the rows that it touches are counted as."""

    counts_as: str
    sql: str


def kinds(disposition: Disposition) -> list[str]:
    """What rows may be counted as: added, changed, closed, reopened or removed."""
    return [counts_as for counts_as, _ in _STATEMENTS[disposition]]


def statements(
    table: Table,
    disposition: Disposition,
    stored: str,
    staged: str,
    as_of: str,
    compared: str = "true",
    there: There = There.ANY,
) -> Iterator[Statement]:
    """The statements that bring `staged` into `stored`, but for those that have nothing to do.

    Both are quoted and schema-qualified; `as_of` is SQL for the load's instant, and `compared` SQL
    for which rows AS stored are staged if the company has them: of the others nothing is known.
    """
    values = [column for column in table.columns if column != table.key]
    words = {
        "stored": stored,
        "staged": staged,
        "as_of": as_of,
        "compared": compared,
        "key": table.key,
        "columns": ", ".join(table.stored_columns),
        "stored_values": ", ".join(f"stored.{column}" for column in values),
        "staged_values": ", ".join(f"staged.{column}" for column in values),
        "closed_values": ", ".join(f"closed.{column}" for column in values),
        "assignments": ", ".join(f"{column} = staged.{column}" for column in values),
    }
    wanted = _STATEMENTS[disposition]
    if there is There.NONE:
        wanted = (("added", _INSERT_ALL),)
    for counts_as, template in wanted:
        if there is There.ANY or template not in _OF_THE_DAY:
            yield Statement(counts_as, template.format(**words))
