"""A phase's line fits the terminal, however narrow, and says what it can."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from subscriptions.load.live_progress import LiveProgress
from subscriptions.load.progress import Phase


def shown(width: int, encoding: str = "utf-8") -> list[str]:
    """What is left on a terminal after two phases, one of which did more than was expected."""
    raw = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=raw, force_terminal=True, width=width, _environ={})
    with LiveProgress(console) as progress:
        progress.advance(Phase.INDEXING, 2)
        progress.begin(Phase.COPYING, 7_000_000)
        progress.advance(Phase.COPYING, 7_722_000)
        progress.begin(Phase.INDEXING, 27)
        progress.advance(Phase.INDEXING, 5)
    raw.seek(0)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", raw.read())
    return [line.rstrip() for line in re.split(r"[\r\n]+", text) if line.strip()]


@pytest.mark.parametrize("width", [120, 80, 50, 30, 12])
def test_a_line_fits(width: int) -> None:
    lines = shown(width)
    assert {line.split()[0] for line in lines} <= {"Copying", "Indexing"}
    assert max(map(len, lines)) < width


def test_it_counts_what_was_done_before_the_phase_began() -> None:
    assert re.fullmatch(r"Copying +█{24}  7,722,000 rows  [\d,]+ rows/s  0:00", shown(100)[-2])
    assert re.match(r"Indexing +█{6}░{18}  7 of 27 statements", shown(100)[-1])


def test_a_terminal_that_knows_ascii_only_gets_no_more() -> None:
    assert re.match(r"Indexing +#{6}-{18}  7 of 27", shown(100, "ascii")[-1])
