"""ACCESS: failed attempts to sign in are counted, and too many of them refused for a while.

They are counted in PostgreSQL, so that all worker processes and machines count as one, by address
and by name:

* An address that has failed `AUTH_FAILURES_PER_ADDRESS` times within `AUTH_FAILURES_SECONDS` is
  refused for the rest of that time. So are right credentials from there: otherwise the difference
  would tell a guesser which were right.
* So is a name, from wherever, after `AUTH_FAILURES_PER_NAME`. That stops those who guess from many
  addresses, and lets them lock out whoever uses the name, which all of the API's clients share. So
  this limit is ten times the other: nobody gets there from fewer than ten addresses. A name is
  not refused to personal tokens and sessions, which have none.

A right request costs no query: each process has a picture of who is refused, at most a second old.
A wrong one brings the picture up to date by being counted, so an address gets no more guesses than
the limit and those that were under way at that moment.
"""

from __future__ import annotations

import logging
import math
import time
from threading import Lock
from typing import Final

from django.conf import settings
from django.db import ProgrammingError, connection
from django.utils.crypto import salted_hmac
from psycopg.errors import UndefinedTable
from rest_framework.exceptions import Throttled

from access.models import Failure

TABLE: Final = Failure._meta.db_table
ADDRESS: Final = "address "
NAME: Final = "name "
CLEARED_EVERY: Final = 60.0  # seconds
REFRESH_SECONDS: Final = 1.0
# How much older than it should be the picture may get while another thread is at refreshing it.
PATIENCE: Final = 3.0  # seconds

COUNT: Final = f"""
    INSERT INTO {TABLE} AS counted (who, failures, until)
    SELECT who, 1, now() + make_interval(secs => %s)
    FROM unnest(%s::text[]) AS who ORDER BY who
    ON CONFLICT (who) DO UPDATE SET
        failures = CASE WHEN counted.until <= now() THEN 1 ELSE counted.failures + 1 END,
        until = CASE WHEN counted.until <= now() THEN excluded.until ELSE counted.until END
    RETURNING who, failures, extract(epoch FROM until - now())::float
"""
REFUSED: Final = f"""
    SELECT who, extract(epoch FROM until - now())::float FROM {TABLE}
    WHERE until > now() AND failures >= CASE WHEN starts_with(who, %s) THEN %s ELSE %s END
"""
# What somebody is just counting again stays, and nobody waits for it.
CLEAR: Final = f"""
    DELETE FROM {TABLE} WHERE who IN (
        SELECT who FROM {TABLE} WHERE until <= now() FOR UPDATE SKIP LOCKED
    )
"""

logger = logging.getLogger(__name__)


class TooManyFailures(Throttled):
    """The address or the name has failed too often; 429 with Retry-After."""

    def __init__(self, seconds: float) -> None:
        wait = max(1, math.ceil(seconds))
        super().__init__(
            detail=f"Too many failed attempts to sign in: try again in {wait} seconds."
        )
        self.wait = wait


class Picture:
    """Who is refused, and for how long, as far as this process knows."""

    def __init__(self, fresh_until: float = 0.0) -> None:
        self._refused: dict[str, float] = {}
        self._stale_at = fresh_until  # by the monotonic clock
        self._refreshing = Lock()
        self._changing = Lock()

    def seconds_left(self, who: str) -> float:
        """For how long they are refused; not positive if they are not.

        Raises:
            OperationalError: the picture is old, and the database does not answer. Without it
                nobody is let in, or the answers would tell right guesses from wrong ones.
        """
        self._refresh()
        return self._refused.get(who, 0.0) - time.monotonic()

    @property
    def empty(self) -> bool:
        """Whether nobody is refused."""
        return not self._refused

    def refuse(self, who: str, seconds: float) -> None:
        """Add somebody."""
        with self._changing:
            self._refused[who] = time.monotonic() + seconds

    def _refresh(self) -> None:
        overdue = time.monotonic() - self._stale_at
        if overdue < 0 or not self._refreshing.acquire(blocking=overdue > PATIENCE):
            return
        try:
            if time.monotonic() >= self._stale_at:  # unless it has been done meanwhile
                self._replace(_refused())
                self._stale_at = time.monotonic() + REFRESH_SECONDS
        finally:
            self._refreshing.release()

    def _replace(self, found: list[tuple[str, float]]) -> None:
        now = time.monotonic()
        with self._changing:
            # Those whom this process has refused since it asked stay.
            kept = {who: until for who, until in self._refused.items() if until > now}
            self._refused = kept | {who: now + seconds for who, seconds in found}


