"""The commands as a person meets them: `transform`, and `load_faker_data`, which ends with it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from pytest_django import DjangoDbBlocker

from subscriptions.load.lock import load_lock
from subscriptions.load.target import Target
from subscriptions.tests.conftest import TRANSFORMED
from subscriptions.transform import project
from subscriptions.transform.marts import MARTS, schema_of

Command = Callable[..., subprocess.CompletedProcess[str]]
Called = Callable[..., str]


@pytest.fixture
def dataset_name() -> str:
    """The dataset's, by which dbt knows the project as parsed."""
    return TRANSFORMED


@pytest.fixture
def command(database_url: str, target: Target, tmp_path: Path) -> Command:
    """Run a program on the test's own dataset, with a home of its own."""
    variables = os.environ | {
        "DATABASE_URL": database_url,
        "DATASET_NAME": target.dataset,
        "PIPELINE_NAME": target.pipeline,
        "DEBUG": "true",
        "HOME": str(tmp_path),
    }

    def run(*arguments: str, **others: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=settings.BASE_DIR,
            env=variables | others,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def called(
    target: Target, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> Called:
    """Run a command on it in this process, which has imported dbt; returns what it prints."""
    monkeypatch.setattr(settings, "DATASET_NAME", target.dataset)
    monkeypatch.setattr(settings, "PIPELINE_NAME", target.pipeline)

    def run(*arguments: str) -> str:
        stdout = io.StringIO()
        with django_db_blocker.unblock():
            call_command(*arguments, stdout=stdout)
        return stdout.getvalue()

    return run


def test_a_load_ends_with_the_marts(command: Command, called: Called, target: Target) -> None:
    load = ("manage.py", "load_faker_data", "--users", "30", "--as-of", "2026-02-01")
    without = command("-X", "importtime", *load, "--no-transform")
    assert without.returncode == 0
    assert "dbt.cli" not in without.stderr
    assert "The marts are left as they are: manage.py transform builds them." in without.stdout
    loaded = command(*load)
    assert loaded.returncode == 0, loaded.stderr
    assert f"Built {len(MARTS)} marts in {schema_of(target.dataset)} anew" in loaded.stdout
    again = called("transform")
    assert "are those of the last load, as of 2026-02-01, already." in again
    told = json.loads(called("transform", "--full-refresh", "--json"))
    assert told["built"]
    assert set(told["rows"]) == set(MARTS)


def test_a_transform_that_fails_leaves_the_load(command: Command, target: Target) -> None:
    with target.connect("test") as session:
        marts = schema_of(target.dataset)
        session.execute(f"CREATE SCHEMA {marts}".encode())
        session.execute(f"CREATE TABLE {marts}.mrr_monthly (mine text)".encode())
        session.execute(f"CREATE VIEW {marts}.mine AS TABLE {marts}.mrr_monthly".encode())
    loaded = command("manage.py", "load_faker_data", "--users", "30", "--json")
    assert loaded.returncode == 1
    assert "The load is published. This release gives the mart mrr_monthly" in loaded.stderr
    assert "Traceback" not in loaded.stderr
    assert json.loads(loaded.stdout)["error"].startswith("The load is published.")


def test_nothing_loaded(called: Called) -> None:
    with pytest.raises(CommandError, match=r"Nothing is loaded yet: run manage\.py load_"):
        called("transform")


def test_plain_dbt_by_a_socket(command: Command, tmp_path: Path) -> None:
    dbt = ("-c", "from dbt.cli.main import cli; cli()", "debug", "--log-path", str(tmp_path))
    found = command(*dbt, "--project-dir", "subscriptions/transform")
    assert found.returncode == 0, found.stdout


def test_dbt_through_manage(command: Command, target: Target) -> None:
    """It looks at the project while a load runs, but builds no marts meanwhile."""
    with load_lock(target):
        listed = command("manage.py", "dbt", "ls", "--resource-type", "model", "--quiet")
        refused = command("manage.py", "dbt", "build")
    assert listed.returncode == 0, listed.stderr
    assert set(MARTS) <= {line.rsplit(".", 1)[-1] for line in listed.stdout.split()}
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert f"Another load of {target.dataset} is running" in refused.stderr
    assert command("manage.py", "dbt", "build", "--no-such-option").returncode != 0
    assert project.invoke(target, ["--help"]).success  # an option without a command


def test_a_wait_that_is_none_is_refused(command: Command) -> None:
    refused = command("manage.py", "transform", "--wait", "-1")
    assert refused.returncode == 1
    assert "--wait must be 0 seconds or more" in refused.stderr


def test_a_database_that_is_down_is_told_in_one_line(command: Command) -> None:
    nobody = "postgresql://app:hunter2@127.0.0.1:1/app"
    told = command("manage.py", "dbt", "ls", DATABASE_URL=nobody)
    assert told.returncode == 1
    assert told.stderr.count("\n") == 1
    assert "check that the server in DATABASE_URL is up" in told.stderr
    assert "hunter2" not in told.stderr


def test_a_backfill_ends_with_one_transform(called: Called, target: Target) -> None:
    days = ("--from", "2026-02-01", "--as-of", "2026-02-10")
    called("load_faker_data", "--users", "20", "--backfill", "weekly", *days)
    with target.connect("test") as session:
        transforms = f"SELECT as_of::text FROM {schema_of(target.dataset)}._transform_receipt"
        assert session.execute(transforms.encode()).fetchall() == [("2026-02-10",)]
        loads = f"SELECT count(*) FROM {target.dataset}._load_receipt"
        assert session.execute(loads.encode()).fetchone() == (3,)
