"""LOAD: PostgreSQL's own hash functions, for whole columns at a time.

Hash partitioning depends on the server's extended hash functions, so PostgreSQL keeps them as
they are from release to release; the one below is `hash_bytes_extended` of its
`src/common/hashfn.c`, on a little-endian machine. It is Bob Jenkins' lookup3 (2006).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Hashes = npt.NDArray[np.uint64]
Words = npt.NDArray[np.uint32]

_START: Final = 0x9E3779B9 + 3923095
_BLOCK: Final = 12  # bytes that are mixed at a time
_AT_ONCE: Final = 8192  # rows whose words stay in the processor's cache from step to step
_MIXING: Final = ((0, 2, 4), (1, 0, 6), (2, 1, 8), (0, 2, 16), (1, 0, 19), (2, 1, 4))
_FINISH: Final = ((2, 1, 14), (0, 2, 11), (1, 0, 25), (2, 1, 16), (0, 2, 4), (1, 0, 14), (2, 1, 24))


def texts(values: pa.Array, seed: int) -> Hashes:
    """`hashtextextended(value, seed)` of each string; a null counts as 0."""
    offsets = np.frombuffer(values.buffers()[1], np.int32, len(values) + 1, 4 * values.offset)
    data = np.frombuffer(values.buffers()[2] or b"", np.uint8)
    lengths = np.diff(offsets)
    if len(values) and (lengths == lengths[0]).all():
        rows = data[offsets[0] : offsets[-1]].reshape(len(values), lengths[0])
        return _without_nulls(of_bytes(rows, seed), values)
    # Names and the like repeat: each is hashed once.
    encoded = values.dictionary_encode()
    words = encoded.dictionary
    hashes = np.append(_each_length(words, seed), np.uint64(0))
    nulls_last = encoded.indices.fill_null(len(words)).to_numpy()
    found: Hashes = hashes[nulls_last]
    return found


def _each_length(words: pa.Array, seed: int) -> Hashes:
    """The hashes of different strings, which are worked on length by length."""
    offsets = np.frombuffer(words.buffers()[1], np.int32, len(words) + 1, 4 * words.offset)
    data = np.frombuffer(words.buffers()[2] or b"", np.uint8)
    lengths = np.diff(offsets)
    hashes = np.zeros(len(words), np.uint64)
    for length in np.unique(lengths):
        chosen = np.flatnonzero(lengths == length)
        if length == 0:
            hashes[chosen] = of_bytes(np.empty((len(chosen), 0), np.uint8), seed)
            continue
        places = np.lib.stride_tricks.sliding_window_view(data, int(length))
        hashes[chosen] = of_bytes(places[offsets[chosen]], seed)
    return hashes


def integers(values: pa.Array, seed: int) -> Hashes:
    """`hashint4extended(value, seed)` of each 32-bit integer; a null counts as 0."""
    return _without_nulls(of_bytes(_as_bytes(values.fill_null(0), "<i4"), seed), values)


def floats(values: pa.Array, seed: int) -> Hashes:
    """`hashfloat8extended(value, seed)` of each double; a null counts as 0."""
    numbers = values.fill_null(0)
    hashes = of_bytes(_as_bytes(numbers, "<f8"), seed)
    hashes[numbers.to_numpy() == 0] = seed  # the server's way to make -0 equal to 0
    return _without_nulls(hashes, values)


def of_bytes(rows: npt.NDArray[np.uint8], seed: int) -> Hashes:
    """`hash_bytes_extended` of each row of a matrix of bytes."""
    hashes = np.empty(len(rows), np.uint64)
    for start in range(0, len(rows), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        hashes[some] = _of_some(rows[some], seed)
    return hashes


def _of_some(rows: npt.NDArray[np.uint8], seed: int) -> Hashes:
    count, length = rows.shape
    state = list(_started(length, seed))
    for start in range(0, length - length % _BLOCK, _BLOCK):
        for place, word in enumerate(_words(rows[:, start : start + _BLOCK])):
            state[place] = state[place] + word
        _mix(state)
    rest = _words(rows[:, length - length % _BLOCK :])
    for place, word in enumerate(rest):
        # The lowest byte of the third word is kept for the length.
        state[place] = state[place] + (word << np.uint32(8) if place == 2 else word)  # noqa: PLR2004
    _finish(state)
    halves = np.empty((count, 2), np.uint32)
    halves[:, 0], halves[:, 1] = state[2], state[1]
    return halves.view("<u8")[:, 0]


@lru_cache(maxsize=1024)
def _started(length: int, seed: int) -> tuple[Any, ...]:
    """The three words before any byte is read; the same for all rows, so single numbers."""
    start = np.array([_START + length & 0xFFFFFFFF], np.uint32)
    state = [start, start, start]
    if seed:
        state[0] = start + np.uint32(seed >> 32)
        state[1] = start + np.uint32(seed & 0xFFFFFFFF)
        _mix(state)
    return tuple(state)


def _words(rows: npt.NDArray[np.uint8]) -> list[Words]:
    """Up to 12 bytes of each row as little-endian words, filled up with zeros."""
    count, length = rows.shape
    padded = np.zeros((count, -(-length // 4) * 4), np.uint8)
    padded[:, :length] = rows
    return list(np.ascontiguousarray(padded.view("<u4").T))


def _mix(state: list[Any]) -> None:
    for to, by, bits in _MIXING:
        other = 3 - to - by
        state[to] = state[to] - state[by]
        state[to] ^= _rotated(state[by], bits)
        state[by] = state[by] + state[other]


def _finish(state: list[Any]) -> None:
    for to, by, bits in _FINISH:
        state[to] = state[to] ^ state[by]
        state[to] -= _rotated(state[by], bits)


def _rotated(words: Words, bits: int) -> Words:
    rotated = words << np.uint32(bits)
    rotated |= words >> np.uint32(32 - bits)
    return rotated


def _as_bytes(values: pa.Array, kind: str) -> npt.NDArray[np.uint8]:
    numbers = np.ascontiguousarray(values.to_numpy(), kind)
    return numbers.view(np.uint8).reshape(len(numbers), numbers.itemsize)


def _without_nulls(hashes: Hashes, values: pa.Array) -> Hashes:
    if values.null_count:
        hashes[values.is_null().to_numpy(zero_copy_only=False)] = 0
    return hashes