class ThisProcess:
    """What this process knows and has done; a test begins with another."""

    picture = Picture()
    cleared_at = 0.0


def refuse_address(address: str) -> None:
    """Refuse whatever this address sends, if it has failed too often.

    Raises:
        TooManyFailures: it has.
        OperationalError: the database does not answer.
    """
    _refuse(ADDRESS + address)


def refuse_name(name: str) -> None:
    """Refuse whatever is sent under this name, if it has failed too often; raises as above."""
    if not ThisProcess.picture.empty:
        _refuse(_of_name(name))


def count(address: str, name: str | None) -> None:
    """Count one failure of the address and, where a name was given, of the name.

    Raises:
        TooManyFailures: one of them had reached its limit already, unknown to this process.
        OperationalError: the database does not answer.
    """
    everyone = [ADDRESS + address, *([] if name is None else [_of_name(name)])]
    excess = 0.0
    for who, failures, seconds in _count(everyone):
        limit = _limit(who)
        if failures >= limit:
            ThisProcess.picture.refuse(who, seconds)
        if failures == limit:
            whom = f"the address {address}" if who.startswith(ADDRESS) else "one name"
            logger.warning("%d failed sign-ins: %s is refused for %.0f s.", limit, whom, seconds)
        if failures > limit:
            excess = max(excess, seconds)
    if excess:
        raise TooManyFailures(excess)


def _refuse(who: str) -> None:
    seconds = ThisProcess.picture.seconds_left(who)
    if seconds > 0:
        raise TooManyFailures(seconds)


def _of_name(name: str) -> str:
    # People type passwords where names belong, so what was typed is not stored.
    return NAME + salted_hmac("access.failures", name.encode(errors="surrogatepass")).hexdigest()


def _limit(who: str) -> int:
    by_name = who.startswith(NAME)
    return settings.AUTH_FAILURES_PER_NAME if by_name else settings.AUTH_FAILURES_PER_ADDRESS


def _count(everyone: list[str]) -> list[tuple[str, int, float]]:
    """Add one to each; what each is at now, and for how many seconds more."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(COUNT, [settings.AUTH_FAILURES_SECONDS, everyone])
            counted: list[tuple[str, int, float]] = cursor.fetchall()
            if time.monotonic() - ThisProcess.cleared_at > CLEARED_EVERY:
                ThisProcess.cleared_at = time.monotonic()
                cursor.execute(CLEAR)
    except ProgrammingError as error:
        if not is_missing(error):
            raise
        logger.warning("Failed sign-ins are not counted: run `manage.py migrate` first.")
        return []
    return counted


def _refused() -> list[tuple[str, float]]:
    """Everybody who is refused, and for how many seconds more."""
    limits = (NAME, settings.AUTH_FAILURES_PER_NAME, settings.AUTH_FAILURES_PER_ADDRESS)
    try:
        with connection.cursor() as cursor:
            cursor.execute(REFUSED, limits)
            found: list[tuple[str, float]] = cursor.fetchall()
    except ProgrammingError as error:
        if not is_missing(error):
            raise
        return []
    return found


def is_missing(error: ProgrammingError) -> bool:
    """Whether the table is not there: before the first load `migrate` may not have run."""
    return isinstance(error.__cause__, UndefinedTable)
