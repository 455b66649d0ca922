"""Days, weeks and months from a day, as PostgreSQL reckons them, and what is no such time."""

from __future__ import annotations

from datetime import date

import pytest

from subscriptions.load.clock import advance
from subscriptions.load.errors import LoadError
from subscriptions.load.target import Target

UNITS = {"d": "days", "w": "weeks", "m": "months"}
DAYS = [date(2026, 1, 31), date(2024, 2, 29), date(2026, 12, 31), date(2026, 6, 15)]
STEPS = ["1d", "30d", "365d", "1w", "52w", "1m", "2m", "11m", "12m", "13m", "48m"]


def test_it_goes_as_far_as_postgresql_does(target: Target) -> None:
    with target.connect("test") as session:
        for day in DAYS:
            for step in STEPS:
                interval = f"{step[:-1]} {UNITS[step[-1]]}"
                answer = session.execute("SELECT (%s + %s::interval)::date", (day, interval))
                assert answer.fetchone() == (advance(day, step),), (day, step)


def test_a_month_ends_on_its_last_day() -> None:
    assert advance(date(2026, 1, 31), "1m") == date(2026, 2, 28)
    assert advance(date(2024, 1, 31), "1m") == date(2024, 2, 29)
    assert advance(date(2024, 2, 29), "12m") == date(2025, 2, 28)
    assert advance(date(2026, 11, 30), "1m") == date(2026, 12, 30)


@pytest.mark.parametrize(
    "text", ["", "30", "d", "0d", "-1d", "+1d", "1y", "1.5d", "1 d", " 1d", "1d\n", "1D", "٣d"]
)
def test_what_is_no_time_is_one_sentence(text: str) -> None:
    with pytest.raises(LoadError) as refusal:
        advance(date(2026, 1, 1), text)
    said = str(refusal.value)
    assert said.startswith("--advance must be a number of days, weeks or months such as 30d, ")
    assert said.endswith(f"not {text!r}.")
    assert "\n" not in said


@pytest.mark.parametrize("text", ["9999999d", "9999999w", "9999999m", "95688m"])
def test_a_day_that_no_calendar_has_is_one_sentence(text: str) -> None:
    with pytest.raises(LoadError, match=f"--advance {text} goes beyond 9999-12-31"):
        advance(date(2026, 1, 1), text)


def test_the_last_month_that_there_is() -> None:
    assert advance(date(2026, 1, 1), "95687m") == date(9999, 12, 1)
