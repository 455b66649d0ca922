"""LOAD: the database that a load writes to, as psycopg and as dlt know it."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.utils import ConnectionHandler

from subscriptions.load import interruption

if TYPE_CHECKING:
    from dlt.destinations.impl.postgres.configuration import PostgresCredentials

# libpq parameters that have a place of their own in dlt's credentials; all others
# (sslmode, sslrootcert, ...) travel in the query of its URL.
_CREDENTIAL_FIELDS = {"dbname", "user", "password", "host", "port", "service", "connect_timeout"}

# Server settings of the loading session. work_mem: comparing a staged table with the stored one
# hashes both, and a hash that spills to disk costs more than the load itself.
# The time-outs are off, because those of a role or server are meant for requests, not for loads;
# but nobody who holds a table shall keep a load waiting for more than a minute.
SESSION_OPTIONS = (
    "-c work_mem=256MB -c maintenance_work_mem=512MB -c timezone=UTC"
    " -c statement_timeout=0 -c lock_timeout=50s -c idle_in_transaction_session_timeout=0"
)
# Settings that not every server knows: from which version on, and what a load wants. The last one
# ends what a killed load's session is still doing; servers on Windows refuse it.
_LATER_SETTINGS = {
    "idle_session_timeout": (140000, "0"),
    "transaction_timeout": (170000, "0"),
    "client_connection_check_interval": (140000, "2s"),
}

# A network that drops a connection in silence is noticed within a minute, not within hours.
_CONNECTION_DEFAULTS = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}


@dataclass(frozen=True)
class Target:
    """One dataset in one PostgreSQL database."""

    parameters: dict[str, Any]  # libpq keywords: host, port, dbname, user, password, sslmode ...
    dataset: str
    pipeline: str

    @classmethod
    def from_settings(cls) -> Target:
        """The target that the Django project itself is configured for.

        Raises:
            django.db.OperationalError: the embedded server cannot be started.
        """
        return cls._of(connection.get_connection_params())

    @classmethod
    def of(cls, database: Mapping[str, object]) -> Target:
        """The target in another database, which is described as in Django's DATABASES.

        Raises:
            django.db.OperationalError: the embedded server cannot be started.
        """
        handler = ConnectionHandler({DEFAULT_DB_ALIAS: dict(database)})
        return cls._of(handler[DEFAULT_DB_ALIAS].get_connection_params())

    @classmethod
    def _of(cls, wanted: Mapping[str, Any]) -> Target:
        # Django adds objects of its own (cursor factories, type adapters) to libpq's keywords.
        parameters = {k: v for k, v in wanted.items() if isinstance(v, str | int) and v != ""}
        for ours in ("application_name", "client_encoding", "prepare_threshold"):
            parameters.pop(ours, None)
        for name, value in _CONNECTION_DEFAULTS.items():
            parameters.setdefault(name, value)
        return cls(parameters, settings.DATASET_NAME, settings.PIPELINE_NAME)

    def connect(
        self, purpose: str, options: str = "", *, cancellable: bool = True
    ) -> psycopg.Connection[tuple[Any, ...]]:
        """Open an autocommitting connection that names its purpose, start and process to others.

        Args:
            purpose: what it is for, in one word.
            options: server settings beside those of the target and of every load.
            cancellable: whether its statements end when the load is interrupted; not those that
                clear away after that.
        """
        wanted = f"{self.parameters.get('options', '')} {SESSION_OPTIONS} {options}".strip()
        opened = psycopg.connect(
            **{**self.parameters, "options": wanted},
            autocommit=True,
            application_name=application_name(purpose),
        )
        _take_later_settings(opened)
        if cancellable:
            interruption.track(opened)
        return opened

    def credentials(self) -> PostgresCredentials:
        """The same database as dlt's credentials.

        What libpq found out by itself (PGHOST, a service or password file) is asked of an open
        connection, because dlt would not. A host that is a folder (a Unix socket) goes into the
        URL percent-encoded, as the database's name does.
        """
        from dlt.destinations.impl.postgres.configuration import PostgresCredentials

        with self.connect("load_faker_data") as connection:
            taken = _take_later_settings(connection)
            later = "".join(f" -c {name}={value}" for name, value in taken.items())
            info = connection.info
            found = {
                "database": quote(info.dbname, safe=""),
                "username": info.user,
                "password": info.password or "",
                "host": quote(info.host, safe=""),
                "port": info.port,
            }
        query = {k: str(v) for k, v in self.parameters.items() if k not in _CREDENTIAL_FIELDS}
        # A parameter of its own would keep the plus signs that dlt's URL makes of spaces.
        name = application_name("load_faker_data").replace(" ", "\\ ")
        of_session = f"{SESSION_OPTIONS}{later} -c application_name={name}"
        query["options"] = f"{query.get('options', '')} {of_session}".strip()
        return PostgresCredentials(
            {
                **found,
                "connect_timeout": int(self.parameters.get("connect_timeout", 10)),
                "query": query,
            }
        )

    @property
    def folder(self) -> str:
        """A name for this dataset in this database, by which its files are told from others'."""
        where = [str(self.parameters.get(key, "")) for key in ("host", "port", "dbname", "service")]
        digest = hashlib.sha256("\0".join(where).encode()).hexdigest()[:8]
        return f"{self.dataset}-{digest}"


def _take_later_settings(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Give the session the settings that its server knows, and return them."""
    taken = {}
    for name, (since, value) in _LATER_SETTINGS.items():
        if connection.info.server_version >= since:
            with suppress(psycopg.errors.InvalidParameterValue):
                connection.execute(f"SET {name} = '{value}'".encode())
                taken[name] = value
    return taken


def application_name(purpose: str) -> str:
    """How a session names itself in pg_stat_activity: purpose, start, process and host.

    PostgreSQL keeps 63 bytes, so the end of the host's name may be missing.
    """
    started = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{purpose} {started}, process {os.getpid()} on {socket.gethostname()}"[:63]
