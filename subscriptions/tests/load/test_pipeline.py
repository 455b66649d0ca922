"""Loads beside a second one, on other machines and with other workers, and what they leave."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from dlt.common.runtime import anon_tracker
from dlt.pipeline.pipeline import Pipeline

from subscriptions.extract import PARTITION_USERS, Company
from subscriptions.load.errors import LoadError
from subscriptions.load.lock import load_lock
from subscriptions.load.tables import USAGE
from subscriptions.load.target import Target
from subscriptions.tests.load.conftest import Execute, Run
from subscriptions.tests.load.trouble import DAY, WORKING_DIR, Query, business_rows


def test_a_second_load_is_refused_and_names_the_first(target: Target, run: Run) -> None:
    with load_lock(target):
        says = (
            rf"Another load of {target.dataset} is running \(load_faker_data 20\d\d-.* UTC,"
            rf" process {os.getpid()} on "
        )
        with pytest.raises(LoadError, match=says):
            run()
    assert run(users=3).receipt.stored["user"]["rows"] == 3


def test_a_load_waits_for_another_and_goes_on_from_what_that_has_left(
    target: Target, run: Run, execute: Execute
) -> None:
    holding = threading.Event()

    def load_first() -> None:
        with load_lock(target):
            holding.set()
            execute(Company(seed=7, users=20, epoch=DAY), DAY)

    with ThreadPoolExecutor(1) as beside:
        first = beside.submit(load_first)
        assert holding.wait(60)
        assert run(wait=60).receipt.seed == 7
        assert first.done()


def test_a_load_that_waits_says_so_and_gives_up_in_time(target: Target) -> None:
    said: list[str] = []
    too_long = r"running \(.* on .*\), and did not end within 0.3 s"
    with (
        load_lock(target),
        pytest.raises(LoadError, match=too_long),
        load_lock(target, 0.3, said.append),
    ):
        pass
    waiting = f"Waiting up to 0.3 s for another load of {target.dataset} (load_faker_data 20"
    assert [line[: len(waiting)] for line in said] == [waiting]


def test_a_database_that_cannot_hold_all_names_is_refused(target: Target) -> None:
    with target.connect("test") as session:
        session.execute("DROP DATABASE IF EXISTS load_ascii")
        session.execute(
            "CREATE DATABASE load_ascii ENCODING 'SQL_ASCII' LOCALE 'C'"
            " LOCALE_PROVIDER libc TEMPLATE template0"
        )
        try:
            other = replace(target, parameters=target.parameters | {"dbname": "load_ascii"})
            says = "load_ascii has the encoding SQL_ASCII, and names need UTF8"
            with pytest.raises(LoadError, match=says), load_lock(other):
                pass
        finally:
            session.execute("DROP DATABASE load_ascii")


def test_loads_of_different_datasets_do_not_meet(target: Target) -> None:
    other = replace(target, dataset=f"{target.dataset}_other")
    assert other.folder != target.folder
    with load_lock(target), load_lock(other):
        pass


def test_another_machine_goes_on_with_the_dataset(run: Run, target: Target, query: Query) -> None:
    run(users=20)
    before = business_rows(query)
    shutil.rmtree(WORKING_DIR / target.folder)
    assert run().receipt.users == 20
    assert business_rows(query) == before


def test_two_workers_load_what_one_does(run: Run, query: Query) -> None:
    more_than_a_partition = PARTITION_USERS + 1
    content = "SELECT md5(string_agg(u::text, '' ORDER BY user_id)) FROM ({}) AS u"
    sums = []
    for workers in (1, 2):
        run(users=more_than_a_partition, workers=workers, write_disposition="replace")
        columns = ", ".join(USAGE.columns)
        sums.append(query(content.format(f"SELECT {columns} FROM usage ORDER BY usage_id")))
    assert sums[0] == sums[1]


def test_a_load_that_publishes_nothing_is_not_reported_as_one(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(users=3)
    monkeypatch.setattr(Pipeline, "load", lambda *_arguments, **_named: None)
    with pytest.raises(LoadError, match="without publishing"):
        run()


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
    assert list(Path(WORKING_DIR, target.folder).rglob("*.csv")) == []
