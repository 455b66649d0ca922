"""Plain dbt as people run it: over TCP, with a password of any characters, talking to nobody."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest
from django.conf import settings
from psycopg import sql

from elt_site.environment import read_database
from subscriptions.load import pipeline
from subscriptions.load.request import Request
from subscriptions.load.target import Target
from subscriptions.tests.conftest import AS_OF
from subscriptions.tests.load.own_server import OwnServer
from subscriptions.tests.transform.relay import relay
from subscriptions.transform.project import invoke, variables

DATASET: Final = "plain_dbt"
ROLE: Final = "o'hara é"
PASSWORD: Final = 'p%22 ä/#?@:+&=\\"€'

# dbt, and a line on stderr for each connection that Python opens or looks a name up for. Those to
# PostgreSQL are libpq's own, which Python does not see.
WATCHED: Final = """
import sys

def watch(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname"}:
        print("WATCHED", event, file=sys.stderr, flush=True)
        raise ConnectionRefusedError(event)

sys.addaudithook(watch)
from dbt.cli.main import cli
cli()
"""
Dbt = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def url(own_server: OwnServer) -> Iterator[str]:
    """A dataset's database over TCP, for a role of its own that has to name its password."""
    target = own_server.target(DATASET)
    with target.connect("test") as session:
        session.execute(
            sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}").format(
                sql.Identifier(ROLE), sql.Literal(PASSWORD)
            )
        )
        ((file, socket),) = session.execute(
            "SELECT current_setting('hba_file'), current_setting('unix_socket_directories')"
        ).fetchall()
        rules = Path(file).read_text(encoding="utf-8")
        asked = f'local all "{ROLE}" scram-sha-256\n'
        Path(file).write_text(asked + rules, encoding="utf-8")
        session.execute("SELECT pg_reload_conf()")
    pipeline.run(
        target, Request(users=20, as_of=AS_OF), settings.LOCAL_DIR / "dlt", lambda _line: None
    )
    with relay(Path(socket.strip('"')) / ".s.PGSQL.5432") as port:
        who = f"{quote(ROLE, safe='')}:{quote(PASSWORD, safe='')}"
        yield f"postgresql://{who}@127.0.0.1:{port}/postgres"
    Path(file).write_text(rules, encoding="utf-8")


@pytest.fixture
def dbt(url: str, tmp_path: Path) -> Dbt:
    """Run dbt, watched, from the repository's folder."""

    def called(*arguments: str, query: str = "", **others: str) -> subprocess.CompletedProcess[str]:
        files = {
            "DBT_TARGET_PATH": str(tmp_path / "target"),
            "DBT_LOG_PATH": str(tmp_path / "logs"),
        }
        return subprocess.run(
            [sys.executable, "-c", WATCHED, *arguments, "--project-dir", "subscriptions/transform"],
            cwd=settings.BASE_DIR,
            env=os.environ
            | {"DATABASE_URL": url + query, "DATASET_NAME": DATASET, "HOME": str(tmp_path)}
            | files
            | others,
            capture_output=True,
            text=True,
            check=False,
        )

    return called


def test_it_builds_over_tcp_and_talks_to_nobody_else(
    dbt: Dbt, own_server: OwnServer, tmp_path: Path
) -> None:
    built = dbt("build", query="?sslmode=disable")
    assert built.returncode == 0, built.stdout
    assert "ERROR=0" in built.stdout
    assert "WATCHED" not in built.stderr
    with own_server.target(DATASET).connect("test") as session:
        query = f"SELECT count(*) FROM {DATASET}_marts.customer_lifetime"
        assert session.execute(query.encode()).fetchone() == (20,)
    # Whatever else it writes down of its profile.
    secrets = (PASSWORD.encode(), quote(PASSWORD, safe="").encode())
    for file in filter(Path.is_file, tmp_path.rglob("*")):
        assert not any(secret in file.read_bytes() for secret in secrets), file
    assert {path.name for path in tmp_path.iterdir()} == {"target", "logs"}  # nothing at home


def test_what_it_is_told_otherwise_is_heeded(dbt: Dbt, tmp_path: Path) -> None:
    shutil.copy(settings.BASE_DIR / "profiles.yml", tmp_path)  # beside which it then writes an id
    others = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "true", "DBT_PROFILES_DIR": str(tmp_path)}
    told = dbt("debug", query="?sslmode=require", **others)
    assert told.returncode != 0
    assert "server does not support SSL" in told.stdout
    assert "WATCHED" in told.stderr  # the statistics that the project turns off


def test_a_transform_tells_dbt_what_the_url_says(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target = replace(Target.of(read_database(url)), dataset=DATASET, pipeline=DATASET)
    for name, value in variables(target).items():
        monkeypatch.setenv(name, value)
    assert invoke(target, ["compile", "--select", "stg_plans", "--quiet"]).success
