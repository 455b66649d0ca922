"""The data directory and the process on it: made once, started, told apart from a dead one."""

import os
import shlex
import shutil
import socket
import subprocess
import time
from pathlib import Path

from django.db.utils import OperationalError

from elt_site.embedded_postgres.location import MAJOR_VERSION, PORT, USER, Location

# Crash recovery replays up to max_wal_size; it is slow on a slow disk, but it ends.
START_SECONDS = 600

# Given at every start rather than written by initdb, so that an older data directory gets them.
SERVER_SETTINGS = {
    "listen_addresses": "",  # the socket only
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",  # index builds after a bulk load
    "max_wal_size": "4GB",  # a bulk load shall not force checkpoints
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    # A load touches most pages of an index once: to compress their images for the log would take
    # five times as long as to write them.
    "wal_compression": "off",
    # No replica ever reads this WAL, so COPY into a table made in the same transaction may skip
    # it. Commits are as durable as ever: fsync and synchronous_commit stay on.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "random_page_cost": "1.1",  # solid-state disks
}


def _listens(here: Location) -> bool:
    """Whether a server has the socket open: unlike a process id, never another program's."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(here.socket))
        except OSError:
            return False
    return True


def accepts(here: Location) -> bool:
    """Whether the server runs and its start or its crash recovery is over."""
    try:
        status = (here.data / "postmaster.pid").read_text().splitlines()[7].strip()
    except (OSError, IndexError):
        return False
    return status == "ready" and _listens(here)


def start(here: Location) -> None:
    """Start the server and wait until it accepts connections; runs under the start lock."""
    _init(here)
    deadline = time.monotonic() + START_SECONDS
    while not accepts(here):
        if time.monotonic() > deadline:
            raise _failure(here, f"not ready after {START_SECONDS} seconds")
        if not _listens(here):
            _forget_dead_server(here)
            _pg_ctl_start(here)
        time.sleep(0.02)


def _init(here: Location) -> None:
    """Make the data directory, whole or not at all."""
    version = here.data / "PG_VERSION"
    if version.exists():
        if (found := version.read_text().strip()) != MAJOR_VERSION:
            raise OperationalError(
                f"{here.data} was made by PostgreSQL {found}, and this is {MAJOR_VERSION}: "
                "move it away and load again, or set DATABASE_URL."
            )
        return
    partial = here.folder / "data.partial"
    shutil.rmtree(partial, ignore_errors=True)
    result = subprocess.run(
        [
            here.binaries / "initdb",
            *("--pgdata", partial, "--username", USER, "--encoding", "UTF8"),
            # Trust, since only the owner can open the socket.
            *("--auth", "trust"),
            # The same order and case rules on every machine, whatever locales it has.
            *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
        ],
        capture_output=True,
        text=True,
        check=False,
        **here.process_options,
    )
    if result.returncode:
        raise OperationalError(
            "The embedded PostgreSQL could not make its data directory: "
            + (result.stderr.strip().splitlines() or ["initdb failed"])[-1]
        )
    partial.rename(here.data)


def _pg_ctl_start(here: Location) -> None:
    """One attempt; returns when the server is ready, or when another attempt may succeed."""
    sockets = '"' + str(here.sockets).replace('"', '""') + '"'
    chosen = SERVER_SETTINGS | {"unix_socket_directories": sockets, "port": PORT}
    options = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in chosen.items())
    log_size = here.log.stat().st_size if here.log.exists() else 0
    result = subprocess.run(
        [
            here.binaries / "pg_ctl",
            *("start", "--pgdata", here.data, "--log", here.log, "--options", options),
            *("--wait", "--timeout", str(START_SECONDS)),
        ],
        # Not pipes, which the server would keep open.
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        **here.process_options,
    )
    if result.returncode == 0:
        return
    with here.log.open(errors="replace") as log:
        log.seek(log_size)
        lines = [line for line in log if "FATAL" in line or "PANIC" in line] or ["see its log"]
    # Sessions of a server that was killed notice it a moment later, and hold its memory till then.
    if "pre-existing shared memory block" not in lines[-1]:
        raise _failure(here, lines[-1].strip())


def _forget_dead_server(here: Location) -> None:
    """Remove the lock files of a killed server whose process id lives on.

    It may belong to another program by now, or to a dead process that nobody reaps. PostgreSQL
    cannot tell the difference and refuses to start.
    """
    for lock in (here.data / "postmaster.pid", here.sockets / f"{here.socket.name}.lock"):
        try:
            arguments = Path("/proc", lock.read_text().split()[0], "cmdline").read_bytes()
        except (OSError, IndexError):
            continue  # no such process, or no /proc: PostgreSQL's own check decides
        if os.fsencode(here.data) not in arguments.split(b"\0"):
            lock.unlink()


def _failure(here: Location, reason: str) -> OperationalError:
    return OperationalError(f"The embedded PostgreSQL did not start: {reason} (log: {here.log}).")
