"""LOAD, scratch: a dataset to try dispositions in, beside the real one and gone afterwards."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from subscriptions.load import leftovers
from subscriptions.load.errors import LoadError
from subscriptions.load.lock import load_lock
from subscriptions.load.target import Target

# Its name has to leave room for what loads add to it, within PostgreSQL's 63 characters; and so
# many random digits are in nobody's mind when they name a schema, since whatever is called like
# this is dropped. DATASET_NAME may not end in them.
_DIGITS: Final = 16
_DATASET_CHARACTERS: Final = 23
# Nobody reads it but the sessions of a killed process, which end as soon as they notice.
_DROP_TIMEOUT: Final = "5s"


@contextmanager
def scratch(target: Target, working_dir: Path) -> Iterator[Target]:
    """A dataset of its own in the target's database, removed however the block ends.

    What killed processes left of theirs is removed first. A live one's is known by its load lock,
    which is held for as long as the block lasts.
    """
    for left in _left(target, working_dir):
        with suppress(LoadError), load_lock(left):
            _remove(left, working_dir)
    name = f"{_prefix(target)}{secrets.token_hex(_DIGITS // 2)}"
    own = replace(target, dataset=name, pipeline=name)
    with load_lock(own):
        try:
            yield own
        finally:
            _remove(own, working_dir)


def _prefix(target: Target) -> str:
    return f"{target.dataset[:_DATASET_CHARACTERS].rstrip('_')}_compare_"


def _left(target: Target, working_dir: Path) -> list[Target]:
    """The scratch datasets in the database, and those that only have files here, live or not."""
    named = re.compile(f"{_prefix(target)}[0-9a-f]{{{_DIGITS}}}")
    with target.connect("compare_dispositions") as connection:
        schemas = connection.execute("SELECT nspname FROM pg_namespace").fetchall()
    names = {found[0] for (schema,) in schemas if (found := named.match(schema))}
    for place in (working_dir, Path(tempfile.gettempdir())):
        for path in place.glob(f"*{_prefix(target)}*"):
            found = named.search(path.name)
            if found and replace(target, dataset=found[0]).folder in path.name:
                names.add(found[0])
    return [replace(target, dataset=name, pipeline=name) for name in sorted(names)]


def _remove(own: Target, working_dir: Path) -> None:
    """Remove all that a scratch dataset has; what cannot be now, the next one's start removes."""
    with (
        suppress(psycopg.Error),
        own.connect("compare_dispositions", cancellable=False) as connection,
    ):
        connection.execute(f"SET lock_timeout = '{_DROP_TIMEOUT}'")
        schemas = connection.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname ~ %s",
            (f"^{own.dataset}(_staging|_old_[0-9]+)?$",),
        ).fetchall()
        for (schema,) in schemas:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
    shutil.rmtree(working_dir / own.folder, ignore_errors=True)
    leftovers.remove_files(own.folder)
