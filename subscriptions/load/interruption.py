"""LOAD: what a load has under way, so that it can be given up from outside, at any moment.

The load itself goes on to its end: its statements fail, its processes are gone, its streams end
with an error, and whatever it does in answer to that is its usual clearing away. All of this is
the process's, as signals are: a process gives up as a whole.
"""

from __future__ import annotations

import multiprocessing
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import util
from pathlib import Path
from typing import Protocol
from weakref import WeakSet


class GivenUpError(Exception):
    """Raised in a load that was given up where it would have gone on."""

    def __init__(self) -> None:
        super().__init__("The load was interrupted.")


class Session(Protocol):
    """A connection of either driver."""

    def cancel(self) -> None:
        """Cancel the statement that it is in, if it is in one; from any thread."""

    def close(self) -> None:
        """End it."""


_given_up = threading.Event()
_sessions: WeakSet[Session] = WeakSet()
_listing = threading.Lock()
_stops: list[Callable[[], None]] = []
_folders: set[Path] = set()


def begin() -> None:
    """Forget that anything was given up: another load begins in this process."""
    _given_up.clear()


def is_given_up() -> bool:
    """Whether the load is at its clearing away."""
    return _given_up.is_set()


def track(session: Session) -> None:
    """Take in a session whose statements shall be cancelled when the load is given up.

    Raises:
        GivenUpError: it has been already.
    """
    with _listing:
        _sessions.add(session)
    if _given_up.is_set():
        session.close()
        raise GivenUpError


def pause(seconds: float) -> None:
    """Sleep, but no longer once the load is given up.

    Raises:
        GivenUpError: it was.
    """
    if _given_up.wait(seconds):
        raise GivenUpError


@contextmanager
def stopping(stop: Callable[[], None], folder: Path) -> Iterator[None]:
    """Within the block, have giving up call `stop`, and abandoning remove the folder."""
    _stops.append(stop)
    _folders.add(folder)
    try:
        yield
    finally:
        _stops.remove(stop)
        _folders.discard(folder)


def give_up() -> None:
    """Stop what is under way; to be repeated, because a session may be between two statements."""
    _given_up.set()
    for stop in tuple(_stops):
        stop()
    _kill_children()
    with _listing:
        sessions = tuple(_sessions)
    for session in sessions:
        with suppress(Exception):  # closed meanwhile, or the server does not answer
            session.cancel()


def abandon() -> None:
    """End the processes and remove the files, for the load will not come to it any more."""
    _given_up.set()
    _kill_children()
    for folder in tuple(_folders):
        shutil.rmtree(folder, ignore_errors=True)
    # What Python does at its usual end: its resource tracker would report leaked semaphores.
    util._run_finalizers(0)  # type: ignore[attr-defined]  # noqa: SLF001


def _kill_children() -> None:
    for child in multiprocessing.active_children():
        child.kill()
