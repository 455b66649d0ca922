"""The answer key as a person or a script meets it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from subscriptions.answers import csv_files
from subscriptions.answers.key import answers
from subscriptions.answers.marts import MARTS
from subscriptions.answers.recorded import recorded
from subscriptions.answers.truth import Truth
from subscriptions.load.target import Target
from subscriptions.tests.conftest import AS_OF

pytestmark = pytest.mark.usefixtures("dataset")

Answer = Callable[..., str]


@pytest.fixture
def answer() -> Answer:
    """Run the command in this process; what it prints."""

    def run(*arguments: str) -> str:
        stdout = io.StringIO()
        call_command("answer_key", *arguments, stdout=stdout)
        return stdout.getvalue()

    return run


@pytest.fixture
def truth(dataset: Any) -> Truth:
    target = Target.from_settings()
    with target.connect("test") as session:
        return recorded(session, target.dataset).truth()


def test_a_table_has_the_first_rows_of_every_mart_and_how_many_more(
    answer: Answer, truth: Truth
) -> None:
    lines = answer().splitlines()
    assert lines[0] == (
        f"The answer key of the company of seed 42, 1,000 users at its epoch {AS_OF}, as of "
        f"{AS_OF}."
    )
    for mart in MARTS.values():
        rows = len(answers(mart, truth))
        place = lines.index(f"{mart.name}: {rows:,} rows")
        assert lines[place + 1].split() == list(mart.columns)
        shown = lines[place + 2 : lines.index("", place)]
        if rows > 5:
            assert shown.pop() == f"  ... {rows - 5:,} more"
        assert len(shown) == min(rows, 5)


def test_readme_shows_what_it_prints(answer: Answer) -> None:
    readme = (settings.BASE_DIR / "README.md").read_text(encoding="utf-8")
    assert f"\n```\n{answer('--mart', 'churn_monthly').rstrip()}\n```\n" in readme


def test_all_rows_are_shown_if_asked_for(answer: Answer) -> None:
    every = answer("--mart", "churn_monthly", "--verbosity", "2", "--as-of", "2025-03-10")
    assert " more" not in every
    assert "churn_monthly: 8 rows" in every
    assert "as of 2025-03-10." in every
    assert every.splitlines()[-2].split()[:2] == ["2025-03-01", "2025-03-10"]


def test_csv_is_one_mart_that_reads_back_as_it_is(
    answer: Answer, truth: Truth, tmp_path: Any
) -> None:
    for name in ("customer_lifetime", "churn_monthly"):
        text = answer("--mart", name, "--format", "csv", "--verbosity", "0")
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert csv_files.read(tmp_path / name, MARTS[name]) == answers(MARTS[name], truth)


def test_json_is_one_object_of_lists_with_numbers_and_dates(answer: Answer, truth: Truth) -> None:
    found = json.loads(answer("--format", "json"))
    assert {name: len(rows) for name, rows in found.items()} == {
        name: len(answers(mart, truth)) for name, mart in MARTS.items()
    }
    first = found["churn_monthly"][0]
    assert list(first) == list(MARTS["churn_monthly"].columns)
    assert (first["month"], first["opening_mrr"]) == ("2024-08-01", 0)
    assert first["customer_churn_rate"] is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--mart", "mrr"], "There is no mart 'mrr': use one of mrr_monthly, mrr_movements, cust"),
        (["--format", "csv"], "A CSV file holds one mart: name it with --mart."),
        (["--format", "xml"], "Unknown format 'xml': use table, csv, json."),
        (["--as-of", "May"], "--as-of must be a date such as 2026-01-31, not 'May'."),
        (["--as-of", "2024-07-31"], "The company opened on 2024-08-01, so there is nothing as of"),
        (["--as-of", "2999-01-01"], "A company with 1,000 users on 2026-11-23 runs out of 32-bit"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    arguments: list[str], sentence: str, answer: Answer
) -> None:
    with pytest.raises(CommandError) as refusal:
        answer(*arguments)
    assert str(refusal.value).startswith(sentence)
    assert "\n" not in str(refusal.value)


def start(database_url: str, dataset: str) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    own = {"DATABASE_URL": database_url, "DATASET_NAME": dataset, "DEBUG": "true"}
    return subprocess.Popen(
        [sys.executable, "manage.py", "answer_key"],
        cwd=settings.BASE_DIR,
        env=os.environ | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_without_a_load_it_says_what_to_run(database_url: str) -> None:
    with start(database_url, "never_loaded") as process:
        stdout, stderr = process.communicate()
    assert (process.returncode, stdout) == (1, "")
    assert stderr == "CommandError: There is no never_loaded yet: run load_faker_data first.\n"


def test_ctrl_c_ends_it_with_a_sentence(database_url: str) -> None:
    target = Target.from_settings()
    with target.connect("test") as holder, holder.transaction():
        holder.execute(f'LOCK TABLE "{target.dataset}"._load_receipt IN ACCESS EXCLUSIVE MODE')
        with start(database_url, target.dataset) as process:
            waiting = (
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name LIKE 'answer%'"
            )
            with target.connect("test") as watcher:
                while watcher.execute(waiting).fetchone() == (0,) and process.poll() is None:
                    time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout, stderr) == (130, "", "Interrupted.\n")
