"""LOAD: failures a person can act on, in one sentence."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import django.db
import psycopg

# A full disk, a user's quota, and a limit on the size of files.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
DATABASE_URL = "DATABASE_URL"
# True whenever a load stopped, for it becomes visible in one transaction.
_WHOLE = "What is served is whole: the data from before, or all of this load."
INTERRUPTED = f"Interrupted. {_WHOLE}"

_SERVER = "check that the server in {variable} is up, and run this again"
_SESSIONS = "end other sessions or raise that limit (a load takes up to ten), and run this again"
_CHANGED = "somebody has changed the dataset's tables: --write-disposition replace makes them anew"
# By the codes of PostgreSQL's appendix A, or how they begin: the first that fits.
_ADVICE = {
    "28": "check the user and the password in {variable}",
    "42501": "let the user CREATE in the database, and own the dataset's schema and tables",
    "25006": "let the user write: the database or the role is read-only",
    "53300": _SESSIONS,
    "53400": "raise that limit, and run this again",
    "53": "make room on the database server, and run this again",
    "55P03": "end the transaction that holds the tables (see pg_stat_activity), and run this again",
    "57014": "run this again",
    "57P": _SERVER,
    "40": "run this again",
    "42": _CHANGED,
    "23502": _CHANGED,
}
# A connection that was refused has no code, only its words.
_REFUSED = {
    "startup parameter": "give {variable} the server itself instead of a pooler",
    "authentication failed": _ADVICE["28"],
    "password": _ADVICE["28"],
    "too many connections": _SESSIONS,
    "too many clients": _SESSIONS,
    "connection slots are reserved": _SESSIONS,
    "does not exist": "check {variable}",
}


class LoadError(Exception):
    """A load that cannot go on; the message is one sentence that says what to do."""


def explain(failure: BaseException, variable: str = DATABASE_URL) -> str:
    """Say in one sentence what stopped a load, and what to do.

    `variable` is the one that names the database which the driver's errors are about.
    dlt and Django wrap those, several times over: the driver's own knows the cause.
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
            return _database_sentence(str(error), state or "", variable)
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


def _database_sentence(message: str, sqlstate: str, variable: str) -> str:
    """Word a database error for a person."""
    reason = " ".join(message.strip().split("\n")[0].split()).removeprefix("ERROR: ").rstrip(".")
    connecting = not sqlstate or sqlstate.startswith(("08", "28", "3D"))
    advice = _SERVER if connecting else "mend that and run this again"
    found = [words for code, words in _ADVICE.items() if sqlstate.startswith(code)]
    if connecting:
        found = [words for part, words in _REFUSED.items() if part in reason] + found
    database = "The database" if variable == DATABASE_URL else f"The database in {variable}"
    advice = [*found, advice][0].format(variable=variable)
    return f"{database} says: {reason}; {advice}." + ("" if connecting else f" {_WHOLE}")
