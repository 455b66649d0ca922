"""A load generator: `python -m benchmarks.http_load`, a process of its own beside the servers.

A few kept connections, each of which sends the same request again as soon as the whole answer has
come. Of an answer it looks at the status and at where it ends, so that it takes as little as can be
of the cores that the servers need.
"""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field

from benchmarks.command import PROJECT

HEAD_END = b"\r\n\r\n"
STALL_SECONDS = 30


@dataclass(frozen=True)
class Job:
    """What to ask whom, and what every answer has to be."""

    port: int
    request: str
    status: int
    length: int  # of each body, in bytes
    connections: int
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What came of a job whose answers were all right."""

    seconds: float  # from the first request to the last answer
    cpu_seconds: float  # of the generator itself
    latencies: list[float]  # of each answer, in seconds, sorted

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, part: float) -> float:
        """The latency that this part of the answers stayed within."""
        return self.latencies[min(len(self.latencies) - 1, int(part * len(self.latencies)))]


@dataclass
class Client:
    """One connection, and what has come of the answer that it waits for."""

    job: Job
    stream: socket.socket
    sent: float = 0.0
    come: int = 0
    buffer: bytearray = field(default_factory=lambda: bytearray(1 << 16))

    def ask(self) -> None:
        """Send the request."""
        self.sent, self.come = time.perf_counter(), 0
        self.stream.sendall(self.job.request.encode())

    def read(self) -> bool:
        """Take what has come; whether the answer is complete."""
        if self.come == len(self.buffer):
            self.buffer.extend(bytes(len(self.buffer)))
        count = self.stream.recv_into(memoryview(self.buffer)[self.come :])
        if not count:
            raise ValueError("the server hung up")
        self.come += count
        return self._complete()

    def _complete(self) -> bool:
        end = self.buffer.find(HEAD_END, 0, min(self.come, 4096))
        if end < 0:
            return False
        head, start = bytes(self.buffer[:end]).lower(), end + len(HEAD_END)
        if int(head[9:12]) != self.job.status:
            raise ValueError(f"{bytes(self.buffer[: self.come]).decode(errors='replace')[:500]}")
        if b"transfer-encoding: chunked" in head:
            last = b"0" + HEAD_END
            if self.buffer[self.come - len(last) : self.come] != last:
                return False
            length = self._chunks(start)
        else:
            length = self.come - start
            _, found, value = head.partition(b"\r\ncontent-length:")
            bodiless = self.job.status == 304  # noqa: PLR2004 - its own length says another's
            wanted = int(value.partition(b"\r")[0]) if found and not bodiless else 0
            if length < wanted:
                return False
        if length != self.job.length:
            raise ValueError(f"an answer of {length:,} bytes instead of {self.job.length:,}")
        return True

    def _chunks(self, start: int) -> int:
        """Bytes of a body in chunks."""
        total = 0
        while size := int(self.buffer[start : (line := self.buffer.index(b"\r\n", start))], 16):
            total += size
            start = line + 2 + size + 2
        return total


def measure(job: Job) -> Outcome:
    """Run a job in a process of its own.

    Exits with what was wrong with an answer, if one was.
    """
    command = [sys.executable, "-m", "benchmarks.http_load", json.dumps(asdict(job))]
    result = subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode:
        sys.exit(f"Port {job.port} answered {job.request.split()[1]} otherwise than it should.")
    return Outcome(**json.loads(result.stdout))


def _run(job: Job) -> Outcome:
    latencies: list[float] = []
    with selectors.DefaultSelector() as waiting:
        started, cpu = time.perf_counter(), time.process_time()
        for _ in range(job.connections):
            stream = socket.create_connection(("127.0.0.1", job.port))
            client = Client(job, stream)
            waiting.register(stream, selectors.EVENT_READ, client)
            client.ask()
        now = started
        while waiting.get_map():
            ready = waiting.select(STALL_SECONDS)
            if not ready:
                raise ValueError(f"no answer within {STALL_SECONDS} s")
            for key, _ in ready:
                client = key.data
                if not client.read():
                    continue
                now = time.perf_counter()
                latencies.append(now - client.sent)
                if now - started < job.seconds:
                    client.ask()
                else:
                    waiting.unregister(client.stream)
                    client.stream.close()
    return Outcome(now - started, time.process_time() - cpu, sorted(latencies))


def main() -> None:
    """Run the job in the argument and print its outcome as JSON."""
    try:
        print(json.dumps(asdict(_run(Job(**json.loads(sys.argv[1]))))))
    except (OSError, ValueError) as error:
        sys.exit(f"Load generator: {error}")


if __name__ == "__main__":
    main()
