"""A PostgreSQL server, folders and an environment of a benchmark's own, gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

DATASET = "benchmark_dataset"
STOCK_DATASET = "stock_dataset"
STOP_SECONDS = 60

# Generous: the yardstick's files and tables, a dataset and its successor, and their indexes.
BYTES_PER_USER = 12_000
WRITE_AHEAD_LOG_BYTES = 5 << 30


@dataclass(frozen=True)
class Workplace:
    """Where one benchmark works; the server runs, and has Django's tables."""

    folder: Path

    @property
    def temporary(self) -> Path:
        """What TMPDIR names for the measured commands."""
        return self.folder / "tmp"

    @property
    def local(self) -> Path:
        """The project's working folder for the measured commands."""
        return self.folder / "local"

    @property
    def dlt(self) -> Path:
        """The working folder of dlt, which every command shares."""
        return self.local / "dlt"

    @property
    def scratch(self) -> tuple[Path, ...]:
        """Every folder in which a load may keep files meanwhile."""
        return self.temporary, self.dlt

    @property
    def postmaster(self) -> int:
        """The id of the server's first process."""
        from elt_site.embedded_postgres import server

        pid_file = server.data_directory() / "postmaster.pid"
        return int(pid_file.read_text().split()[0])

    @property
    def database_url(self) -> str:
        """The server as DATABASE_URL names it, for programs that shall not start it themselves."""
        from elt_site.embedded_postgres import server

        return server.database_url()

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """An autocommitting session with the settings that a load gives its own."""
        from subscriptions.load.target import SESSION_OPTIONS, Target

        parameters = Target.from_settings().parameters
        return psycopg.connect(**parameters, autocommit=True, options=SESSION_OPTIONS)

    def restart_server(self) -> None:
        """Stop the server as an operator does, who waits for nobody, and start it again."""
        from elt_site.embedded_postgres import server

        here = server.location()
        subprocess.run(
            [here.binaries / "pg_ctl", "stop", "--pgdata", here.data, "--mode", "fast", "--silent"],
            check=True,
            **here.process_options,
        )
        server.start()

    def forget(self) -> None:
        """Make the next load a first one: no dataset, and nothing that dlt remembers of one."""
        with self.connect() as session:
            schemas = session.execute(
                "SELECT nspname FROM pg_namespace"
                " WHERE starts_with(nspname, %s) OR starts_with(nspname, %s)",
                (DATASET, STOCK_DATASET),
            ).fetchall()
            for (schema,) in schemas:
                session.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
        shutil.rmtree(self.dlt, ignore_errors=True)

    def settle(self) -> None:
        """Write out what the server still has to write, so that the next command does not pay."""
        with self.connect() as session:
            session.execute("CHECKPOINT")


@contextmanager
def workplace(users: int) -> Iterator[Workplace]:
    """Start a server in a new folder under TMPDIR, with room for so many users; remove both.

    Nothing stays behind after Ctrl-C or SIGTERM either.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit("Interrupted."))
    place = Workplace(Path(tempfile.mkdtemp(prefix="elt-benchmark-")))
    try:
        # The server's system user passes through when root runs this.
        place.folder.chmod(0o755)
        place.temporary.mkdir()
        _refuse_small_disk(place.folder, users)
        _configure(place)
        yield place
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C would leave gigabytes
        _remove(place)


def _refuse_small_disk(folder: Path, users: int) -> None:
    free = shutil.disk_usage(folder).free
    wanted = users * BYTES_PER_USER + WRITE_AHEAD_LOG_BYTES
    if free < wanted:
        sys.exit(
            f"{folder.parent} has {free / 1e9:.0f} GB free and {users:,} users may take "
            f"{wanted / 1e9:.0f} GB: point TMPDIR at a larger disk, or name fewer users."
        )


def _configure(place: Workplace) -> None:
    """Set every variable that the project reads, start the server, and make Django's tables."""
    os.environ |= {
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "elt_site.settings",
        "LOCAL_DIR": str(place.local),
        "TMPDIR": str(place.temporary),
        "DLT_DATA_DIR": str(place.dlt),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
        "DATASET_NAME": DATASET,
        "PYTHONUNBUFFERED": "1",  # lines of output are dated when they are printed
        **dict.fromkeys(
            "DATABASE_URL LOCAL_DATABASE_URL RAILWAY_DATABASE_URL RAILWAY_PUBLIC_DOMAIN DEBUG"
            " SECRET_KEY ALLOWED_HOSTS BASIC_AUTH_USERNAME BASIC_AUTH_PASSWORD PIPELINE_NAME"
            " DESTINATION PORT WEB_CONCURRENCY NUM_PROXIES".split(),
            "",
        ),
    }
    import django

    django.setup()
    from elt_site.bootstrap import ensure_ready

    ensure_ready()


def _remove(place: Workplace) -> None:
    """Stop the server and remove the folder, and the data where it lies elsewhere."""
    import django.apps

    if django.apps.apps.ready:
        from django.db import connections

        from elt_site.embedded_postgres import server

        connections.close_all()
        server.release()
        deadline = time.monotonic() + STOP_SECONDS
        while (server.data_directory() / "postmaster.pid").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        shutil.rmtree(server.location().folder, ignore_errors=True)
    shutil.rmtree(place.folder, ignore_errors=True)
