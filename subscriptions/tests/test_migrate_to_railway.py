"""The migration as a person meets it: in a process of its own, by what it prints and returns."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings

from elt_site.environment import read_database
from elt_site.tests.conftest import clean_environment
from subscriptions.load import pipeline, receipt
from subscriptions.load.request import Request
from subscriptions.load.target import Target
from subscriptions.tests.clusters import Cluster
from subscriptions.tests.conftest import AS_OF
from subscriptions.tests.test_load_faker_data import wait_until

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def source(target: Target) -> Target:
    """A dataset of 50 users in the test database."""
    request = Request(users=50, as_of=AS_OF)
    pipeline.run(target, request, settings.LOCAL_DIR / "dlt", lambda _line: None)
    return target


@pytest.fixture
def railway(target: Target, other_server: Cluster) -> Iterator[Target]:
    """The dataset of the same name on the other server, which is dropped afterwards."""
    end = replace(Target.of(read_database(other_server.url())), dataset=target.dataset)
    yield end
    with end.connect("test") as session:
        session.execute(f"DROP SCHEMA IF EXISTS {end.dataset}, {end.dataset}_staging CASCADE")


@pytest.fixture
def variables(
    target: Target, database_url: str, railway: Target, other_server: Cluster
) -> dict[str, str]:
    """What a person sets: both ends and the dataset's name, and nothing that serves need."""
    return clean_environment(
        LOCAL_DATABASE_URL=database_url,
        RAILWAY_DATABASE_URL=other_server.url(),
        DATASET_NAME=target.dataset,
    )


