"""One path asked of both services in turn: that they say the same, and how often a second."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from statistics import median
from typing import Any

from benchmarks.http_load import Job, Outcome, measure
from benchmarks.report import Figure
from benchmarks.services import HOST, Service

# All of them may reach one process, which has a place for each.
CONNECTIONS = 8
WARM_UP_SECONDS = 1.0
HEAD = ("", "requests/s", "min-max", "p50 ms", "p99 ms", "bytes", "generator's core")


@dataclass(frozen=True)
class Answer:
    """One whole answer."""

    status: int
    etag: str | None
    body: bytes

    @property
    def rows(self) -> Any:
        """What it says, but for what only one of the services says of its page."""
        content = json.loads(self.body)
        return {name: content[name] for name in content if name not in {"count", "links"}}


@dataclass
class Contest:
    """A path, the ratio that is wanted there, and what was measured of both services."""

    what: str
    path: str
    goal: float
    not_modified: bool = False  # whether ours is told that its client has the answer already
    ours: list[Outcome] = field(default_factory=list)
    theirs: list[Outcome] = field(default_factory=list)
    sizes: tuple[int, int] = (0, 0)

    def hold(self, ours: Service, theirs: Service, rounds: int, seconds: float) -> None:
        """Measure both in turn, for so many seconds each.

        Raises:
            ValueError: they do not say the same.
        """
        jobs = self._jobs(ours, theirs, seconds)
        self.sizes = jobs[0].length, jobs[1].length
        for job in jobs:  # connections, caches and prepared statements, as after a while
            measure(replace(job, seconds=WARM_UP_SECONDS))
        for number in range(1, rounds + 1):
            self.theirs.append(measure(jobs[1]))
            self.ours.append(measure(jobs[0]))
            rates = f"{self.ours[-1].rate:,.1f}/s against {self.theirs[-1].rate:,.1f}/s"
            print(f"{self.what}, round {number} of {rounds}: {rates}", flush=True)

    @property
    def figure(self) -> Figure:
        """The ratio of the medians beside its goal."""
        ratio = _rate(self.ours) / _rate(self.theirs)
        return Figure(f"{self.what}: ours / FastAPI's", self.goal, ratio, at_least=True)

    @property
    def lines(self) -> list[tuple[str, ...]]:
        """One row of the report for each service, under `HEAD`."""
        sides = (("ours", self.ours), ("FastAPI", self.theirs))
        return [
            (
                f"{self.what}: {name}",
                f"{_rate(outcomes):,.1f}",
                "{:,.1f}-{:,.1f}".format(*(end(o.rate for o in outcomes) for end in (min, max))),
                *(f"{median(o.percentile(p) for o in outcomes) * 1000:,.1f}" for p in (0.5, 0.99)),
                f"{size:,}",
                f"{median(o.cpu_seconds / o.seconds for o in outcomes):.0%}",
            )
            for (name, outcomes), size in zip(sides, self.sizes, strict=True)
        ]

    def _jobs(self, ours: Service, theirs: Service, seconds: float) -> tuple[Job, Job]:
        request, answers = ours.request(self.path), []
        for service in (ours, theirs):
            answers.append(ask(service, self.path))
            if answers[-1].status != HTTPStatus.OK:
                raise ValueError(f"{service.name} answers {self.path} with {answers[-1]}.")
        mine, other = answers
        if mine.rows != other.rows:
            raise ValueError(f"The two answers to {self.path} do not hold the same rows.")
        status, length = mine.status, len(mine.body)
        if self.not_modified:
            if mine.etag is None:
                raise ValueError(f"Our answer to {self.path} has no ETag.")
            request = ours.request(self.path, If_None_Match=mine.etag)
            status, length = int(HTTPStatus.NOT_MODIFIED), 0
        mine_job = Job(ours.port, request.decode(), status, length, CONNECTIONS, seconds)
        other_job = replace(
            mine_job,
            port=theirs.port,
            request=theirs.request(self.path).decode(),
            status=other.status,
            length=len(other.body),
        )
        return mine_job, other_job


def ask(service: Service, path: str) -> Answer:
    """One answer of a service, on a connection of its own."""
    with closing(http.client.HTTPConnection(HOST, service.port, timeout=60)) as client:
        client.request("GET", path, headers={"Host": "localhost", **service.headers})
        answer = client.getresponse()
        return Answer(answer.status, answer.headers["ETag"], answer.read())


def _rate(outcomes: Sequence[Outcome]) -> float:
    """Requests a second: the median over the rounds."""
    return median(outcome.rate for outcome in outcomes)
