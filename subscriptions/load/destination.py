"""LOAD: dlt's PostgreSQL destination, made to publish a whole load at one instant.

dlt does what it is good at: it keeps the schema, runs the COPY jobs in parallel into its staging
dataset, and notes each finished load in `_dlt_loads`. What differs is that no stored table is
touched before all are staged, and that `complete_load` brings them all into the dataset in the
one transaction that also writes dlt's note: a load is either there and noted, or not there.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlt.common.destination.client import FollowupJobRequest
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.storages.load_package import LoadJobInfo
from dlt.destinations import postgres
from dlt.destinations.impl.postgres.postgres import PostgresClient

from subscriptions.load.publication import Publication
from subscriptions.load.tables import TABLES, Disposition, Table


class DatasetClient(PostgresClient):
    """Stages every table of the dataset, and publishes them together."""

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
            staging=self.sql_client.staging_dataset_name,
            dispositions={table.name: self._disposition(table) for table in TABLES},
        )
        publication.prepare()
        with self.sql_client.begin_transaction():
            publication.publish(load_id)
            super().complete_load(load_id)

    def _disposition(self, table: Table) -> Disposition:
        """Read the table's disposition back from its dlt hints."""
        hints = self.prepare_load_table(table.name)
        if hints["write_disposition"] == "merge":
            return "scd2" if hints.get("x-merge-strategy") == "scd2" else "merge"
        return "append" if hints["write_disposition"] == "append" else "replace"


class dataset_postgres(postgres):  # noqa: N801  (dlt names its destinations in lower case)
    """The `postgres` destination with a client that publishes loads whole."""

    @property
    def client_class(self) -> type[PostgresClient]:
        """The job client that dlt runs loads with."""
        return DatasetClient
