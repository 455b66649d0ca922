"""SERVE, people: a message instead of an error where a list's address makes no sense."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup, DisallowedModelAdminToField
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, SEARCH_VAR, ChangeList
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin

BAD_FILTER = (
    "This list has no such page, order or filter, or the search was too long, so here it is from "
    "the start."
)
LONGEST_NUMBER = 9  # digits
LONGEST_SEARCH = 500  # characters; of accounts each word is one condition more
NOT_ALLOWED = DisallowedModelAdminLookup, DisallowedModelAdminToField


class ForgivingLists(ModelAdmin):
    """Lists that start anew, and say so, when somebody changes their address by hand."""

    def changelist_view(  # type: ignore[override]  # the theme forgets redirects
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, or the way to it from the start."""
        if ERROR_FLAG in request.GET:
            messages.warning(request, BAD_FILTER)
            return HttpResponseRedirect(request.path)
        anew = HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")
        number = request.GET.get(PAGE_VAR, "1")
        if not number.isdecimal() or len(number) > LONGEST_NUMBER:
            return anew
        try:
            return super().changelist_view(request, extra_context)
        except NOT_ALLOWED:
            return anew

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """What the address asks for.

        Raises:
            IncorrectLookupParameters: it makes no sense.
        """
        if len(request.GET.get(SEARCH_VAR, "")) > LONGEST_SEARCH:
            raise IncorrectLookupParameters
        return super().get_changelist_instance(request)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """The filters' own parameters alone: Django would let any column be searched in any way."""
        allowed: set[str] = set()
        for entry in self.get_list_filter(request):
            if isinstance(entry, tuple):
                allowed |= {f"{entry[0]}_from", f"{entry[0]}_to"}
            elif isinstance(entry, str):
                allowed |= {f"{entry}__exact", f"{entry}__id__exact", f"{entry}__isnull"}
            else:
                allowed.add(str(getattr(entry, "parameter_name", "")))
        return lookup in allowed
