"""A WSGI application that only the worker's tests serve: no Django, and short limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from elt_site import sockets, turns
from elt_site.turns import TURN, Places

# Read at each wait, in this process as well.
vars(sockets).update(WRITE_SECONDS=1, READ_SECONDS=1)
vars(turns).update(PATIENCE=3, BRISK=3)

BLOCK = b"x" * 65536
places = Places(1)
_ended: list[str] = []


def application(environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
    """`/endless` streams for ever, `/ended` counts those that are over, all else echoes.

    `/broken` fails in the middle, `/failed` before anything is sent. `/take` takes the only place
    until there is `/give-back`, or says that there is none; `/use` gives it back itself.
    """
    start("200 OK", [("Content-Type", "text/plain")])
    match environ["PATH_INFO"]:
        case "/endless":
            return _endless()
        case "/ended":
            return [str(len(_ended)).encode()]
        case "/broken":
            return _broken(b"a line\n")
        case "/failed":
            return _broken()
        case "/take" | "/use":
            if not places.take(environ[TURN]):
                return [b"none"]
            if environ["PATH_INFO"] == "/use":
                places.give_back()
        case "/give-back":
            places.give_back()
    return [environ["PATH_INFO"].encode(), environ["wsgi.input"].read()]


def _endless() -> Iterator[bytes]:
    try:
        while True:
            yield BLOCK
    finally:
        _ended.append("a stream")


def _broken(*blocks: bytes) -> Iterator[bytes]:
    yield from blocks
    raise RuntimeError
