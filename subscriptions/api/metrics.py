"""SERVE (step 4), API: `/metrics/...`, the marts: the same lists on tables with other keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, TypeVar

from django.conf import settings
from django.db import ProgrammingError, connection
from django.db.models import Model, QuerySet
from django.http import HttpResponseBase
from psycopg.errors import UndefinedTable
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from subscriptions.api.as_of import AS_OF
from subscriptions.api.filters import Filters, filters_of
from subscriptions.api.freshness import LastLoad
from subscriptions.api.lines import BLOCK
from subscriptions.api.ordering import Orderings
from subscriptions.api.row_viewsets import RowViewSet
from subscriptions.api.search import SEARCH
from subscriptions.api.serializers import RowSerializer
from subscriptions.api.views import ApiView
from subscriptions.marts import (
    ChurnMonthly,
    CohortRetention,
    CustomerLifetime,
    CustomerMonthly,
    MonthField,
    MrrMonthly,
    MrrMovements,
    PlanMovements,
    ReferralPerformance,
    TransformReceipt,
    UsageDaily,
)

M = TypeVar("M", bound=Model)

# What changes a mart is a transform; or plain dbt, which leaves no receipt where it builds some of
# them only, but another table. The planner's number of rows is that of the last ANALYZE.
NEWEST: Final = (
    "SELECT made.load_id || ' ' || made.built_at || ' ' || mart.oid, mart.reltuples"
    f" FROM {TransformReceipt._meta.db_table} AS made, pg_class AS mart"
    " WHERE mart.oid = to_regclass(%s) ORDER BY made.built_at DESC LIMIT 1"
)
MISSING: Final = (
    "The marts are not built yet: run manage.py load_faker_data, or manage.py transform where data "
    "is loaded."
)
FREE: Final = "A plan without a fee has no revenue, and so no rows."
NOBODY: Final = "the company has no users yet"
# Columns of which the marts have all values that there are, so that another one is a mistake; and
# the mart that has all of them. Not the plans' table: marts may be of an earlier load.
DIMENSIONS: Final[Mapping[str, QuerySet[Any, Any]]] = {
    **dict.fromkeys(("month", "cohort_month"), ChurnMonthly.objects.values_list("month")),
    **{
        f"{which}{column}": CustomerMonthly.objects.values_list(column)
        for column in ("plan_id", "plan_name")
        for which in ("", "from_", "to_")
    },
}


class MartViewSet(RowViewSet[M]):
    """A mart as a list, under the last part of its path; it changes with each transform."""

    filter_backends = (Filters,)
    path: ClassVar[str]

    @classmethod
    def get_extra_actions(cls) -> list[Any]:
        """None: a mart's rows have no pages of their own."""
        return []

    @property
    def query_parameters(self) -> frozenset[str]:
        """Those of the lists, but for a search and a day: marts know no history."""
        return super().query_parameters - {AS_OF, SEARCH}

    def get_view_name(self) -> str:
        """The page's title."""
        return self.path.replace("-", " ").capitalize().replace("Mrr", "MRR")

    def get_queryset(self) -> QuerySet[Any]:
        """The mart's rows."""
        return self.queryset.all()

    def list(self, request: Request) -> HttpResponseBase:
        """Every row, or those that are asked for.

        Raises:
            NotFound: the marts are not built yet.
        """
        try:
            return super().list(request)
        except NothingBuiltError:
            raise NotFound(MISSING) from None
        except ProgrammingError as error:
            if not isinstance(error.__cause__, UndefinedTable):
                raise
            raise NotFound(MISSING) from None  # plain dbt has built some of them only

    def _read_last(self) -> LastLoad | None:
        """What made the rows; None where the mart is gone.

        Raises:
            ProgrammingError: there was no transform.
        """
        table = self.queryset.model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(NEWEST, [table])
            newest = cursor.fetchone()
        if newest is None:
            return None
        made, rows = newest
        known = {self.basename: int(rows)} if rows >= 0 else {}
        return LastLoad(made, known, {})

    def _list(self, rows: QuerySet[Any]) -> HttpResponseBase:
        self._refuse_what_there_is_not()
        return self._answer(rows)

    def _answer(self, rows: QuerySet[Any]) -> HttpResponseBase:
        if self.last_load is None:
            raise NothingBuiltError
        return super()._answer(rows)

    @property
    def _there(self) -> int | None:
        assert self.last_load is not None  # noqa: S101 - as `_answer` has seen to
        return self.last_load.current.get(self.basename, self._usual_rows)

    @property
    def _usual_rows(self) -> int | None:
        """Of a mart whose rows do not grow with the users no more than a block."""
        return None if self.queryset.model is CustomerLifetime else BLOCK

    def _refuse_what_there_is_not(self) -> None:
        """Refuse a month or plan that the marts do not have, where it is asked for by itself.

        Raises:
            ParseError: the message names the parameter, and says what there is.
        """
        for name in self.request.query_params:
            column, _, comparison = name.partition("__")
            if column not in DIMENSIONS or comparison not in {"", "in"}:
                continue
            text = self.request.query_params[name]
            values = sorted(self._values(column))
            asked = set(text.split(",") if comparison else [text])
            if isinstance(self.queryset.model._meta.get_field(column), MonthField):
                there = [f"{month:%Y-%m}" for month in values]
                asked = {month[:7] for month in asked}
                says = f"there it is from {there[0]} to {there[-1]}" if there else NOBODY
            else:
                there = [str(value) for value in values]
                says = f"there it is one of {', '.join(there)}" if there else NOBODY
            if not asked.issubset(there):
                raise ParseError(
                    f'The query parameter "{name}" names what the marts do not have: {says}.'
                )

    def _values(self, column: str) -> set[Any]:
        """Those of a column that there are; plain dbt may have built this mart and no other."""
        rows = DIMENSIONS[column].all()  # anew: a queryset keeps what it has read
        if self.queryset.model is not CustomerLifetime:  # which has a row for each user
            rows = rows.union(self.queryset.values_list(column))
        return {value for (value,) in rows}


