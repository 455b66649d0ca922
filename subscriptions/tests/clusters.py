"""A PostgreSQL server of a test's own, made, started and thrown away again."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings

from elt_site.embedded_postgres.location import locate

# Where Debian puts the release that the tests run on besides the embedded one.
POSTGRES_15 = Path("/usr/lib/postgresql/15/bin")
_PORT = "5432"  # names the socket; no TCP port is opened
_OPTIONS = "-c listen_addresses= -c fsync=off -c shared_buffers=64MB -c timezone=UTC"


@dataclass(frozen=True)
class Cluster:
    """A running server with one superuser, `postgres`, whom it trusts."""

    folder: Path

    def url(self, user: str = "postgres", database: str = "postgres") -> str:
        """A database in it, as the settings take it."""
        return f"postgresql://{user}:@{quote(str(self.folder), safe='')}:{_PORT}/{database}"


@contextmanager
def throw_away_cluster() -> Iterator[Cluster]:
    """A server that is not the tests' main one, and where possible of another release."""
    embedded = locate(settings.LOCAL_DIR)
    binaries, account = embedded.binaries, embedded.account
    if settings.EMBEDDED and (POSTGRES_15 / "postgres").exists():
        binaries = POSTGRES_15
    as_account: dict[str, Any] = {"cwd": "/", "stdin": subprocess.DEVNULL}
    if account is not None:
        as_account |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    # Short enough for a socket, whatever TMPDIR says.
    folder = Path(tempfile.mkdtemp(prefix="elt-cluster-", dir="/tmp"))
    folder.chmod(0o755)
    _give(folder, account)
    data = folder / "data"

    def pg_ctl(*arguments: str) -> None:
        subprocess.run(
            [binaries / "pg_ctl", "--silent", "--pgdata", data, *arguments],
            stdout=subprocess.DEVNULL,  # not a pipe, which the server would keep open
            check=True,
            **as_account,
        )

    try:
        subprocess.run(
            [
                binaries / "initdb",
                *("--pgdata", data, "--username", "postgres", "--auth", "trust"),
                *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            stdout=subprocess.DEVNULL,
            check=True,
            **as_account,
        )
        sockets = f"{_OPTIONS} -c port={_PORT} -c unix_socket_directories={folder}"
        pg_ctl("start", "--wait", "--log", str(folder / "server.log"), "--options", sockets)
        try:
            yield Cluster(folder)
        finally:
            pg_ctl("stop", "--mode", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _give(folder: Path, account: pwd.struct_passwd | None) -> None:
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
