"""Randomness: no state, no collisions, no bias worth the name."""

import numpy as np
import pytest

from subscriptions.extract.randomness import Stream, below, draw, scramble, share, unit

NUMBERS = np.arange(200_000)
MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def test_a_draw_depends_on_its_address_alone() -> None:
    forwards = draw(1, Stream.PLAN, NUMBERS, 3)
    backwards = draw(1, Stream.PLAN, NUMBERS[::-1].copy(), 3)
    assert (forwards == backwards[::-1]).all()
    assert (forwards[500:700] == draw(1, Stream.PLAN, NUMBERS[500:700], np.full(200, 3))).all()


def test_seed_stream_and_step_each_give_other_draws() -> None:
    draws = [
        draw(1, Stream.PLAN, NUMBERS),
        draw(2, Stream.PLAN, NUMBERS),
        draw(1, Stream.REGION, NUMBERS),
        draw(1, Stream.PLAN, NUMBERS, 1),
    ]
    assert len(np.unique(np.concatenate(draws))) == 4 * len(NUMBERS)


def _splitmix64(state: int) -> int:
    """The finaliser in plain whole numbers."""
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & MASK
    state = (state ^ state >> 27) * 0x94D049BB133111EB & MASK
    return state ^ state >> 31


def test_draws_are_splitmix64_of_a_keyed_counter() -> None:
    # The reference implementation's first two outputs from state 0 vouch for the copy above.
    assert _splitmix64(GOLDEN) == 0xE220A8397B1DCDAF
    assert _splitmix64(2 * GOLDEN & MASK) == 0x6E789E6AA1B965F4
    key = int(np.random.SeedSequence((5, int(Stream.MOVE))).generate_state(1, np.uint64)[0])
    for number, step in ((0, 0), (1, 0), (7, 3), (2**32 - 1, 2**31)):
        counter = number | step << 32
        drawn = int(draw(5, Stream.MOVE, np.array([number]), step)[0])
        assert drawn == _splitmix64((counter * GOLDEN + key) & MASK)


def test_draws_below_a_limit_are_even() -> None:
    counts = np.bincount(below(draw(3, Stream.PAUSE, NUMBERS), 8), minlength=8)
    assert len(counts) == 8
    assert abs(counts / len(NUMBERS) - 1 / 8).max() < 0.003


def test_units_fill_the_open_interval() -> None:
    units = unit(draw(3, Stream.PAUSE, NUMBERS))
    assert units.min() > 0
    assert units.max() < 1
    assert abs(units.mean() - 0.5) < 0.003
    extremes = np.array([0, 2**64 - 1], np.uint64)
    assert unit(extremes)[0] > 0
    assert unit(extremes)[1] < 1


def test_shares_are_met() -> None:
    counts = np.bincount(share(draw(3, Stream.PLAN, NUMBERS), (33, 27, 18, 16, 6)))
    assert abs(counts / len(NUMBERS) * 100 - [33, 27, 18, 16, 6]).max() < 0.4


@pytest.mark.parametrize("first", [0, 2**31 - 150_000, 2**32 - 300_000])
def test_keys_are_distinct_anywhere(first: int) -> None:
    keys = scramble(8, Stream.USER_KEY, np.arange(first, first + 300_000))
    assert len(np.unique(keys)) == 300_000


def test_every_step_of_the_key_scramble_can_be_undone() -> None:
    numbers = np.random.SeedSequence(1).generate_state(100_000).astype(np.int64)
    keys = [int(w) & 0xFFFFFFFF for w in _key_words(8, Stream.USAGE_KEY)]
    undone = [_unscramble(int(key), keys) for key in scramble(8, Stream.USAGE_KEY, numbers)[:2000]]
    assert undone == numbers[:2000].tolist()


def _key_words(seed: int, stream: Stream) -> list[int]:
    state = np.random.SeedSequence((seed, int(stream))).generate_state(3, np.uint64)
    return [int(word) for word in state]


def _unscramble(key: int, keys: list[int]) -> int:
    """MurmurHash3's finaliser backwards, in plain whole numbers."""
    for addend in reversed(keys[1:]):
        key = (key - addend) & 0xFFFFFFFF
        key ^= key >> 16
        key = key * pow(0xC2B2AE35, -1, 1 << 32) & 0xFFFFFFFF
        key ^= key >> 13 ^ key >> 26
        key = key * pow(0x85EBCA6B, -1, 1 << 32) & 0xFFFFFFFF
        key ^= key >> 16
    return key ^ keys[0]


def test_keys_look_random_and_differ_between_tables_and_seeds() -> None:
    one = scramble(8, Stream.USER_KEY, NUMBERS)
    assert abs(one.mean() / 2**32 - 0.5) < 0.01
    assert (np.diff(one.astype(np.int64)) > 0).mean() == pytest.approx(0.5, abs=0.01)
    for other in (scramble(9, Stream.USER_KEY, NUMBERS), scramble(8, Stream.USAGE_KEY, NUMBERS)):
        assert (one == other).mean() < 0.001
