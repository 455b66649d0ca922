"""Where the time goes: a watched run as tables of its phases and of the server's statements."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.command import Run
from benchmarks.report import table
from benchmarks.watch import Sample
from benchmarks.yardstick import Step

LONGEST_NAME = 52
SHORTEST_SHOWN = 0.01  # of the whole
Row = tuple[str, ...]


@dataclass(frozen=True)
class _Moment:
    """The time between two samples, and what each session in a statement waited for."""

    start: float
    end: float
    waits: Sequence[str | None]

    @property
    def seconds(self) -> float:
        return self.end - self.start


def phases(run: Run, samples: Sequence[Sample]) -> str:
    """Each line that the command printed as a phase that lasts until the next one.

    Beside the seconds stand the cores that the command (with its children) and the server used.
    """
    rows: list[Row] = []
    moments = [*_announced(run), (run.started + run.seconds, "")]
    for (start, name), (end, _) in pairwise(moments):
        seconds = end - start
        if seconds >= SHORTEST_SHOWN * run.seconds:
            command, server = (
                _used(samples, start, end, cpu) / seconds for cpu in (_command_cpu, _server_cpu)
            )
            cores = (f"{command:.2f}", f"{server:.2f}")
            rows.append((name, f"{seconds:.2f}", f"{seconds / run.seconds:.0%}", *cores))
    command, server = (
        _used(samples, run.started, run.started + run.seconds, cpu) / run.seconds
        for cpu in (_command_cpu, _server_cpu)
    )
    rows.append(("all", f"{run.seconds:.2f}", "100%", f"{command:.2f}", f"{server:.2f}"))
    return table(("phase", "seconds", "", "cores: command", "server"), rows)


def statements(run: Run, samples: Sequence[Sample]) -> str:
    """What the server was at, when, in how many sessions at once, and what these waited for.

    Seconds are those with at least one session in such a statement. Verbs with several objects
    have a line for all of them, too.
    """
    found: dict[str, list[_Moment]] = {}
    for sample, following in pairwise(samples):
        here: dict[str, list[str | None]] = {}
        for activity in sample.activities:
            for name in (_short(activity.query), _verb(activity.query)):
                here.setdefault(name, []).append(activity.waits_for)
        for name, waits in here.items():
            moment = _Moment(sample.at, following.at, waits)
            found.setdefault(name, []).append(moment)
    rows: list[Row] = []
    for name, moments in sorted(found.items(), key=lambda item: item[1][0].start):
        seconds = sum(moment.seconds for moment in moments)
        if seconds >= SHORTEST_SHOWN * run.seconds:
            first, last = moments[0].start - run.started, moments[-1].end - run.started
            sessions = sum(moment.seconds * len(moment.waits) for moment in moments)
            parallel = f"{sessions / seconds:.1f}"
            row = (name, f"{first:.1f}-{last:.1f}", f"{seconds:.2f}", parallel, _waits(moments))
            rows.append(row)
    return table(("statement", "from-to", "seconds", "sessions", "waits for"), rows)


def _waits(moments: Sequence[_Moment]) -> str:
    """The kinds of events that sessions waited for, with their shares of the sessions' time."""
    spent: dict[str | None, float] = {}
    for moment in moments:
        for wait in moment.waits:
            spent[wait] = spent.get(wait, 0) + moment.seconds
    whole = sum(spent.values())
    kinds = sorted(((share, kind) for kind, share in spent.items() if kind), reverse=True)
    return ", ".join(f"{kind} {share / whole:.0%}" for share, kind in kinds)


def steps(taken: Sequence[Step]) -> str:
    """The yardstick's own statements."""
    whole = sum(step.seconds for step in taken)
    rows: list[Row] = [
        (_short(step.statement), f"{step.seconds:.2f}", f"{step.seconds / whole:.0%}")
        for step in taken
        if step.seconds >= SHORTEST_SHOWN * whole
    ]
    verbs: dict[str, float] = {}
    for step in taken:
        verbs[_verb(step.statement)] = verbs.get(_verb(step.statement), 0) + step.seconds
    rows += [(verb, f"{seconds:.2f}", f"{seconds / whole:.0%}") for verb, seconds in verbs.items()]
    return table(("statement", "seconds", ""), [*rows, ("everything", f"{whole:.2f}", "100%")])


def _announced(run: Run) -> Iterator[tuple[float, str]]:
    """When each phase began; the report, after an empty line, ends the last of them."""
    yield run.started, "(start of the process)"
    for at, line in run.lines:
        if not line:
            yield at, "(report and exit)"
            return
        yield at, line[:LONGEST_NAME]


def _used(
    samples: Sequence[Sample], start: float, end: float, cpu: Callable[[Sample], float]
) -> float:
    """CPU seconds between two moments, from the samples nearest after them."""
    moments = [sample.at for sample in samples]
    first, last = (
        samples[min(bisect_left(moments, moment), len(samples) - 1)] for moment in (start, end)
    )
    return max(0.0, cpu(last) - cpu(first))


def _command_cpu(sample: Sample) -> float:
    return sample.command_cpu


def _server_cpu(sample: Sample) -> float:
    return sample.server_cpu


def _verb(statement: str) -> str:
    """The line that sums up all statements of a kind."""
    return f"all {statement.split(maxsplit=1)[0]}"


def _short(statement: str) -> str:
    """A statement's verb and objects: no schema, no columns, no conditions."""
    text = " ".join(statement.split()).replace(" IF NOT EXISTS", "")
    text = re.sub(r'"[^"]+"\.', "", text).replace('"', "")
    if text.startswith("CREATE"):
        return text.split(" ON ")[0]
    return re.split(r" \(| AS |\(SELECT", text)[0][:LONGEST_NAME]
