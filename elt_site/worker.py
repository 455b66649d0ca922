"""The site: gunicorn's worker with threads, in which no client holds a thread for ever.

gunicorn's own waits for slow clients in three places without an end: a thread reads a request byte
by byte, a thread writes an answer that nobody takes, and the loop that hands out all requests
waits up to two seconds for a client to hang up. A handful of such clients would starve the rest.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from gunicorn import util
from gunicorn.config import Config
from gunicorn.workers import gthread

from elt_site import sockets
from elt_site.sockets import BoundedSocket
from elt_site.turns import Application, Postponed, Turn, postponing

# As much of a head as is looked at before a thread reads it: gunicorn's own limits are beyond.
HEAD_BYTES: Final = 64 * 1024
# How long a client may take to hang up once it has been told to.
CLOSE_SECONDS: Final = 0.5


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
        self._head_until = self._head_until or now + sockets.READ_SECONDS
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


class Again:
    """Stands in for a connection's parser, and yields a request that it has yielded before."""

    def __init__(self, conn: Connection, request: object) -> None:
        self._conn, self._parser, self._request = conn, conn.parser, request

    def __next__(self) -> object:
        """The request; after that the parser is back."""
        self._conn.parser = self._parser
        return self._request


class Worker(gthread.ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """One process: a loop that watches all connections, and threads for those with a request."""

    wsgi: Application
    _notified = 0.0

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)
        self._aside: dict[Turn, Connection] = {}

    def load_wsgi(self) -> None:
        """Import the application."""
        super().load_wsgi()
        self.wsgi = postponing(self.wsgi)

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
            if conn.sock.turn is None and not conn.has_request():
                return gthread._DEFER  # noqa: SLF001 - the loop's own word for it
            conn.data_ready = True
            keep = super().handle(conn)
        except TimeoutError:
            keep = False
        if not keep and conn.sock.turn is None:
            conn.hang_up()
        return keep

    def handle_request(self, req: object, conn: Connection) -> object:
        """Have the application answer; where it fails in the middle, this is left by a raise."""
        try:
            keep = super().handle_request(req, conn)
        except Postponed:
            conn.parser = Again(conn, req)
            return False
        conn.sock.answered()
        return keep

    def finish_request(self, conn: Connection, fs: object) -> None:
        """Put the connection back, or aside; whatever has ended, others may have their turn now."""
        if conn.sock.turn is None:
            super().finish_request(conn, fs)
        else:
            self._aside[conn.sock.turn] = conn
        for places in {turn.places for turn in self._aside if turn.places}:
            self._resume(places.due)

    def murder_pending(self) -> None:
        """Once a second: end what has waited for too long."""
        super().murder_pending()
        self._resume([turn for turn in self._aside if turn.over])

    def _resume(self, turns: Iterable[Turn]) -> None:
        for turn in turns:
            if turn in self._aside:
                self.enqueue_req(self._aside.pop(turn))

    def handle_error(
        self, req: object, client: BoundedSocket, addr: object, exc: BaseException
    ) -> None:
        """Answer a request that is none, or at which the application failed at once."""
        super().handle_error(req, client, addr, exc)
        client.answered()
