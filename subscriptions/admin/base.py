"""SERVE, people: what every admin of the dataset's models does, and never does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django.contrib.admin import ShowFacets
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst

from subscriptions.admin.display import Columns, Section
from subscriptions.admin.export import Exported
from subscriptions.admin.listing import Listing
from subscriptions.admin.stretch import exists


class ReadOnlyAdmin(Columns, Exported):  # type: ignore[misc]  # the theme's mixins differ
    """Lists and shows rows; adds, changes and deletes none.

    Related rows are prefetched, never joined: after an `append` a key can be current more than
    once, and a join would multiply the rows of the list.
    """

    actions = None
    list_filter_submit = True
    list_max_show_all = 0
    list_per_page = 50
    list_select_related = ()  # False would join whatever foreign key is among the columns
    show_facets = ShowFacets.NEVER
    show_full_result_count = False
    change_form_template = "admin/subscriptions/record.html"

    prefetch: ClassVar[Sequence[str]] = ()
    provenance: ClassVar[tuple[str, dict[str, Any]] | None] = None

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nobody may: the next load would not know of it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nobody may."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nobody may."""
        return False

    def get_changelist(  # type: ignore[override]  # the theme annotates an instance
        self, request: HttpRequest, **kwargs: object
    ) -> type[Listing]:
        """The list's class."""
        return Listing

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """The rows with their foreign keys, in one query more for each."""
        related = [field.name for field in self.model._meta.fields if field.is_relation]
        return super().get_queryset(request).prefetch_related(*related, *self.prefetch)

    def search_ways(self, term: str) -> list[Q]:
        """What a search term may mean; an index serves each of them."""
        term = term.strip()
        return [Q(**{str(field): term}) for field in self.search_fields] if term else []

    def search_condition(self, term: str) -> Q:
        """Any of what a search term may mean."""
        return reduce(or_, self.search_ways(term), Q())

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """The rows that are meant, none of them twice."""
        return queryset.filter(self.search_condition(search_term)), False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> models.Model | None:
        """The row with this key: the first of them after an `append`, None if there is none."""
        try:
            key = self.model._meta.pk.to_python(object_id)
        except ValidationError:
            return None
        if "\0" in str(key) or not exists(self.model):
            return None
        row: models.Model | None = self.get_queryset(request).filter(pk=key).first()
        return row

    def changelist_view(  # type: ignore[override]  # the theme forgets redirects
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; without data what to run."""
        if not exists(self.model):
            return self.no_data(request)
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def changeform_view(  # type: ignore[override]
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One row; without data what to run."""
        if not exists(self.model):
            return self.no_data(request)
        # Django's own log of changes, of which there are none.
        context = {"show_history": False, **(extra_context or {})}
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return response

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001, FBT002 - Django's signature
        change: bool = False,  # noqa: FBT001, FBT002
        form_url: str = "",
        obj: models.Model | None = None,
    ) -> HttpResponse:
        """Add what belongs to the row, and call the page by the row's name."""
        if obj is not None:
            title = str(obj)
            if title == str(obj.pk):  # the page would begin an id with a capital letter
                title = f"{capfirst(str(self.opts.verbose_name))} {title}"
            context |= {"title": title, "subtitle": None, **self.extras(obj)}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """The fields, and where they come from."""
        fieldsets = [*super().get_fieldsets(request, obj)]
        return [*fieldsets, self.provenance] if self.provenance else fieldsets

    def extras(self, row: Any) -> dict[str, Any]:
        """What the template of a row's page gets."""
        return {"sections": self.sections(row)}

    def sections(self, row: Any) -> Sequence[Section]:
        """Bounded excerpts of what belongs to a row."""
        return ()

    def no_data(self, request: HttpRequest) -> HttpResponse:
        """The page that says which command loads data."""
        context = {
            **self.admin_site.each_context(request),
            "title": capfirst(str(self.opts.verbose_name_plural)),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/subscriptions/no_data.html", context)
