"""LOAD: failures a person can act on, in one sentence."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import psycopg


class LoadError(Exception):
    """A load that cannot go on; the message is one sentence that says what to do."""


def explain(failure: BaseException) -> str | None:
    """Say in one sentence what stopped a load, or None where only a traceback would tell.

    dlt wraps the driver's errors several times over: the innermost one knows the cause.
    """
    import psycopg2

    for error in _chain(failure):
        if isinstance(error, LoadError):
            return str(error)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            return (
                "The disk is full: free some space (TMPDIR chooses where temporary files go) and "
                "run this again; the data from before is still served."
            )
        if isinstance(error, psycopg.Error | psycopg2.Error):
            return _database_sentence(str(error), getattr(error, "pgcode", None) or _state(error))
    return None


def _chain(failure: BaseException | None) -> Iterator[BaseException]:
    """The error and what caused it, outermost first."""
    while failure is not None:
        yield failure
        failure = failure.__cause__ or failure.__context__


def _state(error: BaseException) -> str | None:
    return getattr(error, "sqlstate", None)


def _database_sentence(message: str, sqlstate: str | None) -> str:
    """Word a database error for a person; classes from PostgreSQL's appendix A."""
    reason = " ".join(message.split("\n")[0].split()).removeprefix("ERROR: ").rstrip(".")
    state = sqlstate or ""
    if state.startswith("28"):
        advice = "check the user and password in DATABASE_URL"
    elif state in {"42501", "25006"}:
        advice = "grant the user CREATE on the database, and ownership of the dataset's schema"
    elif state.startswith("53"):
        advice = "free disk space or memory on the database server and run this again"
    elif state.startswith("57") or not state:
        advice = "check that the server of DATABASE_URL is up, then run this again"
    else:
        advice = "mend that and run this again"
    return f"The database said: {reason}; {advice}. The data from before is still served."
