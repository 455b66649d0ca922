"""LOAD: what loads leave lying about: dropped after each, and before it what a kill left."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from subscriptions.load.target import Target

# How a swap marks the schema that it takes out of service, so that no other is ever dropped.
RETIRED: Final = "retired by load_faker_data"
# How long one attempt at an exclusive lock may make new readers wait behind it.
LOCK_TIMEOUT: Final = "300ms"


def drop_schemas(target: Target) -> None:
    """Drop staged and retired schemas of the dataset, unless somebody still reads them.

    Housekeeping: what it cannot do, a later load does.
    """
    query = """
        SELECT nspname FROM pg_namespace WHERE nspname = %s
        OR nspname ~ %s AND obj_description(oid, 'pg_namespace') = %s
    """
    names = (f"{target.dataset}_staging", f"^{target.dataset}_old_[0-9]+$", RETIRED)
    with (
        suppress(psycopg.Error),
        target.connect("load_faker_data", cancellable=False) as connection,
    ):
        connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        for (schema,) in connection.execute(query, names).fetchall():
            with suppress(psycopg.errors.LockNotAvailable):
                drop = sql.SQL("DROP SCHEMA {} CASCADE")
                connection.execute(drop.format(sql.Identifier(schema)))


def prefix(name: str) -> str:
    """How the names of a dataset's temporary folders begin."""
    return f"load_faker_data-{name}-"


def remove_files(name: str) -> None:
    """Remove what a killed load of the dataset left in the folder for temporary files."""
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
