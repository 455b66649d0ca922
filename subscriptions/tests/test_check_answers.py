"""Marts held against the answer key, as a person or a script meets it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from pytest_django import DjangoDbBlocker

from subscriptions.answers.marts import MARTS
from subscriptions.load import pipeline
from subscriptions.load.request import Request
from subscriptions.load.target import Target
from subscriptions.tests.conftest import TRANSFORMED
from subscriptions.transform.run import run as transform

Ask = Callable[..., list[tuple[Any, ...]]]

NAME = TRANSFORMED
AS_OF = date(2026, 3, 10)


@pytest.fixture(scope="module")
def loaded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Target]:
    """A small company with its marts, which a test may change as long as it changes them back."""
    with django_db_blocker.unblock():
        target = replace(Target.from_settings(), dataset=NAME, pipeline=NAME)
    _load(target, users=40, as_of=AS_OF)
    transform(target, lambda _line: None)
    yield target
    with target.connect("test") as session:
        session.execute(f"DROP SCHEMA {NAME}, {NAME}_marts CASCADE".encode())


def _load(target: Target, **named: object) -> None:
    request = Request(**named)  # type: ignore[arg-type]
    pipeline.run(target, request, settings.LOCAL_DIR / "dlt", lambda _line: None)


@pytest.fixture
def ask(loaded: Target) -> Iterator[Ask]:
    """SQL in the marts' schema, committed at once."""
    with loaded.connect("test") as session:
        session.execute(f"SET search_path = {NAME}_marts".encode())

        def execute(sql: str) -> list[tuple[Any, ...]]:
            cursor = session.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

        yield execute


@pytest.fixture
def check(loaded: Target, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, object]]:
    """Run the command in this process: what it prints, and its exit code."""
    monkeypatch.setattr(settings, "DATASET_NAME", NAME)

    def run(*arguments: str) -> tuple[str, object]:
        stdout = io.StringIO()
        code: object = 0
        try:
            call_command("check_answers", *arguments, stdout=stdout)
        except SystemExit as end:
            code = end.code
        return stdout.getvalue(), code

    return run


Check = Callable[..., tuple[str, object]]


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


def test_marts_as_they_have_to_be_are_a_line_each(check: Check) -> None:
    text, code = check()
    assert code == 0
    assert "against the answer key of the company of seed 42, 40 users" in text
    assert [line.split()[0] for line in lines_of(text) if "all right" in line] == list(MARTS)
    assert text.endswith("\nEvery row is as it should be.\n")
    text, code = check("--mart", "churn_monthly")
    assert code == 0
    assert text.count("all right") == 1


def test_differences_say_where_and_how_much_and_exit_with_1(check: Check, ask: Ask) -> None:
    ask("CREATE TABLE kept AS SELECT * FROM churn_monthly")
    ask("UPDATE churn_monthly SET opening_mrr = opening_mrr + 1.50 WHERE month = '2026-02-01'")
    ask("DELETE FROM churn_monthly WHERE month = '2026-01-01'")
    ((opening,),) = ask("SELECT opening_mrr FROM kept WHERE month = '2026-02-01'")
    try:
        text, code = check()
        script, _ = check("--json")
        silent, _ = check("--verbosity", "0")
    finally:
        ask("DELETE FROM churn_monthly")
        ask("INSERT INTO churn_monthly SELECT * FROM kept")
        ask("DROP TABLE kept")
    assert (code, silent) == (1, "")
    found = lines_of(text)
    assert "month 2026-01-01: this row is missing" in found
    more = opening + Decimal("1.50")
    off = f"opening_mrr is {more} instead of {opening}, off by +1.50"
    assert f"month 2026-02-01: {off}" in found
    assert text.count("all right") == len(MARTS) - 1
    assert text.endswith("\n2 differences.\n")
    report = json.loads(script)
    assert (report["as_of"], report["differences"]) == (AS_OF.isoformat(), 2)
    first = report["marts"]["churn_monthly"]["differences"][0]
    assert first == {"key": {"month": "2026-01-01"}, "says": "this row is missing"}


def test_many_differences_are_counted_after_the_first_20(check: Check, ask: Ask) -> None:
    ((count,),) = ask("SELECT count(*) FROM usage_daily")
    ask("UPDATE usage_daily SET actions = actions + 1")
    try:
        text, _ = check("--mart", "usage_daily")
        every, _ = check("--mart", "usage_daily", "--verbosity", "2")
    finally:
        ask("UPDATE usage_daily SET actions = actions - 1")
    assert text.count("off by +1") == 20
    assert f"... {count - 20:,} more (--verbosity 2 shows all)" in text
    assert text.endswith(f"\n{count:,} differences.\n")
    assert every.count("off by +1") == count
    assert " more" not in every