class NothingBuiltError(Exception):
    """There are no marts yet."""


def _serializer(mart: type[Model], columns: Sequence[str]) -> type[RowSerializer[Any]]:
    """The columns of a mart, in their order."""
    meta = type("Meta", (RowSerializer.Meta,), {"model": mart, "fields": tuple(columns)})
    name = f"{mart.__name__}Serializer"
    return type(name, (RowSerializer,), {"Meta": meta, "__doc__": mart.__doc__})


def _viewset(path: str, mart: type[Model], says: str) -> type[MartViewSet[Any]]:
    """The list of a mart."""
    columns = [field.name for field in mart._meta.fields if field.name != "pk"]
    key = [field.name for field in mart._meta.pk_fields]
    nullable = frozenset(field.name for field in mart._meta.fields if field.null)
    return type(
        f"{mart.__name__}ViewSet",
        (MartViewSet,),
        {
            "__doc__": says,
            "path": path,
            "queryset": mart._default_manager.all(),
            "serializer_class": _serializer(mart, columns),
            "filterset_class": filters_of(mart, columns),
            # Lifetimes, too, by what has no index: a page of a million takes a moment, and an index
            # would cost each transform a second.
            "orderings": Orderings(columns, nullable=nullable, key=key),
        },
    )


METRICS: Final[Mapping[str, type[MartViewSet[Any]]]] = {
    path: _viewset(path, mart, says)
    for path, mart, says in (
        (
            "mrr",
            MrrMonthly,
            f"Recurring revenue at each month's end, by plan and region. {FREE}",
        ),
        (
            "mrr-movements",
            MrrMovements,
            f"How each month's revenue came from the last one's, by plan and region. {FREE}",
        ),
        (
            "customers",
            CustomerMonthly,
            "Customers at each month's end, and who came and went, by plan, region and referral.",
        ),
        ("churn", ChurnMonthly, "Customers and revenue that each month lost."),
        (
            "cohorts",
            CohortRetention,
            "Of those who signed up in a month, who is a customer some months later.",
        ),
        ("plan-movements", PlanMovements, "Who moved from which plan to which, each month."),
        ("lifetimes", CustomerLifetime, "What the company has had of each user."),
        ("usage", UsageDaily, "What was done with the product each day, by plan."),
        ("referrals", ReferralPerformance, "What came of the users of each referral source."),
    )
}
"""The marts' viewsets by the last part of their paths."""


class MetricsView(ApiView):
    """What the business earns, who stays and who leaves: the marts of the last transform."""

    name = "Metrics"

    def get(self, request: Request) -> Response:
        """The address of each mart."""
        links = {path: reverse(f"api:{name_of(path)}-list", request=request) for path in METRICS}
        return Response({"message": f"The marts in {settings.DATASET_NAME}_marts.", "links": links})


def name_of(path: str) -> str:
    """The key of a list's rows, and its URL's name: the path's last part as an identifier."""
    return path.replace("-", "_")
