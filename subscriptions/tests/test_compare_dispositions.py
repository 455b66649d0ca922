"""The comparison as a person or a script meets it, what README shows of it, and what it leaves."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from subscriptions.load import pipeline
from subscriptions.load.lock import load_lock
from subscriptions.load.request import Request
from subscriptions.load.side_by_side.scratch import scratch
from subscriptions.load.tables import TABLES
from subscriptions.load.target import Target

Query = Callable[..., list[tuple[Any, ...]]]
Start = Callable[..., subprocess.Popen[str]]

README: Final = (settings.BASE_DIR / "README.md").read_text(encoding="utf-8")
_TIME: Final = re.compile(r"[0-9]+\.[0-9]{2} s")
WORKING_DIR: Final[Path] = settings.LOCAL_DIR / "dlt"


@pytest.fixture
def start(database_url: str, target: Target) -> Start:
    """Start `manage.py compare_dispositions` beside the test's own dataset."""

    def begin(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "manage.py", "compare_dispositions", *arguments],
            cwd=settings.BASE_DIR,
            env=os.environ
            | {"DATABASE_URL": database_url, "DATASET_NAME": target.dataset, "DEBUG": "true"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return begin


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """The exit code, and what was said on stdout and stderr."""
    said, failed = process.communicate(timeout=120)
    return process.returncode, said, failed


def traces(query: Query, target: Target) -> list[str]:
    """What there is of scratch datasets beside the target: schemas, and names of files."""
    of = f"{target.dataset}_compare_"
    schemas = query("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", of)
    folders = [WORKING_DIR, Path(tempfile.gettempdir())]
    files = [path.name for folder in folders for path in folder.glob(f"*{of}*")]
    return [*(name for (name,) in schemas), *files]


def wait_for(happened: Callable[[], bool]) -> None:
    """Wait for something that is sure to come, but not for ever."""
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def has_loaded(query: Query, target: Target) -> bool:
    """Whether a comparison has got so far that its scratch dataset is there."""
    loaded = "SELECT tablename FROM pg_tables WHERE tablename = 'usage' AND schemaname ~ %s"
    return bool(query(loaded, f"^{target.dataset}_compare_[0-9a-f]{{16}}$"))


def test_readme_shows_what_it_prints_and_nothing_is_left(
    start: Start, target: Target, query: Query
) -> None:
    [(command, shown)] = re.findall(
        r"manage\.py compare_dispositions( --as-of [^\n]*)\n```\n\n```\n(.*?)```", README, re.DOTALL
    )
    code, said, failed = finished(start(*shlex.split(command)))
    assert (code, failed) == (0, "")
    assert _TIME.sub("-.-- s", said) == _TIME.sub("-.-- s", shown)
    assert max(map(len, said.splitlines())) <= 100
    assert said.isascii()
    assert traces(query, target) == []


def test_a_script_gets_figures_and_the_dataset_stays(
    start: Start, target: Target, query: Query
) -> None:
    def rows() -> list[list[tuple[Any, ...]]]:
        return [
            query(f'SELECT xmin::text, ctid::text, _dlt_id FROM "{t.name}" ORDER BY 3')
            for t in TABLES
        ]

    pipeline.run(target, Request(users=5, as_of=date(2026, 1, 1)), WORKING_DIR, lambda _line: None)
    before = rows()
    code, said, failed = finished(
        start("--json", "--users", "40", "--as-of", "2026-06-01", "--advance", "2m")
    )
    assert (code, failed) == (0, "")
    found = json.loads(said)
    assert (found["first"], found["second"]) == ("2026-06-01", "2026-08-01")
    for name, change in found["changes"].items():
        modes = {mode: each["tables"][name] for mode, each in found["modes"].items()}
        old, now = change["changed"] + change["same"], sum(change.values())
        assert change["same"] > 0
        assert (change["changed"] > 0) == (name in {"user", "subscription"})
        for mode, outcome in modes.items():
            closed = change["changed"] if mode == "scd2" else 0
            twice = old if mode == "append" else 0
            assert outcome["before"] == old
            assert outcome["after"] == now + twice
            assert outcome["versions"] == now + twice + closed
            assert outcome["duplicates"] == twice
    example = found["example"]
    earlier, later = (
        {"value": example[when], "valid_from": found[day], "valid_to": None}
        for when, day in (("before", "first"), ("after", "second"))
    )
    assert earlier["value"] != later["value"]
    assert {mode: each["example"] for mode, each in found["modes"].items()} == {
        "replace": [later],
        "append": [earlier, later],
        "merge": [later | {"valid_from": "2026-06-01"}],
        "scd2": [earlier | {"valid_to": "2026-08-01"}, later],
    }
    assert rows() == before
    assert traces(query, target) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_one_sentence_and_leaves_nothing(
    start: Start, target: Target, query: Query, how: signal.Signals
) -> None:
    process = start()
    wait_for(lambda: has_loaded(query, target))
    process.send_signal(how)
    code, said, failed = finished(process)
    assert (code, said) == (128 + how, "")
    assert failed.startswith("Interrupted. Your dataset is as it was")
    assert failed.count("\n") == 1
    assert traces(query, target) == []


def test_what_a_killed_one_left_goes_with_the_next(
    start: Start, target: Target, query: Query
) -> None:
    process = start()
    wait_for(lambda: has_loaded(query, target))
    process.kill()
    finished(process)
    left = set(traces(query, target))
    assert left

    def next_one_clears_away() -> bool:
        with scratch(target, WORKING_DIR):
            return not left & set(traces(query, target))

    # Until the server has noticed the death, the killed one's lock is held.
    wait_for(next_one_clears_away)
    assert traces(query, target) == []


def test_a_live_one_and_what_is_only_named_like_one_stay(target: Target, query: Query) -> None:
    somebodys = f"{target.dataset}_compare_20260601"
    query(f"CREATE SCHEMA {somebodys}")
    try:
        with scratch(target, WORKING_DIR) as live:
            query(f"CREATE SCHEMA {live.dataset}")
            with scratch(target, WORKING_DIR) as own:
                assert own.dataset not in {live.dataset, somebodys}
                assert sorted(traces(query, target)) == sorted([live.dataset, somebodys])
        assert traces(query, target) == [somebodys]
    finally:
        query(f"DROP SCHEMA {somebodys}")


def test_files_alone_are_found_as_well(target: Target, query: Query) -> None:
    lost = replace(target, dataset=f"{target.dataset}_compare_{'0' * 16}")
    WORKING_DIR.joinpath(lost.folder).mkdir(parents=True)
    elsewhere = WORKING_DIR / f"{lost.dataset}-00000000"  # of another database
    elsewhere.mkdir()
    temporary = Path(tempfile.mkdtemp(prefix=f"load_faker_data-{lost.folder}-"))
    try:
        with load_lock(lost), scratch(target, WORKING_DIR):
            assert len(traces(query, target)) == 3
        with scratch(target, WORKING_DIR):
            assert not temporary.exists()
            assert traces(query, target) == [elsewhere.name]
    finally:
        elsewhere.rmdir()


def test_a_scratch_name_leaves_room_for_what_loads_add(target: Target) -> None:
    longest = "a_dataset_of_23_letters_and_many_more_characters"
    with scratch(replace(target, dataset=longest), WORKING_DIR) as own:
        assert re.fullmatch("a_dataset_of_23_letters_compare_[0-9a-f]{16}", own.dataset)
        assert len(own.dataset) <= 48


REFUSALS = {
    "no users": ({"users": "0"}, "A company has 1 to"),
    "not a number": ({"users": "many"}, "--users must be a whole number, not 'many'"),
    "no such unit": ({"advance": "1y"}, "--advance must be a number of days, weeks or months"),
    "no day": ({"as_of": "2026-02-30"}, "--as-of must be a date"),
    "too early": ({"as_of": "2024-07-31"}, "2024-08-01"),
    "too far": ({"advance": "90000m"}, "runs out of 32-bit keys before"),
}


@pytest.mark.parametrize("case", REFUSALS)
@pytest.mark.django_db
def test_bad_input_gets_one_sentence(case: str) -> None:
    arguments, says = REFUSALS[case]
    with pytest.raises(CommandError, match=says) as refusal:
        call_command("compare_dispositions", **arguments)
    assert "\n" not in str(refusal.value)
