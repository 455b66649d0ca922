"""The embedded server, driven from processes of their own: its start, its sharing, its end."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from elt_site.embedded_postgres.location import Location, locate, traversable
from elt_site.tests.conftest import Manage, clean_environment

# A process that uses the server until its standard input closes.
USER_OF_THE_SERVER = """
import sys
from pathlib import Path
from django.conf import settings
settings.configure(LOCAL_DIR=Path(sys.argv[1]))
from elt_site.embedded_postgres import server
{extra}
url = server.database_url()
print(url, server.data_directory(), server.location().fallback, sep="\\t", flush=True)
sys.stdin.read()
"""


class User:
    """A process that uses the server of a working folder, and what it says of it."""

    def __init__(self, local_dir: Path, *, extra: str = "", wait: bool = True) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER_OF_THE_SERVER.format(extra=extra), str(local_dir)],
            cwd=settings.BASE_DIR,
            env=clean_environment(SECRET_KEY="not for the server"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        url, data, fallback = self.process.stdout.readline().rstrip("\n").split("\t")
        self.url, self.data, self.fallback = url, Path(data), fallback == "True"

    @property
    def server_pid(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def leave(self) -> None:
        self.process.communicate("")

    def query(self, sql: str) -> str:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            row = cursor.fetchone() if cursor.description else None
            return str(row[0]) if row else ""


def stops(user: User) -> bool:
    """Whether the server ends within ten seconds."""
    deadline = time.monotonic() + 10
    while (user.data / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return not (user.data / "postmaster.pid").exists()


@contextmanager
def working_folder() -> Iterator[Path]:
    """A working folder that the server's system user can reach; pytest's own are closed."""
    folder = Path(tempfile.mkdtemp(prefix="elt-embedded-"))
    folder.chmod(0o755)
    yield folder
    with suppress(FileNotFoundError):
        pid = int((folder / "postgres/data/postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def local_dir() -> Iterator[Path]:
    """A working folder in which there is nothing yet."""
    with working_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def used_dir() -> Iterator[Path]:
    """One whose server has run, and runs for one test after another."""
    with working_folder() as folder:
        yield folder


def test_starts_at_the_first_connection_and_not_before(manage: Manage, local_dir: Path) -> None:
    assert manage("check", LOCAL_DIR=str(local_dir)).returncode == 0
    assert not (local_dir / "postgres").exists()
    result = manage("migrate", "--plan", LOCAL_DIR=str(local_dir))
    assert result.returncode == 0, result.stderr
    assert (local_dir / "postgres/data/PG_VERSION").exists()


def test_processes_share_it_and_it_stops_with_the_last(local_dir: Path) -> None:
    # Both at once, on a folder where there is nothing yet.
    first, second = User(local_dir, wait=False), User(local_dir, wait=False)
    first.wait_until_ready()
    second.wait_until_ready()
    pid = first.server_pid
    first.leave()
    time.sleep(0.3)
    assert second.query("SELECT 1") == "1"
    assert second.server_pid == pid
    second.leave()
    assert stops(second)
    # A process that comes while it stops, or after, starts it again.
    third = User(local_dir)
    assert third.query("SELECT 1") == "1"
    third.leave()


def test_stops_after_its_only_user_was_killed(used_dir: Path) -> None:
    user = User(used_dir)
    user.process.kill()
    user.process.wait()
    assert stops(user)


def test_the_exit_of_a_forked_child_leaves_it_running(used_dir: Path) -> None:
    fork = "server.start()\nimport os\nif not os.fork(): sys.exit()\nos.wait()"
    user = User(used_dir, extra=fork)
    time.sleep(0.3)
    assert user.query("SELECT 1") == "1"
    user.leave()
    assert stops(user)


def test_comes_back_after_a_kill_with_what_was_committed(used_dir: Path) -> None:
    user = User(used_dir)
    user.query("CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(user.server_pid, signal.SIGKILL)
    # The id of the dead server belongs to another program now.
    for lock in (user.data / "postmaster.pid", user.data.parent / ".s.PGSQL.5432.lock"):
        lines = lock.read_text().splitlines(keepends=True)
        lock.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))
    second = User(used_dir)
    assert second.query("SELECT answer FROM kept") == "42"
    assert second.server_pid != os.getpid()
    second.leave()
    user.leave()


def test_is_durable_utc_and_sorts_alike_everywhere(used_dir: Path) -> None:
    user = User(used_dir)
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        assert user.query(f"SHOW {name}") == "on"
    assert user.query("SHOW timezone") == "UTC"
    assert user.query("SELECT string_agg(x, '' ORDER BY x) FROM unnest('{b,a,B,é}'::text[]) x") == (
        "Babé"
    )
    assert user.query("SELECT upper('é')") == "É"
    user.leave()


def test_learns_no_secret_of_the_app(used_dir: Path) -> None:
    user = User(used_dir)
    environment = Path(f"/proc/{user.server_pid}/environ")
    if not environment.exists():
        pytest.skip("no /proc on this system")
    assert b"SECRET_KEY" not in environment.read_bytes()
    user.leave()


def test_only_its_owner_can_open_the_folder_and_the_socket(used_dir: Path) -> None:
    user = User(used_dir)
    assert stat.S_IMODE((used_dir / "postgres").stat().st_mode) == 0o700
    user.leave()


def test_an_awkward_path_does_no_harm(local_dir: Path) -> None:
    user = User(local_dir / "O'Neil's folder")
    assert user.query("SELECT 1") == "1"
    user.leave()
    assert stops(user)


def test_a_long_path_has_its_socket_elsewhere(local_dir: Path) -> None:
    deep = local_dir / ("d" * 50) / ("e" * 50)
    user = User(deep)
    assert user.query("SELECT 1") == "1"
    assert user.data == deep / "postgres/data"
    user.leave()
    assert stops(user)
    shutil.rmtree(locate(deep).sockets)


def test_a_folder_that_cannot_be_used_is_one_sentence(manage: Manage, local_dir: Path) -> None:
    (local_dir / "file").touch()
    result = manage("migrate", "--plan", LOCAL_DIR=str(local_dir / "file"))
    assert result.returncode != 0
    assert result.stderr.startswith("Error: The embedded PostgreSQL cannot use ")
    assert result.stderr.endswith("set DATABASE_URL.\n")


def test_data_of_another_version_is_left_alone(manage: Manage, used_dir: Path) -> None:
    user = User(used_dir)
    user.leave()
    assert stops(user)
    version = user.data / "PG_VERSION"
    ours = version.read_text()
    version.write_text("16\n")
    result = manage("migrate", "--plan", LOCAL_DIR=str(used_dir))
    version.write_text(ours)
    assert "was made by PostgreSQL 16" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for the server")
def test_root_under_a_closed_folder_opens_no_folder(local_dir: Path) -> None:
    closed = local_dir / "closed"
    closed.mkdir(mode=0o700)
    project = closed / "project/.local"
    watched = [*project.parents, *locate(local_dir).binaries.parents]
    before = {folder: folder.stat().st_mode for folder in watched if folder.exists()}
    user = User(project)
    try:
        assert user.fallback
        assert user.query("SELECT 1") == "1"
        assert not user.data.is_relative_to(closed)
        assert {folder: folder.stat().st_mode for folder in before} == before
        user.leave()
        assert stops(user)
    finally:
        shutil.rmtree(user.data.parent)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for the server")
def test_root_copies_binaries_that_the_system_user_cannot_reach(
    local_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = pwd.getpwnam("nobody")
    folder = local_dir / "postgres"
    folder.mkdir()
    closed = "elt_site.embedded_postgres.location.traversable"
    monkeypatch.setattr(closed, lambda *_: False)
    binaries = Location(folder, account).binaries
    assert binaries.is_relative_to(folder)
    monkeypatch.undo()
    assert traversable(binaries / "postgres", account)
    version = subprocess.check_output([binaries / "psql", "--version"], user="nobody", text=True)
    assert "PostgreSQL" in version


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_serves_an_ordinary_user(local_dir: Path) -> None:
    account = pwd.getpwnam("nobody")
    for needed in (sys.executable, settings.BASE_DIR / "manage.py"):
        if not traversable(Path(needed).resolve(), account):
            pytest.skip(f"an ordinary user cannot reach {needed}")
    os.chown(local_dir, account.pw_uid, account.pw_gid)
    become = (
        f"import os; os.setgroups([]); os.setgid({account.pw_gid}); os.setuid({account.pw_uid})"
    )
    user = User(local_dir, extra=become)
    assert user.query("SELECT 1") == "1"
    assert Path(f"/proc/{user.server_pid}").stat().st_uid == account.pw_uid
    user.leave()
    assert stops(user)