def test_marts_of_another_load_none_at_all_and_of_other_columns_are_one_sentence(
    check: Check, ask: Ask
) -> None:
    ask("UPDATE _transform_receipt SET load_id = '0'")
    with pytest.raises(CommandError) as other:
        check()
    ((load_id,),) = ask(f"SELECT _dlt_load_id FROM {NAME}._load_receipt")
    ask(f"UPDATE _transform_receipt SET load_id = '{load_id}'")
    assert str(other.value) == (
        f"The marts in {NAME}_marts are of another load (as of {AS_OF}) than the dataset's last "
        f"(as of {AS_OF}): run manage.py transform."
    )
    ask("ALTER TABLE churn_monthly RENAME measured_on TO measured")
    with pytest.raises(CommandError) as lacking:
        check()
    ask("ALTER TABLE churn_monthly RENAME measured TO measured_on")
    assert 'column "measured_on" does not exist; run manage.py transform' in str(lacking.value)
    ask(f"ALTER SCHEMA {NAME}_marts RENAME TO {NAME}_away")
    try:
        with pytest.raises(CommandError) as none:
            check()
    finally:
        ask(f"ALTER SCHEMA {NAME}_away RENAME TO {NAME}_marts")
    assert str(none.value) == f"There are no marts in {NAME}_marts yet: run manage.py transform."


def test_marts_that_are_built_anew_meanwhile_are_not_judged(
    check: Check, ask: Ask, loaded: Target
) -> None:
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name LIKE 'check_answers%' AND wait_event_type = 'Lock'"
    )
    with ThreadPoolExecutor(1) as beside, loaded.connect("test") as builder:
        with builder.transaction():
            builder.execute(
                f"LOCK TABLE {NAME}_marts.mrr_movements IN ACCESS EXCLUSIVE MODE".encode()
            )
            checking = beside.submit(check)
            while ask(waiting) == [(0,)] and not checking.done():
                time.sleep(0.02)
            builder.execute(f"UPDATE {NAME}_marts._transform_receipt SET built_at = now()".encode())
        failure = checking.exception()
    assert str(failure) == f"{NAME}_marts was built anew while it was being read: run this again."


def csv_of(mart: str) -> list[str]:
    """The lines of the answer key's own CSV."""
    stdout = io.StringIO()
    call_command("answer_key", "--mart", mart, "--format", "csv", stdout=stdout)
    return stdout.getvalue().splitlines()


def test_a_file_is_checked_in_place_of_the_stored_mart(
    check: Check, ask: Ask, tmp_path: Path
) -> None:
    path = tmp_path / "mine.csv"
    header, *lines = csv_of("referral_performance")
    path.write_text("\n".join([header, *lines]), encoding="utf-8")
    text, code = check("--csv", str(path), "--mart", "referral_performance")
    assert code == 0
    assert f"Checking referral_performance in {path} against" in text

    cells = lines[0].split(",")
    users, cells[1] = int(cells[1]), str(int(cells[1]) + 2)
    path.write_text("\n".join([header, ",".join(cells), *lines[1:-1]]), encoding="utf-8")
    text, code = check("--csv", str(path), "--mart", "referral_performance")
    assert code == 1
    assert lines_of(text)[-4:] == [
        f"referral_source 'paid ads': users is {users + 2} instead of {users}, off by +2",
        "referral_source 'web search': this row is missing",
        "",
        "2 differences.",
    ]


def test_a_file_that_is_none_or_is_not_said_what_of_is_one_sentence(
    check: Check, tmp_path: Path
) -> None:
    path = tmp_path / "mine.csv"
    (header, *_) = csv_of("churn_monthly")
    path.write_text(header + "\n", encoding="utf-8")
    for arguments, sentence in (
        (["--csv", str(path)], "Name with --mart which mart the file holds."),
        (["--csv", str(path), "--mart", "churn_monthly"],
         f"There are no rows in {path}, where there should be 19."),
        (["--csv", str(path), "--mart", "usage_daily"], f"{path} lacks usage_date, plan_id"),
        (["--csv", f"{path}.gone", "--mart", "churn_monthly"], f"{path}.gone cannot be read: No "),
        (["--mart", "arr"], "There is no mart 'arr': use one of mrr_monthly"),
    ):  # fmt: skip
        with pytest.raises(CommandError) as refusal:
            check(*arguments)
        assert str(refusal.value).startswith(sentence)
        assert "\n" not in str(refusal.value)
        assert refusal.value.returncode == 2


def test_from_a_shell_a_failure_is_one_line_and_2(database_url: str) -> None:
    own = {"DATABASE_URL": database_url, "DATASET_NAME": "never_loaded", "DEBUG": "true"}
    result = subprocess.run(
        [sys.executable, "manage.py", "check_answers", "--json"],
        cwd=settings.BASE_DIR,
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
    )
    sentence = "There is no never_loaded yet: run load_faker_data first."
    assert (result.returncode, result.stderr) == (2, f"CommandError: {sentence}\n")
    assert json.loads(result.stdout) == {"error": sentence}
