"""The site: a client's connection, on which no wait is without an end, and no cut looks whole."""

from __future__ import annotations

import errno
import socket
import struct
import time
from typing import Any, Final

from elt_site.turns import Turn

# A client that takes less than a block of an answer in this time is taken for gone, so that
# 2 kB/s is the slowest that is served. Under a stalled client's last block lie as many bytes as
# the system buffers for it.
WRITE_SECONDS: Final = 30
WRITE_BLOCK: Final = 64 * 1024
# For a whole request: its head waits without a thread, its body (a form of the admin's) in one.
READ_SECONDS: Final = 20
# What closing does with what is under way: drop it, and tell the client, or deliver it.
RESET: Final = struct.pack("ii", 1, 0)
NO_RESET: Final = struct.pack("ii", 0, 0)


class BoundedSocket(socket.socket):
    """A client's connection, on which blocking means for a limited time.

    gunicorn calls `setblocking(True)` before each request, and then `recv` and `sendall`.
    """

    turn: Turn | None = None  # of a request that has been put aside
    _read_until = 0.0
    _answering = False

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - socket's own signature
        """Wait in later calls, each for its limit, or not at all."""
        self.settimeout(WRITE_SECONDS if flag else 0)
        self._read_until = time.monotonic() + READ_SECONDS

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """What the client has sent; all reads since `setblocking` together have one limit.

        Raises:
            ConnectionResetError: it has not sent enough in time.
        """
        patience = self.gettimeout()
        if not patience:
            return super().recv(size, flags)
        self.settimeout(max(0.001, min(patience, self._read_until - time.monotonic())))
        try:
            return super().recv(size, flags)
        except TimeoutError:
            raise ConnectionResetError(errno.ECONNRESET, "The client sends too slowly.") from None
        finally:
            self.settimeout(patience)

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send a piece of an answer, whole; each block of it has one limit.

        Raises:
            BrokenPipeError: the client does not take it. Closing drops what is under way, for which
                the system would otherwise keep its buffers, and try for many minutes more.
        """
        self._set_answering(now=True)
        rest = memoryview(data)
        try:
            while len(rest) > WRITE_BLOCK:
                super().sendall(rest[:WRITE_BLOCK], flags)
                rest = rest[WRITE_BLOCK:]
            super().sendall(rest, flags)
        except TimeoutError:
            raise BrokenPipeError(errno.EPIPE, "The client takes nothing.") from None

    def answered(self) -> None:
        """Note that the answer is whole.

        Until then closing resets the connection, even where the kernel does it because this process
        was killed: to HTTP/1.0, which some proxies speak, nothing but the end of the connection
        tells that an answer has ended, and one that breaks off must not look like a whole one.
        """
        self._set_answering(now=False)

    def shutdown(self, how: int, /) -> None:
        """Tell the client that nothing more comes, unless something is missing."""
        if not self._answering:
            super().shutdown(how)

    def _set_answering(self, *, now: bool) -> None:
        if now is not self._answering:
            self._answering = now
            self.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET if now else NO_RESET)
