"""Real servers: what they log holds no credentials, and whose word they take."""

import http.client
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo
from pytest_django import DjangoDbBlocker

from elt_site.redaction import StripQueryStrings
from elt_site.tests.conftest import PRODUCTION, clean_environment

SECRET = "hunter2"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ask(port: int, path: str, **headers: str) -> int:
    """One request's status; waits for a server that is starting."""
    for _ in range(200):
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as client:
                client.request("GET", path, headers=headers)
                return client.getresponse().status
        except ConnectionRefusedError:
            time.sleep(0.1)
    pytest.fail("the server did not start")


@contextmanager
def serving(log: Path, *command: str, **variables: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A server process whose whole output goes to a file."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=settings.BASE_DIR,
            env=clean_environment(**variables),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)


def test_gunicorn_logs_no_query_string(tmp_path: Path) -> None:
    log, port = tmp_path / "log", free_port()
    command = ("-m", "gunicorn", "elt_site.wsgi")
    with serving(log, *command, **PRODUCTION, PORT=str(port), WEB_CONCURRENCY="1"):
        path = f"/nowhere?username=a&password={SECRET}"
        ask(port, path, Host="api.example.com", Referer=f"http://x/?password={SECRET}")
        # A host that is not allowed is logged by Django, a broken request by gunicorn.
        ask(port, path, Host="evil.example.com")
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(f"GET /nowhere?password={SECRET} oops\r\n\r\n".encode())
            client.recv(1000)
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(f"GET /nowhere?password=my {SECRET} HTTP/1.1\r\n\r\n".encode())
            client.recv(1000)
        # What is percent-encoded whole is a path; and a path may try to forge a line of the log.
        ask(port, f"/nowhere%3Fusername=a&password={SECRET}", Host="api.example.com")
        ask(port, "/nowhere%0Aforged%20line", Host="api.example.com")
    written = log.read_text()
    assert "\nforged" not in written
    assert '"GET /nowhere" 301' in written
    assert SECRET not in written


def test_runserver_logs_no_query_string(tmp_path: Path) -> None:
    log, port = tmp_path / "log", free_port()
    with serving(log, "manage.py", "runserver", "--noreload", "--skip-checks", str(port)):
        assert ask(port, f"/nowhere?username=a&password={SECRET}") == 404
        # The line is written when the answer has been sent, to a server about to be stopped.
        deadline = time.monotonic() + 10
        while not re.search(r"GET /nowhere\?… HTTP/1.1. 404", log.read_text()):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
    written = log.read_text()
    assert SECRET not in written


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('"GET /users?username=a&password=b HTTP/1.1" 200', '"GET /users?… HTTP/1.1" 200'),
        ("Really? Yes.", "Really? Yes."),
        ("100 % of /users", "100 % of /users"),
        ("GET /users?password=pa'Sec ret HTTP/1.1", "GET /users?… HTTP/1.1"),
        ("Error handling request /users?password=x<Secret", "Error handling request /users?…"),
        ("Not Found: /users/elt_" + "a" * 43, "Not Found: /users/elt_…"),
        (
            "cannot connect to postgresql://app:hunter2@db/app",
            "cannot connect to postgresql://…@db/app",
        ),
        (
            "Invalid HTTP_HOST header: 'analyst:hunter2@host'.",
            "Invalid HTTP_HOST header: '…@host'.",
        ),
        (
            "Invalid request from ip=127.0.0.1: Invalid HTTP Version: 'SECRET HTTP/1.1'",
            "Invalid request from ip=127.0.0.1: …",
        ),
    ],
)
def test_a_message_loses_its_query_strings_only(message: str, expected: str) -> None:
    record = logging.LogRecord("name", logging.INFO, "path", 1, message, None, None)
    assert StripQueryStrings().filter(record)
    assert record.getMessage() == expected


def test_a_traceback_keeps_its_code_and_loses_what_its_message_repeats() -> None:
    def fail() -> None:
        raise RuntimeError(f"GET /users?password={SECRET}\nelt_{'a' * 43}")  # or is it? yes

    try:
        fail()
    except RuntimeError:
        record = logging.LogRecord("name", logging.ERROR, "path", 1, "x", None, sys.exc_info())
    assert StripQueryStrings().filter(record)
    text = logging.Formatter("{message}", style="{").format(record)
    assert "# or is it? yes" in text
    assert text.endswith("RuntimeError: GET /users?…\nelt_…")


@pytest.mark.parametrize(("proxies", "status"), [("0", 301), ("1", 404)])
def test_a_proxy_is_believed_only_where_there_is_one(
    tmp_path: Path, proxies: str, status: int
) -> None:
    port = free_port()
    environment = PRODUCTION | {"PORT": str(port), "WEB_CONCURRENCY": "1", "NUM_PROXIES": proxies}
    with serving(tmp_path / "log", "-m", "gunicorn", "elt_site.wsgi", **environment):
        hello = {"Host": "api.example.com", "X-Forwarded-Proto": "https"}
        assert ask(port, "/nowhere", **hello) == status


def test_gunicorn_refuses_a_wrong_configuration_in_one_line() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "gunicorn", "elt_site.wsgi"],
        cwd=settings.BASE_DIR,
        env=clean_environment(**PRODUCTION | {"SECRET_KEY": ""}, PORT=str(free_port())),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode != 0
    assert "With DEBUG off, set SECRET_KEY " in result.stderr
    assert "Traceback" not in result.stderr


NOWHERE = {"DATABASE_URL": "postgresql://app:secret@127.0.0.1:1/app", "DEBUG": "true"}
SESSION = {"Cookie": f"sessionid={'a' * 32}"}


def test_runserver_makes_what_signing_in_needs(
    tmp_path: Path, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock():
        wanted = connection.get_connection_params()
    own = {name: wanted.get(name) or "" for name in ("host", "port", "user", "password", "dbname")}
    url = "postgresql://{user}:{password}@{host}:{port}/fresh_site".format(
        **own | {"host": quote(own["host"], safe="")}
    )
    log, port = tmp_path / "log", free_port()
    command = ("-u", "manage.py", "runserver", "--noreload", "--skip-checks", str(port))
    with psycopg.connect(make_conninfo(**own), autocommit=True) as session:
        session.execute("DROP DATABASE IF EXISTS fresh_site")
        session.execute("CREATE DATABASE fresh_site")
        try:
            with serving(log, *command, DATABASE_URL=url, DEBUG="true"):
                assert ask(port, "/admin/", **SESSION) == 302  # to the sign-in
        finally:
            session.execute("DROP DATABASE fresh_site WITH (FORCE)")
    written = log.read_text()
    assert "Django's own tables have been made.\nSo has the administrator, admin." in written
    assert "unapplied migration" not in written


def test_without_a_database_pages_are_a_503_and_the_log_has_a_line_for_each(tmp_path: Path) -> None:
    log, port = tmp_path / "log", free_port()
    command = ("-u", "manage.py", "runserver", "--noreload", "--skip-checks", str(port))
    with serving(log, *command, **NOWHERE):
        assert ask(port, "/admin/", **SESSION) == 503
        assert ask(port, "/plans", Authorization="Basic YWRtaW46YWRtaW4=") == 503
    written = log.read_text()
    assert "Traceback" not in written
    assert re.search(r"^Until the database answers, pages are a 503: .*refused", written, re.M)
    for path in ("/admin/", "/plans"):
        lines = [line for line in written.splitlines() if f"Service Unavailable: {path}: " in line]
        assert len(lines) == 1, written
        assert "refused" in lines[0]
