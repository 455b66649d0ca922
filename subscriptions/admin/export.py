"""SERVE, people: a whole list as CSV, as it is filtered, searched and ordered, streamed."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.text import slugify

from subscriptions.admin.bad_addresses import NOT_ALLOWED, ForgivingLists
from subscriptions.admin.display import url
from subscriptions.admin.stretch import exists
from subscriptions.api.row_answers import Rows
from subscriptions.api.row_formats import SafeCSVRows
from subscriptions.api.slots import Busy
from subscriptions.history import Versions
from subscriptions.models import Row

VALIDITY = ("valid_from", "valid_to")
STORED = {*VALIDITY, *(str(field.column) for field in Row._meta.fields)}


class Exported(ForgivingLists):
    """Lists with a link to a file of all that they hold, however far a person would page.

    PostgreSQL writes the lines, and each is sent while the next ones are written. People open such
    files in spreadsheets: text that one would run as a formula gets an apostrophe.
    """

    def get_urls(self) -> list[URLPattern]:
        """The file's address, before those of the records, which could have that name."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        view = self.admin_site.admin_view(self.export_view)
        urls: list[URLPattern] = super().get_urls()
        return [path("export/", view, name=name), *urls]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The file for who may see the list; a senseless address leads to the list, and a busy
        server says so.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not exists(self.model):
            return HttpResponseRedirect(url(self.model))
        try:
            rows = self.get_changelist_instance(request).queryset
        except (IncorrectLookupParameters, *NOT_ALLOWED):
            return HttpResponseRedirect(f"{url(self.model)}?{ERROR_FLAG}=1")
        name = slugify(str(self.opts.verbose_name_plural))
        try:
            answer = listed(self.model, rows, name).answer(request.META, few=False)
        except Busy as busy:
            return HttpResponse(
                f"{busy.detail}\n",
                status=HTTPStatus.SERVICE_UNAVAILABLE,
                content_type="text/plain; charset=utf-8",
                headers={"Retry-After": str(busy.wait), "Cache-Control": "no-store"},
            )
        answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        answer["Cache-Control"] = "private, no-store"
        return answer


def listed(model: type[Model], rows: QuerySet[Any], name: str) -> Rows:
    """A list's rows with the columns that people know: none of dlt's, which tell rows apart."""
    columns = [str(field.column) for field in model._meta.concrete_fields]
    types = model
    if issubclass(model, Row):
        *others, key = [column for column in columns if column not in STORED]
        columns = [key, *others, *VALIDITY]
    if isinstance(rows, Versions):
        rows = rows.keyed()
        types = rows.model._meta.get_field("current").related_model
    return Rows(name, types, columns, rows, SafeCSVRows())
