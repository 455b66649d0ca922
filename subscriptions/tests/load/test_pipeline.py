"""Loads that meet trouble: a second one, a kill, a full disk; and other machines and workers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from dlt.common.runtime import anon_tracker

from subscriptions.load.errors import LoadError
from subscriptions.load.lock import load_lock
from subscriptions.load.tables import TABLES, Disposition
from subscriptions.load.target import Target
from subscriptions.tests.load.conftest import WORKING_DIR, Run
from subscriptions.tests.load.dying_load import MOMENTS

Query = Callable[..., list[tuple[Any, ...]]]


def test_a_second_load_is_refused_and_names_the_first(target: Target, run: Run) -> None:
    with target.connect("load_faker_data") as other, load_lock(other, target.dataset):
        says = rf"Another load of {target.dataset} is running \(load_faker_data 20\d\d-.* UTC"
        with pytest.raises(LoadError, match=says):
            run()
    assert run(users=3).current_rows["user"] == 3


def test_loads_of_different_datasets_do_not_meet(target: Target) -> None:
    other = replace(target, dataset=f"{target.dataset}_other")
    with (
        target.connect("one") as one,
        load_lock(one, target.dataset),
        other.connect("two") as two,
        load_lock(two, other.dataset),
    ):
        pass


def business_rows(query: Query) -> dict[str, list[tuple[Any, ...]]]:
    """All stored rows, but for what differs from load to load."""
    return {
        table.name: sorted(
            query(f'SELECT {", ".join(table.columns)}, valid_from, valid_to FROM "{table.name}"'),
            key=repr,
        )
        for table in TABLES
    }


@pytest.mark.parametrize("disposition", [None, "replace", "append"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_load_and_a_re_run_are_one_load(
    target: Target, query: Query, run: Run, moment: str, disposition: Disposition | None
) -> None:
    run(users=20)
    before = business_rows(query)
    twice = 2 if disposition == "append" else 1
    after = {table: sorted(rows * twice, key=repr) for table, rows in before.items()}
    details = {
        "target": asdict(target),
        "users": 20,
        "disposition": disposition,
        "working_dir": str(WORKING_DIR),
    }
    killed = subprocess.run(
        [sys.executable, "-m", "subscriptions.tests.load.dying_load", moment, json.dumps(details)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert business_rows(query) in (before, after)
    run(write_disposition=disposition)
    assert business_rows(query) == after


def test_dlt_leaves_no_id_in_the_home(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(anon_tracker, "get_anonymous_id", lambda: asked.append(True))
    run(users=3)
    assert asked == []


def test_no_file_of_a_finished_load_is_left(
    run: Run, target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run(users=3)
    assert list(tmp_path.iterdir()) == []
    assert list(Path(WORKING_DIR, target.pipeline).rglob("*.csv")) == []
