"""LOAD: locks that readers wait behind, asked for in short attempts.

While a session waits for such a lock, every new reader of the table waits behind it. So it waits
for a moment only, for all the tables together, gives up what it has got, and tries again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from psycopg2 import extensions
from psycopg2.errors import LockNotAvailable, QueryCanceled

from subscriptions.load import interruption
from subscriptions.load.errors import LoadError

# Of the whole statement rather than of each lock: a lock's time-out would begin anew with each
# table, and readers of the first would wait for all.
ATTEMPT: Final = "300ms"
PAUSE_S: Final = 0.5
# How long a load tries to change a table or view that somebody holds open.
PATIENCE_S: Final = 30


def attempt(cursor: extensions.cursor, statement: str) -> bool:
    """Run a statement within the cursor's transaction, unless it has to wait for others."""
    cursor.execute("SAVEPOINT attempt")
    cursor.execute(f"SET LOCAL statement_timeout = '{ATTEMPT}'")
    try:
        cursor.execute(statement)
    except (LockNotAvailable, QueryCanceled):
        cursor.execute("ROLLBACK TO SAVEPOINT attempt")
        return False
    cursor.execute("SET LOCAL statement_timeout = DEFAULT")
    return True


def give_back(cursor: extensions.cursor) -> None:
    """Undo the last attempt: the locks that it took are free again."""
    cursor.execute("ROLLBACK TO SAVEPOINT attempt")


def try_for(cursor: extensions.cursor, statement: str, seconds: float) -> bool:
    """Attempt a statement again and again; False if it did not succeed within that time.

    Raises:
        GivenUpError: the load was interrupted, which cancels a statement as a time-out does.
    """
    deadline = time.monotonic() + seconds
    while not attempt(cursor, statement):
        if time.monotonic() > deadline:
            return False
        interruption.pause(PAUSE_S)
    return True


def insist(cursor: extensions.cursor, statement: str, relations: Sequence[str]) -> None:
    """Run a statement that changes (quoted, qualified) relations, and without which no load is.

    Raises:
        LoadError: somebody holds one of them open; the message says who.
    """
    if try_for(cursor, statement, PATIENCE_S):
        return
    cursor.execute(
        "SELECT DISTINCT format('%%s (process %%s)', coalesce(nullif(application_name, ''),"
        " usename::text), pid) FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE granted AND pid <> pg_backend_pid() AND relation = ANY (%s::regclass[]::oid[])",
        (list(relations),),
    )
    holders = ", ".join(holder for (holder,) in cursor.fetchall()) or "somebody"
    raise LoadError(
        f"The tables have to be changed, and {holders} holds them open: end that transaction, "
        "then run this again. Nothing was published."
    )
