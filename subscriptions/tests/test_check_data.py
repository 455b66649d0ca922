"""The command as a person or a script meets it: what it prints, and how it exits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from subscriptions.load import pipeline
from subscriptions.load.checks import CHECKS
from subscriptions.load.request import Request
from subscriptions.load.target import Target
from subscriptions.tests.conftest import AS_OF

Command = Callable[..., subprocess.CompletedProcess[str]]
Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def command(database_url: str) -> Command:
    """Run `manage.py check_data` on a dataset of the test database."""

    def run(dataset: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", "check_data", *arguments],
            cwd=settings.BASE_DIR,
            env=os.environ
            | {"DATABASE_URL": database_url, "DATASET_NAME": dataset, "DEBUG": "true"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def load(target: Target) -> Callable[..., None]:
    """Load a small company into the test's own dataset."""

    def run(**named: object) -> None:
        request = Request(**{"users": 50, "as_of": AS_OF, **named})  # type: ignore[arg-type]
        pipeline.run(target, request, settings.LOCAL_DIR / "dlt", lambda _line: None)

    return run


@pytest.mark.usefixtures("dataset")
def test_clean_data_passes_with_a_line_for_each_check(command: Command) -> None:
    result = command(settings.DATASET_NAME)
    assert (result.returncode, result.stderr) == (0, "")
    assert f"as of {AS_OF}" in result.stdout
    assert result.stdout.endswith(f"\nAll {len(CHECKS)} checks passed.\n")
    lines = result.stdout.splitlines()
    for check in CHECKS:
        assert any(check.name in line and " ok " in line for line in lines), check.name


def test_violations_are_counted_and_named_and_exit_with_1(
    command: Command, load: Callable[..., None], target: Target, query: Query
) -> None:
    load()
    query("UPDATE \"user\" SET region = 'Atlantis', email = NULL WHERE plan_id = 1")
    ((count,),) = query('SELECT count(*) FROM "user" WHERE plan_id = 1')
    assert count > 3

    text = command(target.dataset)
    assert (text.returncode, text.stderr) == (1, "")
    assert f"2 of {len(CHECKS)} checks failed, {2 * count} violations." in text.stdout
    assert "checks passed" not in text.stdout
    assert text.stdout.count(": Atlantis") == 3
    assert ": Atlantis, ..." in text.stdout

    script = command(target.dataset, "--json")
    assert (script.returncode, script.stderr) == (1, "")
    report = json.loads(script.stdout)
    assert report["as_of"] == AS_OF.isoformat()
    assert report["violations"] == 2 * count
    assert [check["name"] for check in report["checks"]] == [check.name for check in CHECKS]
    failed = {c["name"]: c["violations"] for c in report["checks"] if c["violations"]}
    assert failed == {"user-complete": count, "user-region-listed": count}

    silent = command(target.dataset, "--verbosity", "0")
    assert (silent.returncode, silent.stdout, silent.stderr) == (1, "", "")


def test_copies_of_an_append_are_explained(
    command: Command, load: Callable[..., None], target: Target
) -> None:
    load()
    load(write_disposition="append")
    result = command(target.dataset)
    assert result.returncode == 1
    assert "append promises no uniqueness" in result.stdout


def test_no_dataset_is_one_sentence_and_exits_with_2(command: Command, target: Target) -> None:
    result = command(target.dataset)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert f"There is no {target.dataset} yet to check: run load_faker_data" in result.stderr


def test_a_dataset_that_lacks_a_view_is_one_sentence_and_exits_with_2(
    command: Command, load: Callable[..., None], target: Target, query: Query
) -> None:
    load()
    query("DROP VIEW usage_current")
    result = command(target.dataset)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert f"{target.dataset} lacks usage_current" in result.stderr
