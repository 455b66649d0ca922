"""SERVE, people: what every admin of the dataset's models does, and never does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.exceptions import DisallowedModelAdminLookup, DisallowedModelAdminToField
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import DataError, connection, models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from unfold.admin import ModelAdmin

COUNTED = 10_000
BAD_FILTER = "That search or filter is not one this list has, so it was taken away."


def exists(model: type[models.Model]) -> bool:
    """Whether the model's table or view is there, which it is not before the first load.

    Asked beforehand, because a failed query would end the transaction that it is in.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [model._meta.db_table])
        return bool(cursor.fetchone()[0])


class BoundedPaginator(Paginator):
    """Counts, and pages, no further than a person would: its cost does not grow with the table."""

    template_name = "admin/subscriptions/pagination.html"

    @cached_property
    def count(self) -> int:
        """The number of rows, at most COUNTED."""
        rows: models.QuerySet[models.Model] = self.object_list  # type: ignore[assignment]
        return rows.order_by()[:COUNTED].count()

    @property
    def bounded(self) -> bool:
        """Whether there may be more rows than were counted."""
        return self.count == COUNTED


class ReadOnlyAdmin(ModelAdmin):
    """Lists and shows rows; adds, changes and deletes none.

    Related rows are prefetched, never joined: after an `append` a key can be current more than
    once, and a join would multiply the rows of the list.
    """

    actions = None
    list_filter_submit = True
    list_max_show_all = 0
    list_per_page = 50
    list_select_related = ()  # False would join whatever foreign key is among the columns
    paginator = BoundedPaginator
    show_facets = ShowFacets.NEVER
    show_full_result_count = False
    change_form_template = "admin/subscriptions/record.html"

    prefetch: ClassVar[Sequence[str]] = ()

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Nobody may: the next load would not know of it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody may."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody may."""
        return False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """The rows with their foreign keys, in one query more for each."""
        related = [field.name for field in self.model._meta.fields if field.is_relation]
        return super().get_queryset(request).prefetch_related(*related, *self.prefetch)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any | None:
        """The row with this key: the first of them after an `append`, None if there is none."""
        try:
            key = self.model._meta.pk.to_python(object_id)
        except ValidationError:
            return None
        if "\0" in str(key):
            return None
        return self.get_queryset(request).filter(pk=key).order_by("pk").first()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; without data what to run, with a senseless URL the list and a message."""
        if not exists(self.model):
            return self.no_data(request)
        if ERROR_FLAG in request.GET:
            messages.warning(request, BAD_FILTER)
        title = capfirst(str(self.opts.verbose_name_plural))
        try:
            return super().changelist_view(request, {"title": title, **(extra_context or {})})
        except (DisallowedModelAdminLookup, DisallowedModelAdminToField, DataError):
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """One row, with what `related` adds to it."""
        if not exists(self.model):
            return self.no_data(request)
        return super().changeform_view(
            request, object_id, form_url, {"show_history": False, **(extra_context or {})}
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Add the sections below the fields."""
        context["sections"] = self.related(kwargs["obj"])
        context["title"] = str(kwargs["obj"])
        context["subtitle"] = None
        return super().render_change_form(request, context, *args, **kwargs)

    def related(self, row: Any) -> list[Any]:
        """The sections below a row's fields: bounded excerpts of what belongs to it."""
        return []

    def no_data(self, request: HttpRequest) -> HttpResponse:
        """The page that says which command loads data."""
        context = {
            **self.admin_site.each_context(request),
            "title": capfirst(str(self.opts.verbose_name_plural)),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/subscriptions/no_data.html", context)
