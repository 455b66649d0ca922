"""The command as a person meets it: in a process of its own, by what it prints and returns."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from subscriptions.load import pipeline
from subscriptions.load.lock import load_lock
from subscriptions.load.request import Request
from subscriptions.load.target import Target

Command = Callable[..., subprocess.CompletedProcess[str]]
Load = Callable[..., pipeline.Result]
DATASET = "command_test"
# What follows a load has tests of its own.
LOAD = ("manage.py", "load_faker_data", "--no-transform")


@pytest.fixture
def database_url(database_url: str) -> Iterator[str]:
    """The test database as a URL, and no trace of the command's dataset afterwards."""
    yield database_url
    with Target.from_settings().connect("test") as session:
        session.execute(f"DROP SCHEMA IF EXISTS {DATASET}, {DATASET}_staging CASCADE")


def environment(database_url: str, **variables: str) -> dict[str, str]:
    """The variables of a process that loads the command's dataset into the test database."""
    return os.environ | {
        "DATABASE_URL": database_url,
        "DATASET_NAME": DATASET,
        "PIPELINE_NAME": DATASET,
        "DEBUG": "true",
        **variables,
    }


@pytest.fixture
def command(database_url: str) -> Command:
    """Run `manage.py load_faker_data --no-transform` with an environment of its own."""

    def run(
        *arguments: str, prefix: Sequence[str] = (), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*prefix, sys.executable, *LOAD, *arguments],
            cwd=settings.BASE_DIR,
            env=environment(database_url, **variables),
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def load(database_url: str) -> Load:
    """Load the command's dataset without the command, where nothing depends on that."""
    target = replace(Target.from_settings(), dataset=DATASET, pipeline=DATASET)

    def run(**named: object) -> pipeline.Result:
        request = Request(**named)  # type: ignore[arg-type]
        return pipeline.run(target, request, settings.LOCAL_DIR / "dlt", lambda _line: None)

    return run


def test_it_reports_rows_time_and_what_to_do_next(command: Command) -> None:
    first = command()
    assert first.returncode == 0, first.stderr
    assert first.stderr == ""
    for line in (
        r"plan +5 +0   5 added",
        r"user +1,000 +0   1,000 added",
        r"subscription +1,717 +0   1,717 added",
        r"usage +5,000 +0   5,000 added",
        r"Loaded the company of seed 42, 1,000 users at its epoch (\S+), as of \1, in \d+\.\d s\.",
        r"manage.py runserver",
        r"http://127.0.0.1:8000/admin/",
        r"Sign in",
    ):
        assert re.search(line, first.stdout), line
    today = datetime.now(UTC).date()
    assert f"as of {today}" in first.stdout
    assert settings.BASIC_AUTH_PASSWORD not in first.stdout

    second = command()
    assert second.returncode == 0
    assert second.stdout.count("nothing changed") == 4


def test_an_early_epoch_says_what_the_calendar_allows(command: Command) -> None:
    result = command("--users", "100", "--as-of", "2024-09-01")
    assert result.returncode == 0, result.stderr
    assert "An epoch before 2025-02-01 leaves too little time" in result.stdout


