"""Stops the embedded server when its last user has gone; a script of the standard library only.

Arguments: the server's folder, the path of pg_ctl, and as root the server's user and group ids.
"""

import fcntl
import os
import subprocess
import sys
from pathlib import Path


def main(folder: Path, pg_ctl: str, *account: str) -> None:
    """Detach, wait for the exclusive lock, stop the server, let go."""
    watcher = os.open(folder / "watcher.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(watcher, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # another one watches
    # A daemon: neither the child of a process that others count, nor in its terminal's reach.
    if os.fork():
        os._exit(0)
    os.setsid()
    users = os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(users, fcntl.LOCK_EX)
    subprocess.run(
        [pg_ctl, "stop", "--pgdata", folder / "data", "--mode", "fast", "--timeout", "600"],
        check=False,
        user=int(account[0]) if account else None,
        group=int(account[1]) if account else None,
        extra_groups=[] if account else None,
    )
    # In this order: who then becomes a user must find that nobody watches.
    os.close(watcher)
    os.close(users)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
