"""SERVE (step 4), API: answers compressed on their way, where the client accepts it (RFC 9110)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Final, Protocol

import zstandard

IDENTITY: Final = "identity"
QUALITY: Final = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")


class Compressor(Protocol):
    """What both libraries offer."""

    def compress(self, data: bytes, /) -> bytes:
        """Take some in; perhaps give some out."""

    def flush(self) -> bytes:
        """Give the rest."""


def _gzip() -> Compressor:
    # Level 3 halves the time of the usual 6 for a tenth more bytes. The header holds no time: the
    # same rows are the same bytes, as a strong ETag promises.
    return zlib.compressobj(3, wbits=31)


def _zstd() -> Compressor:
    return zstandard.ZstdCompressor(level=3).compressobj()


# The better one first: of those that a client likes equally well it is taken.
CODINGS: Final[Mapping[str, Callable[[], Compressor]]] = {"zstd": _zstd, "gzip": _gzip}


def chosen(accepted: str) -> str:
    """The coding for an `Accept-Encoding` header; `identity` where the client wants none of ours.

    Not refused where it wants not even that: RFC 9110 leaves it to the server, and all can read it.
    """
    wanted = {name: quality for name, quality in map(_weighed, accepted.lower().split(",")) if name}
    others = wanted.get("*", 0.0)
    best = max(CODINGS, key=lambda name: wanted.get(name, others))
    quality = wanted.get(best, others)
    return best if quality > 0 and quality >= wanted.get(IDENTITY, 0.0) else IDENTITY


def _weighed(item: str) -> tuple[str, float]:
    name, _, parameter = (part.strip() for part in item.partition(";"))
    match = QUALITY.fullmatch(parameter)
    if parameter and not match:
        return "", 0.0
    return name, float(match[1]) if match else 1.0


def encoded(pieces: Iterable[bytes], coding: str) -> Generator[bytes]:
    """The pieces in that coding; none of them is empty."""
    if coding == IDENTITY:
        yield from filter(None, pieces)
        return
    compressor = CODINGS[coding]()
    for piece in pieces:
        if coded := compressor.compress(piece):
            yield coded
    yield compressor.flush()
