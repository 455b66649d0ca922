"""LOAD: dlt's PostgreSQL destination, made to publish a whole load at one instant.

dlt does what it is good at: it keeps the schema, runs the COPY jobs in parallel into its staging
dataset, and notes each finished load in `_dlt_loads`. What differs is that the jobs copy rows as
they are generated (`copying`), that no stored table is touched before all are staged, and that
`complete_load` brings them all into the dataset in the one transaction that also writes dlt's
note: a load is either there and noted, or not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self, cast

import psycopg2
from dlt.common.destination.client import FollowupJobRequest, LoadJob
from dlt.common.destination.exceptions import DestinationTerminalException
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.schema.utils import is_complete_column
from dlt.common.storages.load_package import LoadJobInfo
from dlt.destinations import postgres
from dlt.destinations.impl.postgres.postgres import PostgresClient

from subscriptions.load import interruption, lock, patience
from subscriptions.load.copying import CopyJob
from subscriptions.load.publication import Publication
from subscriptions.load.schemas import columns
from subscriptions.load.staging import Staging
from subscriptions.load.tables import TABLES


class DatasetClient(PostgresClient):
    """Stages every table of the dataset, and publishes them together."""

    staging: Staging

    def __enter__(self) -> Self:
        """Connect, or end the load: the other tables' jobs would wait for one that cannot begin.

        The connection's statements end when the load is interrupted.
        """
        try:
            super().__enter__()
            interruption.track(self.sql_client.native_connection)
        except (psycopg2.Error, interruption.GivenUpError) as failure:
            self.staging.rows.stop(failure)
            raise DestinationTerminalException(str(failure)) from failure
        return self

    @contextmanager
    def maybe_ddl_transaction(self) -> Iterator[None]:
        """dlt's, with a lock on the tables that lack columns, for which it would wait for ever."""
        with super().maybe_ddl_transaction():
            cursor = self.sql_client.native_connection.cursor()
            dataset = self.sql_client.dataset_name
            lacking = [
                f'"{dataset}"."{name}"'
                for name, table in self.schema.tables.items()
                if (there := columns(cursor, dataset, name))
                and any(
                    column not in there and is_complete_column(hints)
                    for column, hints in table["columns"].items()
                )
            ]
            if lacking:
                lock = f"LOCK TABLE {', '.join(lacking)} IN ACCESS EXCLUSIVE MODE"
                patience.insist(cursor, lock, lacking)
            yield

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, *args: Any, **kwargs: Any
    ) -> LoadJob:
        """The four tables' rows are copied as they are made; the rest is dlt's own."""
        if table["name"] in {known.name for known in TABLES}:
            return CopyJob(file_path)
        return super().create_load_job(table, file_path, *args, **kwargs)

    def should_load_data_to_staging_dataset(self, table_name: str) -> bool:
        """All tables are staged, whatever their disposition; dlt's own are not."""
        return table_name not in self.schema.dlt_table_names()

    def should_truncate_table_before_load(self, table_name: str) -> bool:
        """Never: readers would see an empty table."""
        return False

    def create_table_chain_completed_followup_jobs(
        self,
        table_chain: Sequence[PreparedTableSchema],
        completed_table_chain_jobs: Sequence[LoadJobInfo] | None = None,
    ) -> list[FollowupJobRequest]:
        """None: tables are published together, not each when its own files are staged."""
        return []

    def complete_load(self, load_id: str) -> None:
        """Publish the staged load and note it in `_dlt_loads`, in one transaction."""
        publication = Publication(
            cursor=self.sql_client.native_connection.cursor(),
            dataset=self.sql_client.dataset_name,
            staged=self.sql_client.staging_dataset_name,
            staging=self.staging,
        )
        publication.prepare()
        with self.sql_client.begin_transaction():
            publication.publish(load_id)
            super().complete_load(load_id)
            # A server that was restarted meanwhile has forgotten the lock, though not the load.
            if self.staging.lock_holder is not None:
                lock.confirm(publication.cursor, publication.dataset, self.staging.lock_holder)


class dataset_postgres(postgres):  # noqa: N801  (dlt names its destinations in lower case)
    """The `postgres` destination with a client that publishes loads whole."""

    def __init__(self, staging: Staging, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._staging = staging

    @property
    def client_class(self) -> type[PostgresClient]:
        """The job client that dlt runs loads with."""
        return DatasetClient

    def client(self, *args: Any, **kwargs: Any) -> DatasetClient:
        """One of dlt's many clients, each of which knows the load that it is part of."""
        client = cast("DatasetClient", super().client(*args, **kwargs))
        client.staging = self._staging
        return client
