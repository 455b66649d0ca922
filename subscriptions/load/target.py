"""LOAD: the database that a load writes to, as psycopg and as dlt know it."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
from django.conf import settings
from django.db import connection

if TYPE_CHECKING:
    from dlt.destinations.impl.postgres.configuration import PostgresCredentials

# libpq parameters that have a place of their own in dlt's credentials; all others
# (sslmode, sslrootcert, ...) travel in the query of its URL.
_CREDENTIAL_FIELDS = {"dbname", "user", "password", "host", "port"}

# Server settings of the loading session. work_mem: comparing a staged table with the stored one
# hashes both, and a hash that spills to disk costs more than the load itself.
SESSION_OPTIONS = "-c work_mem=256MB -c maintenance_work_mem=512MB -c timezone=UTC"


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
        wanted = connection.get_connection_params()
        # Django adds objects of its own (cursor factories, type adapters) to libpq's keywords.
        parameters = {k: v for k, v in wanted.items() if isinstance(v, str | int) and v != ""}
        for session_only in ("client_encoding", "prepare_threshold"):
            parameters.pop(session_only, None)
        parameters.setdefault("connect_timeout", 10)
        return cls(parameters, settings.DATASET_NAME, settings.PIPELINE_NAME)

    def connect(self, purpose: str) -> psycopg.Connection[tuple[Any, ...]]:
        """Open an autocommitting connection that names its purpose, host and start to others."""
        started = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return psycopg.connect(
            **self.parameters,
            autocommit=True,
            application_name=f"{purpose} {started} {socket.gethostname()}"[:63],
        )

    def credentials(self) -> PostgresCredentials:
        """The same database as dlt's credentials.

        A host that is a folder (a Unix socket) goes into the URL percent-encoded.
        """
        from dlt.destinations.impl.postgres.configuration import PostgresCredentials

        p = self.parameters
        query = {k: str(v) for k, v in p.items() if k not in _CREDENTIAL_FIELDS}
        query["options"] = f"{query.get('options', '')} {SESSION_OPTIONS}".strip()
        return PostgresCredentials(
            {
                "database": p.get("dbname"),
                "username": p.get("user"),
                "password": p.get("password") or "",
                "host": quote(str(p.get("host", "localhost")), safe=""),
                "port": int(p.get("port") or 5432),
                "query": query,
            }
        )
