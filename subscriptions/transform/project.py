"""TRANSFORM: dbt, run in this process on the project beside this file."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

import psycopg
import yaml
from django.conf import settings

from subscriptions.load import interruption
from subscriptions.load.target import SESSION_OPTIONS, Target

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt_common.events.base_types import EventMsg

FOLDER: Final = Path(__file__).parent
PURPOSE: Final = "transform"
# What of a URL profiles.yml does not take out, but libpq reads by itself.
_LIBPQ_VARIABLES: Final = {
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "channel_binding": "PGCHANNELBINDING",
    "gssencmode": "PGGSSENCMODE",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
# What PostgreSQL keeps of a session's name.
NAME_BYTES: Final = 63


@dataclass(frozen=True)
class Failure:
    """What stopped a build: a node of the project, and what dbt says of it."""

    name: str
    message: str
    is_test: bool
    failing_rows: int
    sql: str
    """The test's query, which selects the rows that fail it."""


def build(target: Target, *, full_refresh: bool) -> Sequence[Failure]:
    """Build and test all models in the staged schema, which holds nothing yet.

    Raises:
        Exception: dbt could not begin, say because it could not read the project.
    """
    arguments = ["build", "--target", "staged", "--log-level", "none", "--quiet", "--no-write-json"]
    if full_refresh:
        arguments.append("--full-refresh")
    with _environment(target) as session, _cancellable(target, session), _without_collections():
        done = invoke(target, arguments, [_refuse_when_given_up])
    if done.exception is not None:
        raise done.exception
    return [_failure(result) for result in getattr(done.result, "results", []) if _failed(result)]


def invoke(
    target: Target, arguments: Sequence[str], listeners: Sequence[Callable[[EventMsg], None]] = ()
) -> dbtRunnerResult:
    """Run any of dbt's commands on the project, with its files under LOCAL_DIR.

    The environment has to name the database already. The listeners are told dbt's events.
    """
    # dbt takes more than a second to import: nobody shall wait for it who does not transform.
    from dbt.cli.main import dbtRunner

    files = Path(settings.LOCAL_DIR) / "dbt" / target.folder
    places = {
        "--project-dir": FOLDER,
        "--profiles-dir": settings.BASE_DIR,
        "--target-path": files / "target",
        "--log-path": files / "logs",
    }
    named = [text for option, folder in places.items() for text in (option, str(folder))]
    if all(argument.startswith("-") for argument in arguments):
        named = []  # without a command, as in `--version`, these are none of dbt's options
    return dbtRunner(callbacks=list(listeners)).invoke([*arguments, *named])


def definitions() -> str:
    """The number of what the marts mean, as receipts of transforms have it."""
    described = yaml.safe_load((FOLDER / "dbt_project.yml").read_text(encoding="utf-8"))
    return str(described["vars"]["definitions"])


@contextmanager
def _without_collections() -> Iterator[None]:
    """Have Python look for no garbage: dbt makes little, and the looks take a tenth of its time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _environment(target: Target) -> Iterator[str]:
    """The variables that profiles.yml reads; yields the name of dbt's sessions."""
    # The dataset's lock lets one transform run at a time. A name that changed from run to run would
    # change the profile, and have dbt parse the whole project anew, which takes it seconds.
    session = f"{PURPOSE} {target.dataset}"[:NAME_BYTES]
    wanted = {**variables(target), "PGAPPNAME": session}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield session
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def variables(target: Target) -> Mapping[str, str]:
    """The database and dataset in the variables from which profiles.yml and the models take them.

    What libpq found out by itself (PGHOST, a service or password file) is asked of a connection.
    """
    with target.connect(PURPOSE) as connection:
        info = connection.info
        user, password, host = info.user, info.password, info.host
        port, database = info.port, info.dbname
    # A host that is a folder (a Unix socket) is a parameter, as in the URLs of libpq.
    query = {"host": host} if host.startswith("/") else {}
    named = "" if query else f"[{host}]" if ":" in host else host
    given = {name: str(value) for name, value in target.parameters.items()}
    if "sslmode" in given:
        query["sslmode"] = given["sslmode"]
    who = ":".join(quote(part, safe="") for part in (user, password))
    place = f"{named}:{port}/{quote(database, safe='')}"
    return {
        "DATABASE_URL": f"postgresql://{who}@{place}?{urlencode(query, quote_via=quote)}",
        "DATASET_NAME": target.dataset,
        # The session's settings are those of a load: no time-out of a role stops a transform.
        "PGOPTIONS": f"{given.get('options', '')} {SESSION_OPTIONS}".strip(),
        **{variable: given[name] for name, variable in _LIBPQ_VARIABLES.items() if name in given},
    }


def _refuse_when_given_up(event: EventMsg) -> None:
    """Have dbt's next statement fail once the run is given up.

    Nothing else stops dbt: it goes on with other models when one's statement was cancelled, and
    reading the project, which no signal interrupts, may outlast the command's clearing away.
    """
    if event.info.name == "SQLQuery" and interruption.is_given_up():
        raise interruption.GivenUpError


@contextmanager
def _cancellable(target: Target, session: str) -> Iterator[None]:
    """Cancel what dbt's sessions are doing when the command is interrupted."""

    def cancel() -> None:
        # Another database of the server may have a dataset of this name.
        query = """
            SELECT pg_cancel_backend(pid) FROM pg_stat_activity
            WHERE application_name = %s AND datname = current_database() AND usename = current_user
        """
        with (
            suppress(psycopg.Error),  # where the server is gone, so are they
            target.connect(PURPOSE, cancellable=False) as connection,
        ):
            connection.execute(query, (session,))

    with interruption.stopping(cancel, Path(settings.LOCAL_DIR) / "dbt" / target.folder):
        yield


def _failed(result: Any) -> bool:
    return str(result.status) in {"error", "fail", "runtime error"}


def _failure(result: Any) -> Failure:
    node = result.node
    return Failure(
        name=node.name,
        # Where dbt keeps the SQL, which it says too, is of no use once the staged schema is gone.
        message=" ".join(str(result.message).partition("compiled code at")[0].split()),
        is_test=str(result.status) == "fail",
        failing_rows=result.failures or 0,
        sql=getattr(node, "compiled_code", None) or "",
    )


def failing_rows(connection: psycopg.Connection[Any], failure: Failure, most: int) -> Sequence[str]:
    """The first rows that fail a test, each as text; while the staged tables are still there."""
    query = f"SELECT to_jsonb(failing)::text FROM ({failure.sql}) AS failing LIMIT {most}"
    return [text for (text,) in connection.execute(query.encode()).fetchall()]
