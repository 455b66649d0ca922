"""Run one command as a fresh process and measure it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LOAD = ("manage.py", "load_faker_data", "--no-transform")
STOP_SECONDS = 20


@dataclass(frozen=True)
class Run:
    """One finished process: when it began, how long it took, and what it printed when."""

    started: float  # on the clock of time.perf_counter
    seconds: float
    cpu_seconds: float  # its children's included
    lines: Sequence[tuple[float, str]]  # on the same clock


def python(
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    on_start: Callable[[int], None] | None = None,
) -> Run:
    """Run this Python with the arguments, from the start of the interpreter to its end.

    Args:
        arguments: what follows the interpreter's name.
        environment: variables on top of this process's own.
        on_start: called with the process id as soon as there is one.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env=os.environ | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A group of its own: a Ctrl-C reaches this process alone, which then ends the group.
        start_new_session=True,
    )
    lines: list[tuple[float, str]] = []
    try:
        if on_start is not None:
            on_start(process.pid)
        assert process.stdout is not None
        # `extend` takes each line as it comes, and so dates it.
        lines.extend((time.perf_counter(), line.rstrip()) for line in process.stdout)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        if process.returncode is None:
            _end(process)
    if process.returncode:
        said = "\n".join(line for _, line in lines[-20:])
        sys.exit(f"{' '.join(arguments)} failed ({process.returncode}):\n{said}")
    return Run(started, seconds, usage.ru_utime + usage.ru_stime, lines)


def _end(process: subprocess.Popen[str]) -> None:
    """End the process and whatever it started, kindly if it can."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
