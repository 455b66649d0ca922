"""SERVE, people: who may sign in to the admin; Django's accounts, not the business's users."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from subscriptions.admin.bad_addresses import ForgivingLists

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class AccountAdmin(ForgivingLists, BaseUserAdmin):  # type: ignore[misc,type-arg]
    """Accounts of people who sign in here."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm

    def changelist_view(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list under a title that does not mix them up with the business's users."""
        return super().changelist_view(request, {"title": "Accounts", **(extra_context or {})})


@admin.register(Group)
class RoleAdmin(ForgivingLists, BaseGroupAdmin):  # type: ignore[misc]
    """What accounts may do, in groups."""
