"""The worker: clients that dawdle hold no thread for long, and nobody else waits for them."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from elt_site.tests.test_servers import ask, free_port, serving

DAWDLERS = 12  # more than there are threads
SOON = 6  # seconds; the limits are one second here, and gunicorn's own worker takes far longer


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server with two threads in all."""
    port, log = free_port(), tmp_path_factory.mktemp("worker") / "log"
    command = ("-m", "gunicorn", "--threads", "2", "elt_site.tests.bare_app")
    with serving(log, *command, PORT=str(port), WEB_CONCURRENCY="1", DEBUG="true"):
        assert ask(port, "/") == 200
        yield port
    written = log.read_text()
    assert written.count("Traceback") == written.count("\nRuntimeError\n")  # what `/broken` raises
    assert "Worker timeout" not in written


@contextmanager
def clients(port: int, sent: bytes, count: int = DAWDLERS) -> Iterator[list[socket.socket]]:
    """Connections that have sent this, and go on doing nothing."""
    with ExitStack() as stack:
        connections = []
        for _ in range(count):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(10)
            client.connect(("127.0.0.1", port))
            client.sendall(sent)
            connections.append(client)
        yield connections


def answers_soon(port: int) -> bool:
    started = time.monotonic()
    return ask(port, "/", Connection="close") == 200 and time.monotonic() - started < SOON


def received(client: socket.socket, until: bytes) -> bytes:
    """Everything up to some bytes, or to the end."""
    data = b""
    while until not in data and (block := client.recv(65536)):
        data += block
    return data


def ended_streams(port: int) -> int:
    with clients(port, b"GET /ended HTTP/1.0\r\n\r\n", 1) as (client,):
        return int(received(client, b"never").rpartition(b"\r\n")[2])


def test_silent_connections_hold_no_thread(port: int) -> None:
    with clients(port, b""):
        assert answers_soon(port)


def test_slow_senders_hold_no_thread_and_are_hung_up_on(port: int) -> None:
    with clients(port, b"GET / HTTP/1.1\r\nX: ") as slow:
        started = time.monotonic()
        while slow and time.monotonic() - started < SOON:
            assert answers_soon(port)
            for client in list(slow):
                try:
                    client.sendall(b"x")
                except OSError:
                    slow.remove(client)
            time.sleep(0.1)
        assert not slow


def test_a_request_in_pieces_is_answered(port: int) -> None:
    with clients(port, b"GET /pie", 1) as (client,):
        for piece in (b"ces HTTP/1.1\r\n", b"Host: x\r", b"\n\r\n"):
            time.sleep(0.1)
            client.sendall(piece)
        assert b"/pieces" in received(client, b"0\r\n\r\n")
        client.sendall(b"GET /again HTTP/1.1\r\n\r\n")  # the connection is as good as new
        assert b"/again" in received(client, b"0\r\n\r\n")


def test_requests_sent_at_once_are_all_answered(port: int) -> None:
    with clients(port, b"GET /one HTTP/1.1\r\n\r\nGET /two HTTP/1.0\r\n\r\n", 1) as (client,):
        data = received(client, b"never")
        assert b"/one" in data
        assert data.endswith(b"/two")


def test_a_body_that_does_not_come_ends_the_request(port: int) -> None:
    with clients(port, b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf", 3) as slow:
        assert answers_soon(port)
        for client in slow:
            assert not client.recv(100)


def test_stalled_readers_are_cut_off(port: int) -> None:
    before = ended_streams(port)
    with clients(port, b"GET /endless HTTP/1.1\r\n\r\n", 4) as stalled:
        deadline = time.monotonic() + 2 * SOON
        while ended_streams(port) < before + 4:
            assert time.monotonic() < deadline
        for client in stalled:
            with pytest.raises(ConnectionResetError):  # nothing that looks like an end
                received(client, b"\r\n0\r\n\r\n")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_answer_that_breaks_does_not_end_like_a_whole_one(port: int, version: str) -> None:
    sent = f"GET /broken HTTP/{version}\r\n\r\n".encode()
    with clients(port, sent, 1) as (client,), pytest.raises(ConnectionResetError):
        received(client, b"never")


def test_a_failure_before_the_answer_is_told(port: int) -> None:
    with clients(port, b"GET /failed HTTP/1.0\r\n\r\n", 1) as (client,):
        assert received(client, b"never").startswith(b"HTTP/1.1 500 ")


def test_a_slow_reader_is_served_as_long_as_it_reads(port: int) -> None:
    with clients(port, b"GET /endless HTTP/1.1\r\n\r\n", 1) as (client,):
        started = time.monotonic()
        while time.monotonic() - started < 2:
            assert client.recv(20_000)
            time.sleep(0.02)


def test_requests_that_wait_their_turn_hold_no_thread(port: int) -> None:
    assert ask(port, "/take") == 200
    with clients(port, b"GET /use HTTP/1.0\r\n\r\n") as waiting:
        assert ask(port, "/") == 200
        assert ask(port, "/give-back") == 200
        for client in waiting:
            assert received(client, b"never").endswith(b"/use")


def test_patience_ends_and_the_connection_goes_on(port: int) -> None:
    assert ask(port, "/take") == 200
    with clients(port, b"GET /use HTTP/1.1\r\n\r\n", 3) as waiting:
        for client in waiting:
            assert b"none" in received(client, b"0\r\n\r\n")
        assert ask(port, "/give-back") == 200
        for client in waiting:
            client.sendall(b"GET /use HTTP/1.1\r\n\r\n")
            assert b"/use" in received(client, b"0\r\n\r\n")


def test_clients_that_never_hang_up_delay_nobody(port: int) -> None:
    with clients(port, b"GET / HTTP/1.0\r\n\r\n"):
        assert answers_soon(port)
