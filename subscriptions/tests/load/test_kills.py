"""Loads that are killed, and loads whose server is: after a re-run it is as if nothing had been."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import cycle
from pathlib import Path

import pytest

from subscriptions.load import clock, receipt
from subscriptions.load.checks.history import HISTORY
from subscriptions.load.checks.run import findings
from subscriptions.load.pipeline import run
from subscriptions.load.request import Request
from subscriptions.load.tables import DISPOSITIONS, Disposition
from subscriptions.load.target import Target
from subscriptions.load.verification import verify
from subscriptions.tests.load.moments import BEFORE_THE_PACKAGE, MOMENTS, right_after
from subscriptions.tests.load.own_server import OwnServer
from subscriptions.tests.load.trouble import (
    DAY,
    USERS,
    WORKING_DIR,
    Rows,
    business_rows,
    damage,
    failure_of,
    load,
    loaded_again,
    querying,
)

DROPPED = "The load before this one was interrupted; what it had not published is dropped."
PUBLISHED = "The load before this one was interrupted after its data had been published."
# Each moment under one disposition, in turn: every one meets several moments of every phase.
TURNS = list(zip(MOMENTS, cycle([None, *DISPOSITIONS]), strict=False))
# Some of each phase: what an advance does is less than what a load does, in the same steps.
OF_AN_ADVANCE = [
    "resolved",
    "changes found",
    "extracted",
    "one job copied, 2",
    "commit 3",
    "staged",
    "noted, not published",
    "published, not committed",
    "committed, dlt knows nothing of it",
    "done, but for its note",
]

Kill = Callable[..., None]


@pytest.fixture(scope="module")
def kill_load() -> Iterator[Kill]:
    """Run a load in a process that kills itself."""
    with subprocess.Popen(
        [sys.executable, "-m", "subscriptions.tests.load.dying_load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as warm:
        orders, answers = warm.stdin, warm.stdout
        assert orders is not None
        assert answers is not None

        def kill(
            target: Target,
            moment: str,
            disposition: Disposition | None,
            advance: str | None = None,
        ) -> None:
            order = {
                "advance": advance,
                "target": asdict(target),
                "users": USERS,
                "as_of": str(DAY),
                "disposition": disposition,
                "working_dir": str(WORKING_DIR),
                "moment": moment,
            }
            print(json.dumps(order), file=orders, flush=True)
            assert int(answers.readline()) == -signal.SIGKILL

        yield kill
        orders.close()


def is_made_up_for(
    target: Target, good: Rows, kill: Kill, moment: str, disposition: Disposition | None
) -> None:
    """Assert that a kill and a re-run together leave what one load does, and that it says so."""
    with target.connect("test") as session:
        there = session.execute("SELECT to_regnamespace(%s)", (target.dataset,)).fetchone()
    if there == (None,):
        load(target)
    receipts = "SELECT count(*), count(finished_at) FROM _load_receipt"
    with querying(target) as query:
        damage(query)
        before = business_rows(query)
        ((loads, _),) = query(receipts)
    after = loaded_again(good, before, disposition)
    assert after != before
    kill(target, moment, disposition)
    with querying(target) as query:
        published = query(receipts) != [(loads, loads)]
        assert business_rows(query) == (after if published else before)
    said = load(target, disposition)
    with querying(target) as query:
        assert business_rows(query) == after
        # Its predecessor was published or it was, never both.
        assert query(receipts) == [(loads + 1, loads + 1)]
        schemas = query("SELECT nspname FROM pg_namespace WHERE nspname ~ %s", f"^{target.dataset}")
    assert schemas == [(target.dataset,)]
    assert list(Path(tempfile.gettempdir()).glob(f"load_faker_data-{target.folder}-*")) == []
    told = [line for line in said if "interrupted" in line]
    if published:
        assert told == [PUBLISHED]
    else:
        assert told == ([] if moment in BEFORE_THE_PACKAGE else [DROPPED])


@pytest.mark.parametrize(("moment", "disposition"), TURNS)
def test_a_killed_load_and_a_re_run_are_one_load(
    own_server: OwnServer,
    good: Rows,
    kill_load: Kill,
    moment: str,
    disposition: Disposition | None,
) -> None:
    target = own_server.target(f"killed_{disposition or 'default'}")
    is_made_up_for(target, good, kill_load, moment, disposition)


@pytest.mark.parametrize(("moment", "disposition"), TURNS)
def test_a_load_whose_server_is_killed_and_a_re_run_are_one_load(
    own_server: OwnServer, good: Rows, moment: str, disposition: Disposition | None
) -> None:
    def kill_server(target: Target, moment: str, disposition: Disposition | None) -> None:
        with right_after(moment, own_server.kill):
            says = failure_of(target, disposition)
        own_server.start()
        assert "check that the server in DATABASE_URL is up" in says

    target = own_server.target(f"crashed_{disposition or 'default'}")
    is_made_up_for(target, good, kill_server, moment, disposition)


@pytest.mark.parametrize("moment", OF_AN_ADVANCE)
def test_a_killed_advance_and_a_re_run_are_one_advance(
    own_server: OwnServer, kill_load: Kill, moment: str
) -> None:
    target = own_server.target("killed_advance")
    with target.connect("test") as session:
        if receipt.latest(session, target.dataset) is None:
            load(target)
        before = receipt.latest(session, target.dataset)
    assert before is not None
    kill_load(target, moment, None, advance="1w")
    run(target, Request(advance="1w"), WORKING_DIR, lambda _line: None)
    assert all(result.right for result in verify(target))
    with target.connect("test") as session, session.transaction():
        after = receipt.latest(session, target.dataset)
        assert after is not None
        assert after.as_of == clock.advance(before.as_of, "1w")
        assert [f for f in findings(session, target.dataset, after, HISTORY) if f.violations] == []


def test_what_a_re_run_said_is_not_said_again(
    own_server: OwnServer, good: Rows, kill_load: Kill
) -> None:
    target = own_server.target("killed_default")
    is_made_up_for(target, good, kill_load, "committed, dlt knows nothing of it", None)
    assert [line for line in load(target) if "interrupted" in line] == []
