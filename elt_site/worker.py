"""The site: gunicorn's worker with threads, in which no client holds a thread for ever.

gunicorn's own waits for slow clients in three places without an end: a thread reads a request byte
by byte, a thread writes an answer that nobody takes, and the loop that hands out all requests
waits up to two seconds for a client to hang up. A handful of such clients would starve the rest.
"""

from __future__ import annotations

import errno
import json
import socket
import struct
import time
from contextlib import suppress
from typing import Any, Final

from gunicorn import util
from gunicorn.config import Config
from gunicorn.workers import gthread

# A client that takes less than a block of an answer in this time is taken for gone, so that
# 2 kB/s is the slowest that is served. Under a stalled client's last block lie as many bytes as
# the system buffers for it.
WRITE_SECONDS: Final = 30
WRITE_BLOCK: Final = 64 * 1024
# For a whole request: its head waits without a thread, its body (a form of the admin's) in one.
READ_SECONDS: Final = 20
# As much of a head as is looked at before a thread reads it: gunicorn's own limits are beyond.
HEAD_BYTES: Final = 64 * 1024
# How long a client may take to hang up once it has been told to.
CLOSE_SECONDS: Final = 0.5
# What closing does with what is under way: drop it, and tell the client, or deliver it.
RESET: Final = struct.pack("ii", 1, 0)
NO_RESET: Final = struct.pack("ii", 0, 0)


def tell_error(client: socket.socket, status: int, reason: str, _message: str) -> None:
    """Answer a request that is none, in the API's shape, without repeating anything of it."""
    body = json.dumps({"error": f"{reason}."})
    head = (
        f"HTTP/1.1 {status} {reason}\r\n"
        "Connection: close\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    util.write_nonblock(client, f"{head}{body}".encode("ascii"))


# gunicorn's own repeats the line that it could not read, which may hold a password.
util.write_error = tell_error


class BoundedSocket(socket.socket):
    """A client's connection, on which blocking means for a limited time.

    gunicorn calls `setblocking(True)` before each request, and then `recv` and `sendall`.
    """

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


class Connection(gthread.TConn):  # type: ignore[misc]  # gunicorn has no types
    """A client's connection; between requests it waits in the loop, in a request on a thread."""

    sock: BoundedSocket

    def __init__(
        self, cfg: Config, client_socket: socket.socket, client: object, server: object
    ) -> None:
        bounded = BoundedSocket(
            client_socket.family, client_socket.type, fileno=client_socket.detach()
        )
        super().__init__(cfg, bounded, client, server)
        # Of a head that is coming: the bytes so far, and when it has to be whole.
        self._came = 0
        self._head_until: float | None = None

    def has_request(self) -> bool:
        """Whether it is a thread's turn: the head of a request has come, or never will.

        If not, the loop does not look at the connection again before more of it comes.

        Raises:
            TimeoutError: the client has sent a part of it for too long.
        """
        if self.cfg.is_ssl or (self.parser is not None and self.parser.unreader.buf.getvalue()):
            return True  # what has come already cannot be looked at here
        self.sock.settimeout(0)
        try:
            head = self.sock.recv(HEAD_BYTES, socket.MSG_PEEK)
        except BlockingIOError:
            return False  # not a byte
        except OSError:
            return True
        came, self._came = self._came, len(head)
        if b"\r\n\r\n" in head or len(head) >= HEAD_BYTES or len(head) == came:
            # Of the last: woken without another byte, so no more will come.
            self._wake_after(0)
            return True
        now = time.monotonic()
        self._head_until = self._head_until or now + READ_SECONDS
        if now > self._head_until:
            raise TimeoutError
        self._wake_after(len(head))
        return False

    def _wake_after(self, count: int) -> None:
        """Let the loop be woken when there are more bytes than these, and no sooner."""
        if count or self._head_until is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count + 1)
        if not count:
            self._came, self._head_until = 0, None

    def hang_up(self) -> None:
        """End it as HTTP asks: a reset would take the answer from a client that still sends."""
        util.close_graceful(self.sock, timeout=CLOSE_SECONDS)

    def close(self, graceful: bool = False) -> None:  # noqa: FBT001, FBT002 - gunicorn's signature
        """Close it without waiting: the loop calls this; whatever there was to wait for is over."""
        util.close(self.sock)


class Worker(gthread.ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """One process: a loop that watches all connections, and threads for those with a request."""

    _notified = 0.0

    def notify(self) -> None:
        """Tell the first process that this one lives: once a second, as each time touches a file.

        gunicorn does so for every event of its loop.
        """
        if (now := time.monotonic()) - self._notified >= 1:
            self._notified = now
            super().notify()

    def accept(self, listener: socket.socket) -> None:
        """Take a new connection; a thread looks at it as soon as one is free."""
        with suppress(BlockingIOError, ConnectionAbortedError):
            client_socket, client = listener.accept()
            self.nr_conns += 1
            self.enqueue_req(Connection(self.cfg, client_socket, client, listener.getsockname()))

    def handle(self, conn: Connection) -> object:
        """Answer a request, on a thread; what is returned tells the loop what to do next."""
        try:
            if not conn.has_request():
                return gthread._DEFER  # noqa: SLF001 - the loop's own word for it
            conn.data_ready = True
            keep = super().handle(conn)
        except TimeoutError:
            keep = False
        if not keep:
            conn.hang_up()
        return keep

    def handle_request(self, req: object, conn: Connection) -> object:
        """Have the application answer; where it fails in the middle, this is left by a raise."""
        keep = super().handle_request(req, conn)
        conn.sock.answered()
        return keep

    def handle_error(
        self, req: object, client: BoundedSocket, addr: object, exc: BaseException
    ) -> None:
        """Answer a request that is none, or at which the application failed at once."""
        super().handle_error(req, client, addr, exc)
        client.answered()
