"""The yardstick: the very same rows, by hand.

One stream of COPY from files into plain tables, then the same CREATE INDEX statements and ANALYZE,
one after another, on the same server and with a load's own session settings.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from psycopg import sql

from benchmarks.workplace import DATASET, Workplace
from subscriptions.load.structure import index_statements
from subscriptions.load.tables import TABLES, Table

SCHEMA = "yardstick"
BLOCK = 1 << 20


@dataclass(frozen=True)
class Step:
    """One statement of the yardstick, and how long it took."""

    statement: str
    seconds: float


def write_files(place: Workplace) -> Mapping[Table, Path]:
    """Write the loaded rows to one CSV file per table, in the order in which they are stored."""
    folder = place.folder / "yardstick"
    folder.mkdir(exist_ok=True)
    paths = {}
    with place.connect() as session, session.cursor() as cursor:
        for table in TABLES:
            paths[table] = folder / f"{table.name}.csv"
            command = sql.SQL("COPY {} ({}) TO STDOUT (FORMAT csv)").format(
                sql.Identifier(DATASET, table.name), _columns(table)
            )
            with cursor.copy(command) as copy, paths[table].open("wb") as file:
                for block in copy:
                    file.write(block)
    return paths


def measure(place: Workplace, files: Mapping[Table, Path]) -> Sequence[Step]:
    """Load, index and analyze the files' rows in a schema of their own, and drop it again."""
    steps = []
    with place.connect() as session:
        schema = sql.Identifier(SCHEMA)
        session.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
        for table in TABLES:
            session.execute(
                sql.SQL("CREATE TABLE {} (LIKE {})").format(
                    sql.Identifier(SCHEMA, table.name), sql.Identifier(DATASET, table.name)
                )
            )
        for table, path in files.items():
            command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
                sql.Identifier(SCHEMA, table.name), _columns(table)
            )
            started = time.perf_counter()
            with session.cursor() as cursor, cursor.copy(command) as copy, path.open("rb") as file:
                while block := file.read(BLOCK):
                    copy.write(block)
            steps.append(Step(command.as_string(session), time.perf_counter() - started))
        statements = (index_statements(f'"{SCHEMA}"', table) for table in TABLES)
        for statement in chain.from_iterable(statements):
            started = time.perf_counter()
            session.execute(statement.encode())
            steps.append(Step(statement, time.perf_counter() - started))
        session.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(schema))
    return steps


def _columns(table: Table) -> sql.Composed:
    """Every column of a fresh row: `valid_to` is null in all of them, and no file has it."""
    columns = (column for column in table.stored_columns if column != "valid_to")
    return sql.SQL(", ").join(map(sql.Identifier, columns))
