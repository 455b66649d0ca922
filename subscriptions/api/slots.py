"""SERVE (step 4), API: how many lists are read and written at once, so that others get a turn."""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import Final

from django.conf import settings

from subscriptions.api.errors import ServiceUnavailable


class Busy(ServiceUnavailable):
    """Too many others are reading lists."""

    default_detail = "Too many lists are being read at the moment; try again in a few seconds."


class Slots:
    """Places for lists, each taken from its first query until its last byte is written.

    A list may take as long as its client likes, and holds a thread and a connection so long. The
    places are fewer than the threads, whose rest waits for a place or answers what is short.

    Args:
        places: lists at once, in this process.
        waiting: further requests that may wait for a place.
        patience: seconds that they do so.
    """

    def __init__(self, places: int, waiting: int, patience: float) -> None:
        self._admitted = BoundedSemaphore(places + waiting)
        self._places = BoundedSemaphore(places)
        self._patience = patience

    def take(self) -> None:
        """Take a place; `give_back` must follow.

        Raises:
            Busy: none became free.
        """
        if not self._admitted.acquire(blocking=False):
            raise Busy
        if not self._places.acquire(timeout=self._patience):
            self._admitted.release()
            raise Busy

    def give_back(self) -> None:
        """Leave the place to the next."""
        self._places.release()
        self._admitted.release()


slots: Final = Slots(settings.LISTS_AT_ONCE, settings.LISTS_WAITING, patience=5)