# What a process alone can show: how an argument's sentence is told, and what settings refuse.
REFUSALS = {
    "no users": (["--users", "0"], {}, "CommandError: A company has 1 to 50,000,000 users, not 0."),
    "staging's name": ([], {"DATASET_NAME": "foo_staging"}, "must not end in _staging"),
    "a name dlt would change": ([], {"DATASET_NAME": "my__data"}, "DATASET_NAME"),
    "dataset name": ([], {"DATASET_NAME": 'a"b'}, "DATASET_NAME"),
    "destination": ([], {"DESTINATION": "duckdb"}, "DESTINATION"),
    "no server": ([], {"DATABASE_URL": "postgres://u:p@127.0.0.1:1/x"}, "server"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_bad_input_gets_one_sentence_and_changes_nothing(command: Command, case: str) -> None:
    arguments, variables, says = REFUSALS[case]
    result = command(*arguments, **variables)
    assert result.returncode != 0
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert says in result.stderr
    assert "Traceback" not in result.stderr + result.stdout
    with Target.from_settings().connect("test") as session:
        assert session.execute("SELECT to_regnamespace(%s)", [DATASET]).fetchone() == (None,)


def test_another_company_or_day_is_refused_and_the_data_stays(load: Load, command: Command) -> None:
    load(users=10, as_of=date(2026, 11, 1))
    for arguments in (["--users", "11"], ["--seed", "1"], ["--as-of", "2026-10-31"]):
        result = command(*arguments)
        assert result.returncode == 1
        assert "The dataset holds the company of seed 42, 10 users" in result.stderr
    replaced = command("--users", "11", "--as-of", "2026-11-02", "--write-disposition", "replace")
    assert re.search(r"user +11 +0   11 added, 10 removed", replaced.stdout)


def test_a_company_is_backfilled_and_goes_on(command: Command) -> None:
    named = ("--users", "40", "--as-of", "2026-03-01", "--from", "2026-01-01")
    filled = command(*named, "--backfill", "monthly")
    assert filled.returncode == 0, filled.stderr
    days = re.findall(r"^  as of (\S+) +([\d,]+) users$", filled.stdout, re.MULTILINE)
    assert [day for day, _ in days] == ["2026-01-01", "2026-02-01", "2026-03-01"]
    assert days[-1][1] == "40"
    # What all steps together did.
    added = re.search(r"usage +200 +0   200 added$", filled.stdout, re.MULTILINE)
    assert added, filled.stdout
    again = command("--as-of", "2026-03-01", "--from", "2026-01-01", "--backfill", "monthly")
    assert again.stdout.count("nothing changed") == 4
    advanced = command("--advance", "1m", "--json")
    assert advanced.returncode == 0, advanced.stderr
    told = json.loads(advanced.stdout)
    assert told["as_of"] == "2026-04-01"
    assert told["changes"]["usage"]["added"] > 0
    late = command("--backfill", "daily", "--as-of", "2026-05-01")
    assert late.returncode == 1
    assert "was not loaded as of 2024-08-01" in late.stderr


def test_another_load_is_in_the_way(command: Command) -> None:
    with load_lock(replace(Target.from_settings(), dataset=DATASET)):
        result = command()
    assert result.returncode == 1
    assert result.stderr.startswith(f"CommandError: Another load of {DATASET} is running (load_")


def test_a_role_without_rights_is_told_which(command: Command, database_url: str) -> None:
    with Target.from_settings().connect("test") as session:
        session.execute("DROP ROLE IF EXISTS load_reader")
        session.execute("CREATE ROLE load_reader LOGIN PASSWORD 'reader'")
        try:
            url = re.sub(r"//[^@]*@", "//load_reader:reader@", database_url)
            result = command(DATABASE_URL=url)
        finally:
            session.execute("DROP OWNED BY load_reader")
            session.execute("DROP ROLE load_reader")
    assert result.returncode == 1
    assert "permission denied" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_full_disk_leaves_the_old_data_and_the_next_load_works(
    load: Load, command: Command, workers: str
) -> None:
    load(users=10)
    # A limit on the size of files meets the generator as a full disk does: a write that fails.
    limited = command(
        *("--users", "60000", "--write-disposition", "replace", "--workers", workers),
        prefix=("bash", "-c", 'ulimit -f 100; exec "$@"', "limited"),
    )
    assert limited.returncode == 1
    assert limited.stderr.startswith("CommandError: The disk is full")
    assert len(limited.stderr.strip().splitlines()) == 1, limited.stderr
    with Target.from_settings().connect("test") as session:
        count = f"SELECT count(*) FROM {DATASET}.user_current"
        assert session.execute(count).fetchone() == (10,)
    assert {sum(changes.values()) for changes in load().changes.values()} == {0}


def test_a_kill_leaves_no_process_behind(
    command: Command, database_url: str, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, *LOAD, "--users", "110000", "--workers", "2"],
        cwd=settings.BASE_DIR,
        env=environment(database_url, TMPDIR=str(tmp_path)),
        stdout=subprocess.DEVNULL,
    ) as process:
        wait_until(lambda: any(tmp_path.glob("*/*.csv")))
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    assert children
    assert psutil.wait_procs(children, timeout=10)[1] == []
    again = command("--users", "10", TMPDIR=str(tmp_path))
    assert again.returncode == 0, again.stderr
    assert list(tmp_path.iterdir()) == []


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait for something that is sure to come, but not for ever."""
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_wrong_password_is_told(command: Command, database_url: str) -> None:
    if "%2F" in database_url:
        pytest.skip("the embedded server trusts its socket, whatever the password")
    result = command(DATABASE_URL=re.sub(r"//[^@]*@", "//nobody:wrong@", database_url))
    assert result.returncode == 1
    assert "check" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr


def test_a_fresh_database_without_rights_is_told_which(command: Command, database_url: str) -> None:
    with Target.from_settings().connect("test") as session:
        session.execute("DROP DATABASE IF EXISTS load_fresh")
        session.execute("DROP ROLE IF EXISTS load_reader")
        session.execute("CREATE ROLE load_reader LOGIN PASSWORD 'reader'")
        session.execute("CREATE DATABASE load_fresh")
        try:
            url = re.sub(r"//[^@]*@", "//load_reader:reader@", database_url)
            result = command(DATABASE_URL=re.sub(r"/[^/]*$", "/load_fresh", url))
        finally:
            session.execute("DROP DATABASE load_fresh")
            session.execute("DROP ROLE load_reader")
    assert result.returncode == 1
    assert "permission denied" in result.stderr
    assert "let the user CREATE" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
