"""How a command ends before its time: one sentence on stderr, and an exit code that says why.

A script that asked for `--json` gets the sentence as `{"error": …}` on stdout as well. Ctrl-C and
SIGTERM end a command within two seconds whatever it is doing, with 130 and 143, as shells have it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final, NoReturn, TypeVar

T = TypeVar("T")

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
SENTENCE: Final = "Interrupted."
# What a command may take to clear away what it was at; then it ends as it is.
GRACE_S: Final = 1.3
# What a terminal needs in case that a live line was being drawn: an empty line, and its cursor.
CLEAR_LINE: Final = "\r\x1b[2K\x1b[?25h"

_leaving = threading.Lock()


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM, raised in the main thread."""

    def __init__(self, number: int, sentence: str = SENTENCE) -> None:
        super().__init__(sentence)
        self.number = number


def tell(sentence: str, before: str = "") -> None:
    """Write the sentence, past Python's buffers, which another thread may be holding.

    `before` is what only people get to see before it.
    """
    if "--json" in sys.argv:
        _write(1, json.dumps({"error": sentence}))
    _write(2, f"{before}{sentence}")


def leave(sentence: str, number: int) -> NoReturn:
    """Tell why, and end the process as a signal of that number does.

    Python's own end would first take half a second to free what it has imported. Whichever thread
    comes here first ends it.
    """
    with _leaving:
        with suppress(OSError):
            sys.stdout.flush()
        tell(sentence)
        os._exit(128 + number)


def end_at_once() -> None:
    """From now on a signal ends the process: during imports nothing needs clearing away."""
    for number in SIGNALS:
        signal.signal(number, _end)


def end_as_usual() -> None:
    """Python's own ways, which Django's commands count on."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def interruptible(sentence: str, abandon: Callable[[], None]) -> Iterator[None]:
    """Have the first signal raise Interrupted in the block, and the later ones do nothing.

    Outside the main thread, which alone gets signals, it does nothing.

    Args:
        sentence: what to tell the person.
        abandon: called after a signal, at the end of the block or, in a thread of its own, when
            GRACE_S are over: then it has a few tenths of a second until the process ends.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    interrupted = False

    def interrupt(number: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        if not interrupted:
            interrupted = True
            raise Interrupted(number, sentence)

    # Python's handlers have to wait for the main thread, which may be inside a library; this
    # socket gets the signal's number even then.
    ours, pythons = socket.socketpair()
    pythons.settimeout(0)
    signal.set_wakeup_fd(pythons.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_last_resort, args=(ours, sentence, abandon), daemon=True).start()
    for number in SIGNALS:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)
        pythons.close()
        if interrupted:  # and until the process ends no other signal shall do anything
            abandon()
        else:
            for number, handler in before.items():
                signal.signal(number, handler)


def run(work: Callable[[], T], give_up: Callable[[], None]) -> T:
    """Do the work in a thread of its own, so that a signal is heard in the middle of a statement.

    Once interrupted, `give_up` is called again and again until the work has ended.
    """
    outcome: Future[T] = Future()
    thread = threading.Thread(target=_work, args=(work, outcome), daemon=True)
    try:
        thread.start()
        return outcome.result()
    except Interrupted:
        while thread.is_alive():
            give_up()
            thread.join(0.05)
        raise


def _work(work: Callable[[], T], outcome: Future[T]) -> None:
    try:
        outcome.set_result(work())
    except BaseException as failure:  # noqa: BLE001  (raised again by the thread that waits)
        outcome.set_exception(failure)


def _last_resort(wakeup: socket.socket, sentence: str, abandon: Callable[[], None]) -> None:
    while (received := wakeup.recv(1)) and received[0] not in SIGNALS:
        pass
    if received:
        if sys.platform != "win32":  # in case that another thread was the one to get it
            signal.pthread_kill(threading.main_thread().ident or 0, received[0])
        time.sleep(GRACE_S)
        abandon()
        if sys.stdout.isatty():
            _write(1, CLEAR_LINE)
        leave(sentence, received[0])


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    leave(SENTENCE, number)


def _write(descriptor: int, line: str) -> None:
    with suppress(OSError):  # nobody reads it any more
        os.write(descriptor, f"{line}\n".encode())
