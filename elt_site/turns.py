"""The site: requests wait for something scarce without a thread, in the order in which they came.

Whoever asks for a place and gets none says so in its answer, which nobody sees: the worker puts the
request aside, and has it answered anew when it is its turn. Threads are left for all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock
from time import monotonic
from typing import Any, Final

TURN: Final = "elt_site.turn"  # where a request's environ has its `Turn`, if it may wait
# Seconds that a request waits at most; what it is told then is its answer.
PATIENCE: Final = 5
# Where no place has changed hands for a second, there is no use in waiting but for a few.
BRISK: Final = 1
PATIENT: Final = 4

Application = Callable[..., Iterable[bytes]]


class Postponed(Exception):  # noqa: N818 - no error
    """The request is to be answered later."""


class Turn:
    """A request's own: the places that it waits for, if any, and since when."""

    def __init__(self) -> None:
        self.places: Places | None = None
        self.since = 0.0
        self.patient = False

    @property
    def over(self) -> bool:
        """Whether it waits no more, or in vain."""
        now = monotonic()
        if self.places is None or now >= self.since + PATIENCE:
            return True
        return not self.patient and now >= self.places.moved + BRISK

    def leave(self) -> None:
        """Wait no more, with or without a place."""
        if self.places is not None:
            self.places.forget(self)


class Places:
    """So many places, which those who wait for one get before everybody else.

    moved  when one was last taken or given back.
    """

    def __init__(self, count: int) -> None:
        self.moved = 0.0
        self._free = count
        self._line: dict[Turn, None] = {}  # a set that keeps its order
        self._lock = Lock()

    def take(self, turn: Turn | None) -> bool:
        """Take a place, after which `give_back` must follow; else wait for one, with a turn."""
        with self._lock:
            if self._free and (turn in self._due() or self._free > len(self._line)):
                self._free -= 1
                self.moved = monotonic()
                self._forget(turn)
                return True
            if turn is not None and turn.places is None:
                turn.places, turn.since = self, monotonic()
                turn.patient = len(self._line) < PATIENT
                self._line[turn] = None
            return False

    def give_back(self) -> None:
        """Leave the place to the next."""
        with self._lock:
            self._free += 1
            self.moved = monotonic()

    def forget(self, turn: Turn) -> None:
        """Let the others come forward."""
        with self._lock:
            self._forget(turn)

    @property
    def due(self) -> list[Turn]:
        """Those that would get a place now."""
        with self._lock:
            return self._due()

    def _forget(self, turn: Turn | None) -> None:
        if turn is not None and turn.places is self:
            del self._line[turn]
            turn.places = None

    def _due(self) -> list[Turn]:
        return [turn for turn, _ in zip(self._line, range(self._free), strict=False)]


def postponing(application: Application) -> Application:
    """The application with a `Turn` for each request, kept by its connection while it waits.

    Raises:
        Postponed: the request waits, and nothing has been sent.
    """

    def answer(environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
        client = environ["gunicorn.socket"]
        turn = environ[TURN] = client.turn or Turn()
        client.turn = None
        waits = False
        try:
            response = application(environ, start)
            waits = not turn.over
        finally:
            if not waits:
                turn.leave()
        if not waits:
            return response
        getattr(response, "close", bool)()
        client.turn = turn
        raise Postponed

    return answer
