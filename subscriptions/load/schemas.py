"""LOAD: what a schema holds, and moving rows between two of them."""

from __future__ import annotations

from psycopg2 import extensions


def columns(cursor: extensions.cursor, schema: str, relation: str) -> list[str]:
    """The names of a table's or view's columns, in their order; none where there is none."""
    cursor.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
        (schema, relation),
    )
    return [name for (name,) in cursor.fetchall()]


def copy_rows(cursor: extensions.cursor, name: str, source: str, destination: str) -> None:
    """Add the rows of a table to its namesake in another schema, which has all its columns."""
    names = ", ".join(f'"{column}"' for column in columns(cursor, source, name))
    cursor.execute(
        f'INSERT INTO "{destination}"."{name}" ({names}) SELECT {names} FROM "{source}"."{name}"'
    )
