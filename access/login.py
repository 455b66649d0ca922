"""ACCESS: the admin's sign-in form, whose failures count like the API's."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from unfold.forms import AuthenticationForm

from access import failures
from access.addresses import client_address
from access.failures import TooManyFailures

_login = admin.site.login


class CountedAuthenticationForm(AuthenticationForm):
    """The theme's form; after too many failures it compares nothing, and says how long to wait."""

    request: HttpRequest

    def clean(self) -> dict[str, Any]:
        """Compare name and password, unless the address or the name is refused."""
        username = self.cleaned_data.get("username")
        if not username or not self.cleaned_data.get("password"):
            return dict(self.cleaned_data)  # the fields have complained
        try:
            return self._compare(str(username))
        except TooManyFailures as refusal:
            self.request.refusal = refusal  # type: ignore[attr-defined]
            raise ValidationError(str(refusal.detail)) from refusal

    def _compare(self, username: str) -> dict[str, Any]:
        address = client_address(self.request.META)
        failures.refuse_address(address)
        failures.refuse_name(username)
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            failures.count(address, username)
            raise
        return cleaned


def login(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Django's view, whose answer is 429 with Retry-After where the form refused."""
    response = _login(request, extra_context)
    refusal: TooManyFailures | None = getattr(request, "refusal", None)
    if refusal is not None:
        response.status_code = refusal.status_code
        response.headers["Retry-After"] = str(refusal.wait)
    return response
