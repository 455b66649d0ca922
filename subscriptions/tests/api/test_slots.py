"""Places for lists: who waits for one, and who is told to come back."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from subscriptions.api.slots import Busy, Slots


def waiting(slots: Slots, pool: ThreadPoolExecutor) -> Future[None]:
    """A request in another thread, which has begun to wait."""
    future = pool.submit(slots.take)
    time.sleep(0.05)
    return future


def test_one_that_waits_gets_the_place() -> None:
    slots = Slots(1, waiting=1)
    slots.take()
    with ThreadPoolExecutor() as pool:
        next_one = waiting(slots, pool)
        assert not next_one.done()
        slots.give_back()
        assert next_one.result(timeout=3) is None


def test_patience_ends() -> None:
    slots = Slots(1, waiting=1, patience=0.1)
    slots.take()
    with pytest.raises(Busy):
        slots.take()


def test_others_are_refused_while_no_list_ends() -> None:
    slots = Slots(1, waiting=1, patience=30)
    slots.take()
    with ThreadPoolExecutor() as pool, ExitStack() as stack:
        stack.callback(slots.give_back)
        waiting(slots, pool)
        started = time.monotonic()
        with pytest.raises(Busy):
            slots.take()
        assert time.monotonic() - started < 10  # not with patience


def test_all_wait_while_lists_come_and_go() -> None:
    slots = Slots(1, waiting=0, brisk=3)

    def read(_number: int) -> None:
        slots.take()
        time.sleep(0.01)
        slots.give_back()

    read(0)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(read, range(50)))  # none is refused
