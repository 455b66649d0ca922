"""SERVE (step 4), API: how many lists are read and written at once, so that others get a turn.

A list may take as long as its client likes, and holds a thread and a connection to PostgreSQL so
long: from its first query until its last byte is written. The places are fewer than the threads,
whose rest answers what is short. Under `elt_site.worker` who finds none waits without a thread.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from django.conf import settings

from elt_site.turns import TURN, Places
from subscriptions.api.errors import ServiceUnavailable


class Busy(ServiceUnavailable):
    """Too many others are reading lists."""

    default_detail = "Too many lists are being read at the moment; try again in a few seconds."
    level = logging.DEBUG  # its client has to, and the access log has the line


places: Final = Places(settings.LISTS_AT_ONCE)


@contextmanager
def place(environ: Mapping[str, Any]) -> Iterator[None]:
    """A place for the list that a request asks for, as long as it is held.

    Raises:
        Busy: there is none, for now or for good.
    """
    if not places.take(environ.get(TURN)):
        raise Busy
    try:
        yield
    finally:
        places.give_back()
