"""A PostgreSQL server of the tests' own, which they may kill, stop and start again."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psutil

from elt_site.embedded_postgres import cluster
from elt_site.embedded_postgres.location import PORT, USER, locate
from subscriptions.load.target import Target


class OwnServer:
    """The server and its data directory, which `remove` takes away."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="elt-own-server-"))
        # Readable for all, so that the server's system user gets there when root runs the tests.
        self._folder.chmod(0o755)
        self._here = locate(self._folder)
        self._here.prepare()
        self.start()
        # What a killed process has written stays; only a cut of the power would need more.
        with self.target("").connect("test") as session:
            session.execute("ALTER SYSTEM SET fsync = off")
            session.execute("SELECT pg_reload_conf()")

    def target(self, dataset: str) -> Target:
        """A dataset on it."""
        where = {"host": str(self._here.sockets), "port": PORT, "user": USER, "dbname": "postgres"}
        return Target({**where, "connect_timeout": 10}, dataset, dataset)

    @property
    def url(self) -> str:
        """Its database as the settings take it."""
        host = quote(str(self._here.sockets), safe="")
        return f"postgresql://{USER}:@{host}:{PORT}/postgres"

    @property
    def system_user(self) -> int:
        """The id of the user that it runs as."""
        return self._here.data.stat().st_uid

    def start(self) -> None:
        """Start it, and wait until any crash recovery is over."""
        cluster.start(self._here)

    def kill(self) -> None:
        """Kill all its processes at once, as a loss of power does."""
        postmaster = psutil.Process(int(self._lock_file.read_text().split()[0]))
        victims = [postmaster, *postmaster.children(recursive=True)]
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                victim.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 30
        while any(_lives(victim) for victim in victims):
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def restart(self) -> None:
        """Stop it as an operator does, who waits for nobody, and start it again."""
        pg_ctl = self._here.binaries / "pg_ctl"
        subprocess.run(
            [pg_ctl, "stop", "--pgdata", self._here.data, "--mode", "fast", "--silent"],
            check=True,
            **self._here.process_options,
        )
        self.start()

    def remove(self) -> None:
        """Kill it if it runs, and remove its files."""
        if self._lock_file.exists():
            with suppress(psutil.NoSuchProcess):
                self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._here.fallback:
            shutil.rmtree(self._here.folder, ignore_errors=True)

    @property
    def _lock_file(self) -> Path:
        return self._here.data / "postmaster.pid"


def _lives(process: psutil.Process) -> bool:
    """Whether it is more than an entry that nobody has reaped."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False
