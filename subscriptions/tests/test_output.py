"""What a command writes: to a terminal, to a pipe, to a script, or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.conf import settings

from subscriptions.load.tables import TABLES
from subscriptions.load.target import Target

Command = Callable[..., subprocess.CompletedProcess[str]]
# What follows a load has tests of its own.
LOAD = ("manage.py", "load_faker_data", "--no-transform")
Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def environment(database_url: str, target: Target) -> dict[str, str]:
    """The variables of a process that loads the test's own dataset."""
    own = {"DATASET_NAME": target.dataset, "PIPELINE_NAME": target.pipeline}
    return os.environ | own | {"DATABASE_URL": database_url, "DEBUG": "true"}


@pytest.fixture
def command(environment: dict[str, str]) -> Command:
    """Run `manage.py load_faker_data`, its output to a pipe."""

    def run(
        *arguments: str, prefix: Sequence[str] = (), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*prefix, sys.executable, *LOAD, *arguments],
            cwd=settings.BASE_DIR,
            env=environment | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def on_a_terminal(variables: dict[str, str], *arguments: str) -> str:
    """All that the command writes to a terminal."""
    primary, replica = pty.openpty()
    with subprocess.Popen(
        [sys.executable, *LOAD, *arguments],
        cwd=settings.BASE_DIR,
        env=variables | {"TERM": "xterm"},
        stdout=replica,
        stderr=replica,
    ) as process:
        os.close(replica)
        shown = b""
        with contextlib.suppress(OSError):  # how Linux says that the other end is closed
            while chunk := os.read(primary, 65536):
                shown += chunk
        os.close(primary)
    assert process.returncode == 0, shown.decode()
    return shown.decode()


def test_a_terminal_gets_a_live_line_for_each_phase(environment: dict[str, str]) -> None:
    shown = on_a_terminal(environment | {"COLUMNS": "100"}, "--users", "50001")
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    for line in (
        r"\rCopying +[█░]{24}  [\d,]+ of 385,\d+ rows  [\d,]+ rows/s  \d:\d\d left",
        r"\rCopying +█{24}  385,\d+ rows  [\d,]+ rows/s  \d:\d\d",
        r"[\r\n]Indexing +█{24}  [0-9]+ statements  \d:\d\d",
        r"[\r\n]Publishing +█{24}  4 tables  \d:\d\d",
        "Loaded the company",
    ):
        assert re.search(line, lines), line


def test_colours_can_be_had_without(environment: dict[str, str]) -> None:
    for arguments, variables in (
        (["--no-color"], {}),
        (["--verbosity", "1"], {"NO_COLOR": "1"}),
    ):
        shown = on_a_terminal(environment | variables, *arguments)
        assert "Loaded the company" in shown
        assert not re.search(r"\x1b\[[0-9;]*m", shown)


def test_a_pipe_gets_a_plain_line_as_each_phase_begins(command: Command) -> None:
    first = command("--users", "300", FORCE_COLOR="1").stdout
    assert not re.search(r"[\x1b\r]", first)
    lines = first.splitlines()
    assert lines[0].startswith("Generating the company of seed 42, which has 300 users")
    assert lines[1] == "Copying about 2,320 rows ..."
    assert re.fullmatch(r"Indexing \d+ statements \.\.\.", lines[2])
    assert lines[3:5] == ["Publishing 4 tables ...", ""]
    again = command("--verbosity", "2").stdout.splitlines()
    assert again[1] == "Comparing about 2,320 rows ..."
    assert re.fullmatch(r"  2,315 rows in \d+\.\d\d s, [\d,]+ rows/s", again[2])
    assert again[3] == "Copying no rows ..."


def test_a_script_gets_one_json_object(command: Command, query: Query) -> None:
    loaded = command("--users", "10", "--as-of", "2024-09-01", "--json")
    assert (loaded.returncode, loaded.stderr) == (0, "")
    found = json.loads(loaded.stdout)
    assert found["changes"]["user"] == {"added": found["rows"]["user"], "removed": 0}
    assert found["epoch"] == found["as_of"] == "2024-09-01"
    assert (found["seed"], found["users"], found["history"]["user"]) == (42, 10, 0)
    assert found["dispositions"] == {t.name: t.disposition for t in TABLES}
    assert found["notes"][0].startswith("An epoch before")
    assert found["duration"] > 0
    assert found["version"]

    verified = command("--verify", "--json")
    assert (verified.returncode, verified.stderr) == (0, "")
    tables = json.loads(verified.stdout)["tables"]
    assert {name: table["stored"] for name, table in tables.items()} == found["checksums"]

    query("UPDATE \"user\" SET region = 'Mars'")
    differing = command("--verify", "--json")
    assert differing.returncode == 1
    answer = json.loads(differing.stdout)
    assert answer["right"] is answer["tables"]["user"]["right"] is False
    assert differing.stderr == f"CommandError: {answer['error']}\n"


def test_a_script_gets_failures_as_json_as_well(command: Command) -> None:
    for result in (command("--users", "0", "--json"), command("--json", DESTINATION="duckdb")):
        assert result.returncode == 1
        assert json.loads(result.stdout)["error"] in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_success_can_be_silent(command: Command) -> None:
    silent = command("--users", "3", "--verbosity", "0")
    assert (silent.returncode, silent.stdout, silent.stderr) == (0, "", "")
    failed = command("--users", "4", "--verbosity", "0")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "The dataset holds" in failed.stderr


def test_a_reader_that_leaves_does_not_stop_the_load(command: Command, query: Query) -> None:
    # Bash's exit code is the command's own.
    result = command("--users", "3", prefix=("bash", "-c", 'set -o pipefail; "$@" | true', "piped"))
    assert (result.returncode, result.stderr) == (0, "")
    assert query("SELECT count(*), count(finished_at) FROM _load_receipt") == [(1, 1)]
