"""LOAD: the indexes and views that stand on the tables dlt creates, declared in one place.

dlt makes tables and columns only. What the API and the admin search, join and sort by is
indexed here, after the bulk load; no index but that of `_dlt_id` is unique, because `append`
promises no uniqueness. The views hold the current rows alone: joins between them see one version
of each key, in both directions, whatever history the tables hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from subscriptions.load.tables import SUBSCRIPTION, TABLES, USAGE, USER, Table


@dataclass(frozen=True)
class Index:
    """One index; a current one covers only the rows whose version is open."""

    table: Table
    columns: tuple[str, ...]
    current: bool = True
    unique: bool = False

    @property
    def name(self) -> str:
        """Unique in the schema and the same for every dataset."""
        kind = "current" if self.current else "all"
        return "_".join([self.table.name, *self.columns, kind, "idx"]).replace("__", "_")

    def ddl(self, schema: str) -> str:
        """The statement that builds it in a (quoted) schema."""
        unique = "UNIQUE " if self.unique else ""
        where = " WHERE valid_to IS NULL" if self.current else ""
        return (
            f'CREATE {unique}INDEX "{self.name}" '
            f'ON {schema}."{self.table.name}" ({", ".join(self.columns)}){where}'
        )


INDEXES = (
    # Of all versions, which are few for a key: it finds the current one as well as their history.
    *(Index(table, (table.key,), current=False) for table in TABLES),
    *(Index(table, ("_dlt_id",), current=False, unique=True) for table in TABLES),
    Index(USER, ("plan_id",)),
    Index(USER, ("signup_date",)),
    Index(USER, ("email",)),
    Index(USER, ("last_name", "first_name")),
    Index(SUBSCRIPTION, ("user_id", "start_date")),
    Index(SUBSCRIPTION, ("plan_id",)),
    Index(SUBSCRIPTION, ("start_date",)),
    Index(SUBSCRIPTION, ("end_date",)),
    Index(USAGE, ("user_id", "usage_date")),
    Index(USAGE, ("plan_id",)),
    Index(USAGE, ("usage_date",)),
)


def index_statements(schema: str, table: Table, there: Collection[str] = ()) -> Iterator[str]:
    """A table's indexes but those that are there, and fresh statistics, in a (quoted) schema."""
    for index in INDEXES:
        if index.table is table and index.name not in there:
            yield index.ddl(schema)
    yield f'ANALYZE {schema}."{table.name}"'


def view_statement(schema: str, table: Table, columns: Sequence[str] = ()) -> str:
    """The view of a table's current rows, in a (quoted) schema; all its columns by default."""
    return (
        f'CREATE OR REPLACE VIEW {schema}."{table.view}" AS '
        f"SELECT {', '.join(columns or table.stored_columns)} "
        f'FROM {schema}."{table.name}" WHERE valid_to IS NULL'
    )
