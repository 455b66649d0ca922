"""A TCP port in front of a server that listens on a Unix socket only."""

from __future__ import annotations

import socket
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread


@contextmanager
def relay(server: Path) -> Iterator[int]:
    """Pass on what comes in at the port that it yields."""

    class Passing(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as there:
                there.connect(str(server))
                answers = Thread(target=_pass_on, args=(there, self.request))
                answers.start()
                _pass_on(self.request, there)
                answers.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Passing) as tcp:
        Thread(target=tcp.serve_forever, args=(0.05,), daemon=True).start()
        yield tcp.server_address[1]
        tcp.shutdown()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while received := one.recv(65536):
            other.sendall(received)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)
