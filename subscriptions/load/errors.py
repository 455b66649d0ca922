"""LOAD: failures a person can act on, in one sentence."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import django.db
import psycopg

# A full disk, a user's quota, and a limit on the size of files.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_KEPT = "Nothing was published: the data from before is still served."


class LoadError(Exception):
    """A load that cannot go on; the message is one sentence that says what to do."""


def explain(failure: BaseException) -> str:
    """Say in one sentence what stopped a load, and what to do.

    dlt and Django wrap the driver's errors, several times over: the innermost one knows the cause.
    """
    import psycopg2

    for error in _chain(failure):
        if isinstance(error, LoadError):
            return str(error)
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            return (
                "The disk is full: free some space (TMPDIR chooses where temporary files go) and "
                f"run this again. {_KEPT}"
            )
        if isinstance(error, psycopg.Error | psycopg2.Error):
            state = error.sqlstate if isinstance(error, psycopg.Error) else error.pgcode
            return _database_sentence(str(error), state or "")
        if isinstance(error, django.db.Error) and error.__cause__ is None:
            return str(error)
    innermost = list(_chain(failure))[-1]
    reason = str(innermost).strip().split("\n")[0] or type(innermost).__name__
    return f"The load stopped: {reason} (--traceback shows where). {_KEPT}"


def _chain(failure: BaseException | None) -> Iterator[BaseException]:
    """The error and what caused it, outermost first."""
    while failure is not None:
        yield failure
        failure = failure.__cause__ or failure.__context__


def _database_sentence(message: str, sqlstate: str) -> str:
    """Word a database error for a person; the codes are those of PostgreSQL's appendix A."""
    reason = " ".join(message.strip().split("\n")[0].split()).removeprefix("ERROR: ").rstrip(".")
    if sqlstate.startswith("28") or "password" in reason:
        advice = "check the user and the password in DATABASE_URL"
    elif sqlstate in {"42501", "25006"}:
        advice = "let the user CREATE in the database and own the dataset's schema"
    elif sqlstate.startswith("53"):
        advice = "make room on the database server, and run this again"
    elif not sqlstate or sqlstate.startswith(("08", "57")):
        advice = "check that the server in DATABASE_URL is up, and run this again"
    else:
        advice = "mend that and run this again"
    return f"The database says: {reason}; {advice}. {_KEPT}"
