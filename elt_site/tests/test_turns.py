"""Places that are fewer than those who want one: who gets one, and who has to wait."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from elt_site import turns
from elt_site.turns import BRISK, PATIENT, TURN, Places, Postponed, Turn, postponing


def test_places_are_given_in_the_order_of_the_line() -> None:
    places, first, second = Places(1), Turn(), Turn()
    assert places.take(None)
    assert not places.take(first)
    assert not places.take(second)
    places.give_back()
    assert not places.take(second)
    assert not places.take(Turn())
    assert not places.take(None)
    assert places.due == [first]
    assert places.take(first)
    places.give_back()
    assert places.due == [second]


def test_all_that_are_due_may_come_in_any_order() -> None:
    places, line = Places(2), [Turn(), Turn(), Turn()]
    assert places.take(None)
    assert places.take(None)
    for turn in line:
        assert not places.take(turn)
    places.give_back()
    places.give_back()
    assert places.due == line[:2]
    assert [places.take(turn) for turn in reversed(line)] == [False, True, True]


def test_who_leaves_the_line_lets_the_next_come_forward() -> None:
    places, first, second = Places(1), Turn(), Turn()
    assert places.take(None)
    assert not places.take(first)
    assert not places.take(second)
    first.leave()
    places.give_back()
    assert places.take(second)


def test_only_a_few_wait_where_nothing_moves() -> None:
    places, line = Places(1), [Turn() for _ in range(PATIENT + 1)]
    assert places.take(None)
    for turn in line:
        assert not places.take(turn)
    assert not any(turn.over for turn in line)
    places.moved -= BRISK
    assert [turn.over for turn in line] == [False] * PATIENT + [True]


def environ() -> dict[str, Any]:
    """Of a request on a connection."""
    return {"gunicorn.socket": SimpleNamespace(turn=None)}


def test_a_request_that_fails_leaves_the_line() -> None:
    places = Places(0)

    def application(environ: dict[str, Any], start: object) -> Iterable[bytes]:
        places.take(environ[TURN])
        raise RuntimeError

    request = environ()
    with pytest.raises(RuntimeError):
        postponing(application)(request, print)
    assert request[TURN].places is None


def test_an_answer_that_nobody_sees_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    places, closed = Places(0), []

    class Refusal(list[bytes]):
        def close(self) -> None:
            closed.append(self)

    def application(environ: dict[str, Any], start: object) -> Iterable[bytes]:
        places.take(environ[TURN])
        return Refusal()

    request = environ()
    with pytest.raises(Postponed):
        postponing(application)(request, print)
    assert closed
    turn = request["gunicorn.socket"].turn
    monkeypatch.setattr(turns, "PATIENCE", 0)
    assert postponing(application)(request, print) == []
    assert request["gunicorn.socket"].turn is None
    assert turn.places is None
