"""SERVE (step 4), API: what all answers share, and the paths that list no rows."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

from django.conf import settings
from django.db import connection
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from subscriptions.api.links import ENDPOINTS
from subscriptions.api.parameters import refuse_unknown

# Base tables only: the views of the current rows are no tables of the dataset's. Names that begin
# with an underscore are dlt's and the load's own.
TABLES = """
    SELECT tablename FROM pg_catalog.pg_tables
    WHERE schemaname = %s AND NOT starts_with(tablename, '_')
    ORDER BY tablename
"""


class ApiView(APIView):
    """A view that refuses unknown query parameters, and whose answers no proxy may keep."""

    @property
    def query_parameters(self) -> frozenset[str]:
        """Names of those that the view understands, besides the credentials'."""
        return frozenset({"format"})

    @property
    def filter_parameters(self) -> Set[str]:
        """Names of further ones, which filter."""
        return frozenset()

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Headers of every answer, errors included."""
        return {
            **super().default_response_headers,
            "Cache-Control": "private",
            "Vary": "Accept, Accept-Encoding, Authorization, Cookie",
        }

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Check who asks, then what for."""
        super().initial(request, *args, **kwargs)
        refuse_unknown(request, self.query_parameters, self.filter_parameters)


class RootView(ApiView):
    """The data of a synthetic subscription business: everything that this server offers."""

    name = "Overview"

    def get(self, request: Request) -> Response:
        """A welcome, and the address of each list."""
        links = {end.path: reverse(end.url_name, request=request) for end in ENDPOINTS}
        return Response(
            {"message": "The data of a synthetic subscription business.", "links": links}
        )


class CheckTablesView(ApiView):
    """The tables that the dataset has in the database; none before the first load."""

    name = "Check tables"

    def get_authenticators(self) -> list[BaseAuthentication]:
        """None, unless the settings ask for credentials."""
        return super().get_authenticators() if settings.PROTECT_CHECK_TABLES else []

    def get_permissions(self) -> Sequence[Any]:
        """Everybody may, unless the settings ask for credentials."""
        return super().get_permissions() if settings.PROTECT_CHECK_TABLES else []

    def get(self, request: Request) -> Response:
        """The tables' names, sorted."""
        with connection.cursor() as cursor:
            cursor.execute(TABLES, [settings.DATASET_NAME])
            return Response({"tables": [name for (name,) in cursor.fetchall()]})


class UnknownPathView(ApiView):
    """Every other path, so that this failure too has the API's shape, with DEBUG on as well."""

    name = "Not found"
    authentication_classes = ()
    permission_classes = ()

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Refuse whatever the method is."""
        APIView.initial(self, request, *args, **kwargs)
        raise NotFound("There is nothing at this path.")
