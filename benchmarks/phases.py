"""Where the time goes: a watched run as tables of its phases and of the server's statements."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from benchmarks.command import Run
from benchmarks.report import table
from benchmarks.watch import Sample
from benchmarks.yardstick import Step

LONGEST_NAME = 52
SHORTEST_SHOWN = 0.01  # of the whole
Row = tuple[str, ...]


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
    """What the server was busy with, when, in how many sessions at once.

    Seconds are those with at least one session in such a statement; a session that waits for the
    client's next bytes counts as busy, and the last column says how much of it was that. Verbs
    with several objects have a line for all of them, too.
    """
    found: dict[str, list[tuple[float, float, int, int]]] = {}
    for sample, following in pairwise(samples):
        here: dict[str, list[bool]] = {}
        for activity in sample.activities:
            for name in (_short(activity.query), _verb(activity.query)):
                here.setdefault(name, []).append(activity.waits_for_client)
        for name, waits in here.items():
            length = following.at - sample.at
            found.setdefault(name, []).append((sample.at, length, len(waits), sum(waits)))
    rows: list[Row] = []
    for name, moments in sorted(found.items(), key=lambda item: item[1][0][0]):
        seconds = sum(length for _, length, _, _ in moments)
        if seconds < SHORTEST_SHOWN * run.seconds:
            continue
        sessions = sum(length * count for _, length, count, _ in moments)
        waiting = sum(length * count for _, length, _, count in moments)
        last, length, *_ = moments[-1]
        rows.append(
            (
                name,
                f"{moments[0][0] - run.started:.1f}-{last + length - run.started:.1f}",
                f"{seconds:.2f}",
                f"{sessions / seconds:.1f}",
                f"{waiting / sessions:.0%}",
            )
        )
    return table(("statement", "from-to", "seconds", "sessions", "waits for client"), rows)


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
