"""LOAD: failures a person can act on, in one sentence."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import django.db
import psycopg

# A full disk, a user's quota, and a limit on the size of files.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# True whenever a load stopped, for it becomes visible in one transaction.
_WHOLE = "What is served is whole: the data from before, or all of this load."
INTERRUPTED = f"Interrupted. {_WHOLE}"


class LoadError(Exception):
    """A load that cannot go on; the message is one sentence that says what to do."""


def explain(failure: BaseException) -> str:
    """Say in one sentence what stopped a load, and what to do.

    dlt and Django wrap the driver's errors, several times over: the driver's own knows the cause.
    """
    import psycopg2

    chain = list(_chain(failure))
    for error in chain:
        if isinstance(error, LoadError):
            return str(error)
    for error in chain:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            return (
                "The disk is full: free some space (temporary files lie where TMPDIR says, dlt's "
                f"and the embedded PostgreSQL's under LOCAL_DIR) and run this again. {_WHOLE}"
            )
        if isinstance(error, psycopg.Error | psycopg2.Error):
            state = error.sqlstate if isinstance(error, psycopg.Error) else error.pgcode
            return _database_sentence(str(error), state or "")
    for error in chain:
        if isinstance(error, django.db.Error):
            return " ".join(str(error).split())
    reason = str(chain[-1]).strip().split("\n")[0] or type(chain[-1]).__name__
    return f"The load stopped: {reason} (--traceback shows where). {_WHOLE}"


def _chain(failure: BaseException | None) -> Iterator[BaseException]:
    """The error and what caused it, outermost first."""
    while failure is not None:
        yield failure
        failure = failure.__cause__ or failure.__context__


def _database_sentence(message: str, sqlstate: str) -> str:
    """Word a database error for a person; the codes are those of PostgreSQL's appendix A."""
    reason = " ".join(message.strip().split("\n")[0].split()).removeprefix("ERROR: ").rstrip(".")
    connecting = not sqlstate or sqlstate.startswith(("08", "28", "3D"))
    if "startup parameter" in reason:
        advice = "give DATABASE_URL the server itself instead of a pooler"
    elif sqlstate.startswith("28") or "authentication failed" in reason or "password" in reason:
        advice = "check the user and the password in DATABASE_URL"
    elif "does not exist" in reason and connecting:
        advice = "check DATABASE_URL"
    elif sqlstate == "42501":
        advice = "let the user CREATE in the database, and own the dataset's schema and tables"
    elif sqlstate == "25006":
        advice = "let the user write: the database or the role is read-only"
    elif sqlstate.startswith("53"):
        advice = "make room on the database server, and run this again"
    elif connecting or sqlstate.startswith("57P"):
        advice = "check that the server in DATABASE_URL is up, and run this again"
    elif sqlstate.startswith("42") or sqlstate == "23502":
        advice = (
            "somebody has changed the dataset's tables: --write-disposition replace makes them anew"
        )
    else:
        advice = "mend that and run this again"
    return f"The database says: {reason}; {advice}." + ("" if connecting else f" {_WHOLE}")