@pytest.fixture
def command(variables: dict[str, str]) -> Command:
    """Run `manage.py migrate_to_railway`, with other variables if any are named."""

    def run(*arguments: str, **others: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", "migrate_to_railway", *arguments],
            cwd=settings.BASE_DIR,
            env=variables | others,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def schema(end: Target) -> object:
    """The oid of an end's dataset, or None."""
    with end.connect("test") as session:
        (found,) = session.execute("SELECT to_regnamespace(%s)::oid", [end.dataset]).fetchall()
    return found[0]


@pytest.mark.usefixtures("source")
def test_it_shows_both_ends_row_for_row(command: Command, railway: Target) -> None:
    first = command()
    assert (first.returncode, first.stderr) == (0, "")
    for line in (
        r"from +\S+ \(PostgreSQL \d+\)",
        r"to +\S+ \(PostgreSQL \d+\)",
        r"plan +5  (\w{16}) +5  \1\n",
        r"user +50  (\w{16}) +50  \1\n",
        r"subscription +86  (\w{16}) +86  \1\n",
        r"usage +250  (\w{16}) +250  \1\n",
        rf"Copied the company of seed 42, 50 users at its epoch {AS_OF}, as of {AS_OF}",
    ):
        assert re.search(line, first.stdout), line
    second = command("--with-history")
    assert second.returncode == 0
    assert "Nothing had to be copied, and nothing was changed" in second.stdout


@pytest.mark.usefixtures("source")
def test_a_target_that_comes_out_different_is_an_error(
    command: Command, other_server: Cluster, railway: Target
) -> None:
    assert command().returncode == 0
    with railway.connect("test") as session:
        # As soon as the load is done, somebody changes the target.
        session.execute(
            f"""
            CREATE FUNCTION {railway.dataset}.meddle() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN UPDATE {railway.dataset}.plan SET max_users = '3' WHERE plan_id = 1; RETURN NULL;
            END $$;
            CREATE TRIGGER meddle AFTER UPDATE OF finished_at ON {railway.dataset}._load_receipt
            FOR EACH STATEMENT EXECUTE FUNCTION {railway.dataset}.meddle();
            DELETE FROM {railway.dataset}.usage;
        """.encode()
        )
    result = command()
    assert result.returncode == 1
    assert result.stderr == (
        "CommandError: plan: the target is not what the source is; run this again.\n"
    )


REFUSALS = {
    "no target": ({"RAILWAY_DATABASE_URL": ""}, "Set RAILWAY_DATABASE_URL to the URL of"),
    "no source": (
        {"LOCAL_DATABASE_URL": "", "LOCAL_DIR": "/nonexistent"},
        "There is nothing to copy: LOCAL_DATABASE_URL is not set",
    ),
    "bad target": (
        {"RAILWAY_DATABASE_URL": "mysql://u:p@h/x"},
        "RAILWAY_DATABASE_URL must read like postgresql://",
    ),
    "target away": (
        {"RAILWAY_DATABASE_URL": "postgresql://u:secret@127.0.0.1:1/x"},
        "check that the server in RAILWAY_DATABASE_URL is up",
    ),
    "source away": (
        {"LOCAL_DATABASE_URL": "postgresql://u:secret@127.0.0.1:1/x"},
        "check that the server in LOCAL_DATABASE_URL is up",
    ),
    "no dataset": ({}, "There is no load_test_"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_is_one_sentence(command: Command, railway: Target, case: str) -> None:
    others, says = REFUSALS[case]
    result = command(**others)
    assert result.returncode == 1
    assert result.stdout == ""
    assert says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert "secret" not in result.stderr
    assert schema(railway) is None


def test_the_same_database_by_another_name_is_told(command: Command, database_url: str) -> None:
    result = command(RAILWAY_DATABASE_URL=f"{database_url}?connect_timeout=3")
    assert result.returncode == 1
    assert "lead to the same database" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr


def test_rights_that_lack_at_either_end_are_told(
    command: Command, database_url: str, other_server: Cluster, source: Target, railway: Target
) -> None:
    stranger = re.sub("//[^@]*@", "//stranger:unknown@", database_url)
    with source.connect("test") as here, railway.connect("test") as there:
        here.execute("CREATE ROLE stranger LOGIN PASSWORD 'unknown'")
        there.execute("CREATE ROLE stranger LOGIN")
        try:
            unread = command(LOCAL_DATABASE_URL=stranger)
            # To read is all that it takes at the source.
            here.execute(f"GRANT USAGE ON SCHEMA {source.dataset} TO stranger".encode())
            here.execute(
                f"GRANT SELECT ON ALL TABLES IN SCHEMA {source.dataset} TO stranger".encode()
            )
            unmade = command(
                LOCAL_DATABASE_URL=stranger, RAILWAY_DATABASE_URL=other_server.url("stranger")
            )
        finally:
            for session in (here, there):
                session.execute("DROP OWNED BY stranger")
                session.execute("DROP ROLE stranger")
    assert "The database in LOCAL_DATABASE_URL says: permission denied" in unread.stderr
    assert "let the user read" in unread.stderr
    assert "The database in RAILWAY_DATABASE_URL says: permission denied" in unmade.stderr
    assert "let the user CREATE" in unmade.stderr
    for result in (unread, unmade):
        assert result.returncode == 1
        assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert schema(railway) is None


@contextmanager
def kept_from_readers(source: Target) -> Iterator[Callable[[], None]]:
    """The source's usage is locked, or about to be; the block gets what lets readers in again."""
    released = threading.Event()

    def lock(holder: psycopg.Connection[Any]) -> None:
        with suppress(psycopg.errors.QueryCanceled), holder.transaction():
            holder.execute(f"LOCK {source.dataset}.usage".encode())
            released.wait()

    def release() -> None:
        released.set()
        holder.cancel_safe()
        thread.join()

    with source.connect("test") as holder:
        thread = threading.Thread(target=lock, args=(holder,))
        thread.start()
        try:
            yield release
        finally:
            release()


@pytest.mark.parametrize(
    ("how", "phase", "waiting"),
    [
        (signal.SIGINT, "Comparing", 1),
        # The lock has to wait for the comparison's snapshot, and the copy for the lock.
        (signal.SIGTERM, "Copying ", 2),
    ],
)
def test_an_interrupt_leaves_nothing_behind(
    source: Target,
    railway: Target,
    variables: dict[str, str],
    tmp_path: Path,
    how: signal.Signals,
    phase: str,
    waiting: int,
) -> None:
    with ExitStack() as held:
        if phase == "Comparing":
            held.enter_context(kept_from_readers(source))
        process = held.enter_context(
            subprocess.Popen(
                [sys.executable, "-u", "manage.py", "migrate_to_railway"],
                cwd=settings.BASE_DIR,
                env=variables | {"TMPDIR": str(tmp_path)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        assert process.stdout is not None
        while not re.match(rf"{phase}.*\.\.\.$", process.stdout.readline()):
            assert process.poll() is None
        if phase != "Comparing":
            held.enter_context(kept_from_readers(source))
        wait_until(lambda: _waiting(source) == waiting)
        process.send_signal(how)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + how
    assert said.startswith("Interrupted.")
    assert len(said.strip().splitlines()) == 1, said
    assert list(tmp_path.iterdir()) == []
    with railway.connect("test") as session:
        assert receipt.latest(session, railway.dataset) is None
        left = "SELECT to_regnamespace(%s)"
        assert session.execute(left, [f"{railway.dataset}_staging"]).fetchone() == (None,)


def _waiting(source: Target) -> int:
    """How many sessions wait for a lock."""
    with source.connect("test") as session:
        (count,) = session.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchall()[0]
    return int(count)
