"""LOAD: what loads leave lying about: dropped after each, and before it what a kill left."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from subscriptions.load.errors import LoadError
from subscriptions.load.target import Target

# How a swap marks the schema that it takes out of service, so that no other is ever dropped.
RETIRED: Final = "retired by load_faker_data"
# How long one attempt at an exclusive lock may make new readers wait behind it.
LOCK_TIMEOUT: Final = "300ms"


def drop_schemas(target: Target) -> None:
    """Drop staged and retired schemas of the dataset, unless somebody still uses them.

    Housekeeping: what it cannot do, a later load does. What a killed load's sessions still hold of
    its staged tables, the last statement that each had begun, is put out of the next load's way.
    """
    staging = f"{target.dataset}_staging"
    query = """
        SELECT nspname, oid FROM pg_namespace WHERE nspname = %s
        OR nspname ~ %s AND obj_description(oid, 'pg_namespace') = %s
    """
    names = (staging, f"^{target.dataset}_old_[0-9]+$", RETIRED)
    with (
        suppress(psycopg.Error),
        target.connect("load_faker_data", cancellable=False) as connection,
    ):
        connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        for schema, oid in connection.execute(query, names).fetchall():
            try:
                drop = sql.SQL("DROP SCHEMA {} CASCADE")
                connection.execute(drop.format(sql.Identifier(schema)))
            except psycopg.errors.LockNotAvailable:
                if schema == staging:
                    _retire(connection, staging, f"{target.dataset}_old_{oid}")


def _retire(connection: psycopg.Connection[Any], schema: str, name: str) -> None:
    """Give a schema that somebody uses another name, which needs no lock."""
    retired = sql.Identifier(name)
    with connection.transaction():
        rename = sql.SQL("ALTER SCHEMA {} RENAME TO {}")
        connection.execute(rename.format(sql.Identifier(schema), retired))
        comment = sql.SQL("COMMENT ON SCHEMA {} IS {}")
        connection.execute(comment.format(retired, sql.Literal(RETIRED)))


def prefix(name: str) -> str:
    """How the names of a dataset's temporary folders begin."""
    return f"load_faker_data-{name}-"


def remove_files(name: str) -> None:
    """Remove what a killed load of the dataset left in the folder for temporary files.

    Raises:
        LoadError: TMPDIR names no usable folder, where Python would take another, which may well
            lie on a disk that is too small.
    """
    wanted = os.environ.get("TMPDIR")
    if wanted and not (Path(wanted).is_dir() and os.access(wanted, os.W_OK | os.X_OK)):
        raise LoadError(
            f"TMPDIR is {wanted}, which is no folder that can be written to: name another one, or "
            "unset it."
        )
    for left in Path(tempfile.gettempdir()).glob(f"{prefix(name)}*"):
        shutil.rmtree(left, ignore_errors=True)


def empty(folder: Path) -> bool:
    """Remove dlt's folder for a dataset; True if an interrupted load had left a package there.

    dlt would load such a package first, and leave the new data out. A folder of the dataset's own
    is under the dataset's lock, whatever other datasets the same pipeline loads.
    """
    left = any(folder.glob("*/load/normalized/*")) or any(folder.glob("*/normalize/extracted/*"))
    shutil.rmtree(folder, ignore_errors=True)
    return left
