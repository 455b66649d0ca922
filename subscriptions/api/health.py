"""SERVE (step 4), API: whether the database answers, for the platform that watches the app."""

from __future__ import annotations

from contextlib import closing
from typing import Final

from django.db import DEFAULT_DB_ALIAS, connections
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

CONNECT_SECONDS: Final = 3


class HealthView(APIView):
    """Open to everybody, never throttled, and whatever the probe sends along is no error."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Headers of every answer."""
        return {**super().default_response_headers, "Cache-Control": "no-store"}

    def perform_content_negotiation(
        self,
        request: Request,
        force: bool = False,  # noqa: FBT001, FBT002
    ) -> tuple[BaseRenderer, str]:
        """JSON, also for probes that claim to accept something else only."""
        return JSONRenderer(), JSONRenderer.media_type

    def get(self, request: Request) -> Response:
        """200, or 503 by way of the exception that `ping` raises."""
        ping()
        return Response({"status": "ok"})


def ping() -> None:
    """Ask the database for one row.

    On a connection of its own: one that Django has kept may lead to a host that is gone, and would
    wait for it far longer than a health check may take.

    Raises:
        OperationalError: no answer.
    """
    probe = connections.create_connection(DEFAULT_DB_ALIAS)
    parameters = probe.get_connection_params() | {"connect_timeout": CONNECT_SECONDS}
    with probe.wrap_database_errors, closing(probe.get_new_connection(parameters)) as connection:
        connection.execute("SELECT 1")
