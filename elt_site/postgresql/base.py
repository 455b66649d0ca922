"""The backend: Django's for PostgreSQL, but that it asks nothing of a connection that is well."""

import select

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus


class DatabaseWrapper(base.DatabaseWrapper):
    """Looks at a kept connection before each request, as CONN_HEALTH_CHECKS wants it."""

    def is_usable(self) -> bool:
        """Whether the session goes on.

        A server that ends it, or itself, says so and closes the connection: there is something to
        read. Django would have it answer a `SELECT 1` each time, a tenth of the cost of a short
        request; that is left for when there is, and for a transaction that has failed. (A host that
        vanished silently lets either wait, until TCP gives up.)
        """
        if self.connection is None or self.connection.closed:
            return False
        look = select.poll()
        look.register(self.connection.fileno(), select.POLLIN)
        failed = self.connection.info.transaction_status is TransactionStatus.INERROR
        return super().is_usable() if failed or look.poll(0) else True
