"""SERVE (step 4), API: how many lists are read and written at once, so that others get a turn."""

from __future__ import annotations

import logging
from threading import Condition
from time import monotonic
from typing import Final

from django.conf import settings

from subscriptions.api.errors import ServiceUnavailable


class Busy(ServiceUnavailable):
    """Too many others are reading lists."""

    default_detail = "Too many lists are being read at the moment; try again in a few seconds."
    level = logging.DEBUG  # its client has to, and the access log has the line


class Slots:
    """Places for lists, each taken from its first query until its last byte is written.

    A list may take as long as its client likes, and holds a thread and a connection so long. The
    places are fewer than the threads, whose rest answers what is short, or waits for a place: a few
    with patience, and all of them while lists come and go quickly, as most do. Only where those
    that are being read do not end is there no use in waiting.

    Args:
        places: lists at once, in this process.
        waiting: requests that wait with patience.
        patience: seconds that they do so.
        brisk: seconds since a list has ended, after which the others are refused.
    """

    def __init__(self, places: int, waiting: int, patience: float = 5, brisk: float = 1) -> None:
        self._free, self._waiting = places, waiting
        self._patience, self._brisk = patience, brisk
        self._ended = 0.0
        self._changed = Condition()

    def take(self) -> None:
        """Take a place; `give_back` must follow.

        Raises:
            Busy: none became free.
        """
        with self._changed:
            patient = self._waiting > 0
            self._waiting -= 1
            until = monotonic() + self._patience
            try:
                while not self._free:
                    left = (
                        until if patient else min(until, self._ended + self._brisk)
                    ) - monotonic()
                    if left <= 0:
                        raise Busy
                    self._changed.wait(left)
                self._free -= 1
            finally:
                self._waiting += 1

    def give_back(self) -> None:
        """Leave the place to the next."""
        with self._changed:
            self._free += 1
            self._ended = monotonic()
            self._changed.notify()


slots: Final = Slots(settings.LISTS_AT_ONCE, settings.LISTS_WAITING)
