"""A command in a process of its own, which is interrupted when a moment has come."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import psutil
from django.conf import settings

from subscriptions.load.target import Target
from subscriptions.tests.load.trouble import WORKING_DIR

SESSIONS = "FROM pg_stat_activity WHERE application_name LIKE '%%, process ' || %s || ' on %%'"


def ask(target: Target, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    with target.connect("test") as session:
        session.execute(f"SET search_path = {target.dataset}")
        return session.execute(sql, parameters or None).fetchall()


def said_when_interrupted(
    target: Target,
    url: str,
    folder: Path,
    arguments: Sequence[str],
    has_come: Callable[[Target, int], bool],
    number: signal.Signals,
) -> str:
    """Interrupt a command when the moment has come; returns its one line, as it left no trace."""
    with subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ
        | {"DATABASE_URL": url, "DATASET_NAME": target.dataset}
        | {"TMPDIR": str(folder), "PIPELINE_NAME": target.dataset, "DEBUG": "true"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        wait_until(lambda: process.poll() is not None or has_come(target, process.pid))
        children = psutil.Process(process.pid).children(recursive=True)
        seconds, said = interrupt(process, number)
    assert process.returncode == 128 + number
    assert len(said.strip().splitlines()) == 1, said
    assert seconds < 2
    wait_until(lambda: not any(map(lives, children)), patience=5)
    assert list(folder.iterdir()) == []
    wait_until(lambda: ask(target, f"SELECT {SESSIONS}", str(process.pid)) == [], patience=5)
    assert not list((WORKING_DIR / target.folder).glob("*/*/*/*.csv"))
    return said


def lives(process: psutil.Process) -> bool:
    """Whether it runs, rather than waits for somebody to take note of its end."""
    try:
        status: str = process.status()
    except psutil.NoSuchProcess:
        return False
    return status not in {psutil.STATUS_ZOMBIE}


def interrupt(process: subprocess.Popen[str], number: signal.Signals) -> tuple[float, str]:
    """As a terminal does, which all processes in it hear; and again, as the impatient do."""
    sent = time.monotonic()
    os.killpg(process.pid, number)
    time.sleep(0.05)
    if process.poll() is None:
        process.send_signal(number)
    errors: IO[str] | None = process.stderr
    assert errors is not None
    process.wait(timeout=60)
    return time.monotonic() - sent, errors.read()


def wait_until(happened: Callable[[], bool], patience: float = 60) -> None:
    """Wait for something that is sure to come, but not for ever."""
    deadline = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)
