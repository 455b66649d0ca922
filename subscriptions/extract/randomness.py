"""EXTRACT, randomness: numbers that depend on where they are asked for, not on when."""

from enum import IntEnum
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class Stream(IntEnum):
    """One independent sequence for each kind of question.

    The values are part of the dataset: renumbering one gives another company.
    """

    USER_KEY = 1
    SUBSCRIPTION_KEY = 2
    USAGE_KEY = 3
    SIGNUP = 10
    PLAN = 11
    REGION = 12
    REFERRAL = 13
    LOCALE = 14
    FIRST_NAME = 15
    LAST_NAME = 16
    DOMAIN = 17
    EMAIL_CHANGE = 18
    REGION_CHANGE = 19
    LOYALTY = 20
    CONTINUE = 21
    PAUSE = 22
    MOVE = 23
    PAYMENT = 24
    PAYMENT_CHANGE = 25
    ACTIVITY = 30
    STORAGE = 31
    USAGE_SHARE = 32
    USAGE_DAY = 33
    USAGE_LEVEL = 34
    PRICE = 40


# Odd, close to 2^64 divided by the golden ratio: consecutive counters land far apart.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@lru_cache(maxsize=256)
def _seeds(seed: int, stream: Stream, words: int) -> tuple[int, ...]:
    """`words` 64-bit keys of a stream; SeedSequence promises the same ones in every release."""
    state = np.random.SeedSequence((seed, int(stream))).generate_state(words, np.uint64)
    return tuple(int(word) for word in state)


def draw(seed: int, stream: Stream, numbers: Ints, step: Ints | int = 0) -> Bits:
    """64 random bits for each (number, step), both in [0, 2^32); the shape of `numbers`.

    The counter goes through SplitMix64's finaliser (Steele, Lea and Flood, "Fast splittable
    pseudorandom number generators", 2014, in Stafford's variant 13), which is a bijection, so two
    addresses never share a value by construction. There is no state: any partition can be built
    alone, anywhere, in any order.
    """
    counter = np.asarray(numbers, np.int64) | (np.asarray(step, np.int64) << 32)
    bits = counter.astype(np.uint64)
    bits *= _SPREAD
    bits += np.uint64(_seeds(seed, stream, 1)[0])
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return bits


def below(bits: Bits, limit: Ints | int) -> Ints:
    """Whole numbers in [0, limit) from the upper 32 bits of each draw; limit up to 2^31.

    Multiply and shift (Lemire 2019); the bias is under limit / 2^32.
    """
    scaled = (bits >> np.uint64(32)).astype(np.int64)
    scaled *= limit
    scaled >>= 32
    return scaled


def unit(bits: Bits) -> Floats:
    """Floats strictly between 0 and 1, on a grid of 2^-32, from the upper 32 bits."""
    return ((bits >> np.uint64(32)).astype(np.float64) + 0.5) / 4294967296.0


def share(bits: Bits, percentages: tuple[int, ...]) -> Ints:
    """The index of the share that each draw falls into; the percentages add up to 100."""
    bounds = np.cumsum(np.array(percentages[:-1], np.int64)) * (1 << 32) // 100
    index = np.searchsorted(bounds, (bits >> np.uint64(32)).astype(np.int64), side="right")
    return index.astype(np.int64)


def scramble(seed: int, stream: Stream, numbers: Ints) -> npt.NDArray[np.uint32]:
    """A seeded bijection of [0, 2^32): different numbers always give different keys.

    Two rounds of MurmurHash3's 32-bit finaliser (Appleby 2011), each step of which can be undone,
    with a key of the stream before, between and after them.
    """
    keys = [np.uint32(word & 0xFFFFFFFF) for word in _seeds(seed, stream, 3)]
    mixed = numbers.astype(np.uint32) ^ keys[0]
    for key in keys[1:]:
        mixed ^= mixed >> np.uint32(16)
        mixed *= np.uint32(0x85EBCA6B)
        mixed ^= mixed >> np.uint32(13)
        mixed *= np.uint32(0xC2B2AE35)
        mixed ^= mixed >> np.uint32(16)
        mixed += key
    return mixed
