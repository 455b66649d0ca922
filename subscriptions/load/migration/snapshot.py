"""LOAD: the source of a migration as it is at one moment, for all sessions that read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from subscriptions.load import checksums, receipt
from subscriptions.load.checksums import BucketSums, Versions
from subscriptions.load.errors import LoadError
from subscriptions.load.migration.ends import PURPOSE, SOURCE, at_source
from subscriptions.load.receipt import Receipt
from subscriptions.load.tables import TABLES, Table
from subscriptions.load.target import Target

if TYPE_CHECKING:
    from dlt.common.schema.typing import TColumnSchema

Connection = psycopg.Connection[tuple[Any, ...]]

_READ = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


@dataclass(frozen=True)
class Snapshot:
    """One state of a source, which lasts as long as the session that took it."""

    source: Target
    session: Connection
    name: str
    recorded: Receipt
    """Of the source's last load."""

    @contextmanager
    def another_session(self) -> Iterator[Connection]:
        """A further session on the same state."""
        with self.source.connect(PURPOSE) as session, session.transaction():
            session.execute(_READ)
            session.execute(f"SET TRANSACTION SNAPSHOT '{self.name}'")
            yield session

    def relation(self, table: Table) -> str:
        """A table's quoted name."""
        return f'"{self.source.dataset}"."{table.name}"'

    def sums(self) -> dict[str, BucketSums]:
        """By table, what the current rows sum up to, bucket by bucket."""
        with at_source():
            return {
                table.name: BucketSums.answered(
                    self.session.execute(checksums.bucket_query(table, self.relation(table)))
                )
                for table in TABLES
            }

    def versions(self) -> dict[str, Versions]:
        """By table, what all versions sum up to."""
        with at_source():
            return {
                table.name: Versions.of(
                    self.session.execute(
                        checksums.versions_query(table, self.relation(table))
                    ).fetchone()
                )
                for table in TABLES
            }

    def refuse_copies(self, tables: Iterable[Table]) -> None:
        """Refuse tables that have current rows more than once, which no upsert can tell apart.

        Raises:
            LoadError: one of them has.
        """
        with at_source():
            copied = [table.name for table in tables if self._has_copies(table)]
        if copied:
            raise LoadError(
                f"The source has rows of {', '.join(copied)} more than once, as append leaves "
                "them: run load_faker_data there, which clears the copies away, or add "
                "--with-history to copy it all as it is."
            )

    def _has_copies(self, table: Table) -> bool:
        # Counted, since for the first alone the planner would go through an index row by row.
        found = self.session.execute(
            f"SELECT count(*) FROM (SELECT FROM {self.relation(table)} WHERE valid_to IS NULL"
            f" GROUP BY {table.key} HAVING count(*) > 1) AS repeated"
        )
        return found.fetchone() != (0,)


@contextmanager
def snapshot(source: Target) -> Iterator[Snapshot]:
    """The source as it is now; the caller holds its load lock.

    Raises:
        LoadError: there is no dataset, its tables are not as loads make them, or it went away.
    """
    with at_source():
        opened = source.connect(PURPOSE)
    with opened as session, session.transaction():
        with at_source():
            session.execute(_READ)
            recorded = receipt.latest(session, source.dataset)
            if recorded is None:
                raise LoadError(
                    f"There is no {source.dataset} to copy at the source, {place(session)}: run "
                    f"load_faker_data first, or set {SOURCE} to the database that has it."
                )
            for table in TABLES:
                _refuse_other_types(session, source.dataset, table)
            (name,) = session.execute("SELECT pg_export_snapshot()").fetchall()[0]
        yield Snapshot(source, session, name, recorded)


def place(session: Connection) -> str:
    """Where a session's database is, without its user's name and password."""
    info = session.info
    return f"{info.host}:{info.port}/{info.dbname}"


def _refuse_other_types(session: Connection, dataset: str, table: Table) -> None:
    """Refuse a table whose columns are not what loads make: binary rows have no types of their own.

    Raises:
        LoadError: a column is missing, or of another type.
    """
    query = """
        SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
        WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
    """
    there: dict[str, str] = dict(session.execute(query, [f'"{dataset}"."{table.name}"']).fetchall())
    for name, expected in _types(table.dlt_columns).items():
        if name not in there:
            raise LoadError(
                f"The source's {table.name} has no column {name}: run load_faker_data there first, "
                "which completes the tables of an older release."
            )
        if there[name] != expected:
            raise LoadError(
                f"The source's {table.name}.{name} is of the type {there[name]} instead of "
                f"{expected}: load_faker_data --write-disposition replace makes its tables anew."
            )


def _types(columns: Mapping[str, TColumnSchema]) -> dict[str, str]:
    """What PostgreSQL calls the types that dlt gives the columns."""
    names = {
        "text": "character varying",
        "double": "double precision",
        "date": "date",
        "json": "jsonb",
        "timestamp": "timestamp with time zone",
        "bigint": "integer",  # of 32 bits, all of them
    }
    return {
        name: names.get(hint["data_type"] or "") or f"numeric({hint['precision']},{hint['scale']})"
        for name, hint in columns.items()
    }
