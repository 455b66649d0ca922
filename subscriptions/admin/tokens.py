"""SERVE, people: personal tokens, and the sign-in form, whose failures are counted."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from access import tokens
from access.login import CountedAuthenticationForm, login
from access.models import Token
from subscriptions.admin.bad_addresses import ForgivingLists

admin.site.login_form = CountedAuthenticationForm
admin.site.login = login  # type: ignore[method-assign]

STATE_COLORS = {"active": "success", "expired": "warning", "revoked": "danger"}


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """What a person decides of a new token."""

    days = forms.IntegerField(
        initial=tokens.DEFAULT_DAYS,
        validators=[MinValueValidator(1), MaxValueValidator(tokens.LONGEST_DAYS)],
        widget=UnfoldAdminIntegerFieldWidget,
        label="Days until it expires",
        help_text="It stops by itself after that, and earlier when it is revoked.",
    )

    class Meta:
        model = Token
        fields = ("name", "days")


@admin.register(Token)
class TokenAdmin(ForgivingLists):
    """Tokens of one's own, or all of them for superusers: made, shown once, revoked."""

    form = TokenForm
    list_display = (
        "name", "owner", "begins", "state_label", "created", "expires", "last_used", "revoked"
    )  # fmt: skip
    list_display_links = ("name",)
    list_select_related = ("owner",)
    search_fields = ("name__startswith", "owner__username__startswith", "prefix__startswith")
    search_help_text = "The beginning of its name, its owner's, or the token's own"
    fields: ClassVar = (
        "name", "owner", "begins", "state_label", "created", "expires", "last_used", "revoked"
    )  # fmt: skip
    actions = ("revoke",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whoever may sign in here may read by program as well."""
        return request.user.is_staff

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """`get_queryset` says which."""
        return request.user.is_staff

    def has_add_permission(self, request: HttpRequest) -> bool:
        """For oneself."""
        return request.user.is_staff

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nobody may: a token is what it was made as, until it is revoked."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Along with an account; of itself it is revoked, and stays to be seen."""
        return bool(request.user.is_superuser)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Token]:
        """Those that the account may see."""
        return tokens.of(request.user).select_related("owner")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without deletion of many at a time."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_fields(self, request: HttpRequest, obj: Token | None = None) -> Any:
        """What can be said of a new one, or all there is to know of one."""
        return TokenForm.Meta.fields if obj is None else self.fields

    def get_form(
        self,
        request: HttpRequest,
        obj: Token | None = None,
        change: bool = False,  # noqa: FBT001, FBT002 - Django's signature
        **kwargs: Any,
    ) -> Any:
        """The form for a new one; one that is only shown has none."""
        if obj is not None:
            kwargs["form"] = forms.ModelForm
        return super().get_form(request, obj, change, **kwargs)

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form with one way to send it: they would all lead to the same page."""
        one_way = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().add_view(request, form_url, one_way | (extra_context or {}))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Make it for who asked; its text is known as long as the request lasts."""
        obj.owner = request.user
        request.token_text = tokens.issue(obj, form.cleaned_data["days"])  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: Token, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the text at once: a redirect would have to keep it somewhere for the next page."""
        context = {
            **self.admin_site.each_context(request),
            "title": obj.name,
            "opts": self.opts,
            "token": obj,
            "text": request.token_text,  # type: ignore[attr-defined]
            "api": request.build_absolute_uri("/users"),
        }
        return TemplateResponse(request, "admin/subscriptions/token_made.html", context)

    @admin.action(description="Revoke the selected tokens")
    def revoke(self, request: HttpRequest, queryset: QuerySet[Token]) -> None:
        """End them at once."""
        ended = tokens.revoke(queryset)
        messages.success(request, f"Revoked {ended} token{'' if ended == 1 else 's'}.")

    @display(description="begins with")
    def begins(self, token: Token) -> str:
        """As much of it as anybody can see."""
        return f"{token.prefix}…"

    @display(description="state", label=STATE_COLORS)
    def state_label(self, token: Token) -> str:
        """Whether it works."""
        return token.state
