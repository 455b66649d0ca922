"""What a browser may do with an answer: the API's policies, and what the admin's theme needs."""

from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from subscriptions.api.authentication import CREDENTIALS, PASSWORD

# Everything comes from this site, pages show no foreign frames and appear in none. Images may be
# part of a style sheet or of a script that draws (data:), never code.
API_POLICY: Final[Mapping[str, str]] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
# The theme's Alpine evaluates the expressions that stand in its pages' attributes; and the theme
# writes its colours into each page, as Alpine and SimpleBar do sizes. No script stands in a page.
ADMIN_POLICY: Final[Mapping[str, str]] = {
    **API_POLICY,
    "script-src": "'self' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
}
PERMISSIONS: Final = ", ".join(
    f"{feature}=()"
    for feature in "camera display-capture geolocation microphone payment usb".split()
)


def written(policy: Mapping[str, str]) -> str:
    """A policy as a header's value."""
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())


class CleanAdminUrls:
    """Takes the API's credentials out of an address of the admin, where they are none.

    Somebody who is used to them may type them there; then the admin would repeat them, in the
    address that signing in leads back to, and in development on the page that knows no such page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Redirect to the same address without them."""
        if PASSWORD not in request.GET or not is_admin(request):
            return self.get_response(request)
        query = request.GET.copy()
        for name in CREDENTIALS:
            query.pop(name, None)
        address = f"{request.path}?{query.urlencode()}" if query else request.path
        return HttpResponseRedirect(address, headers={"Cache-Control": "no-store"})


class BrowserPolicies:
    """Sets Content-Security-Policy and Permissions-Policy, and the admin's own Referrer-Policy.

    The admin gets `same-origin` where the rest of the site has `no-referrer`, under which browsers
    send a form with `Origin: null`, and Django's protection against forged requests refuses that.
    The admin's URLs hold no credentials.
    """

    api_policy = written(API_POLICY)
    admin_policy = written(ADMIN_POLICY)

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Set the headers; the security middleware leaves alone what is set already."""
        response = self.get_response(request)
        headers = response.headers
        headers.setdefault("Permissions-Policy", PERMISSIONS)
        if is_admin(request):
            headers.setdefault("Referrer-Policy", "same-origin")
            headers.setdefault("Content-Security-Policy", self.admin_policy)
        else:
            headers.setdefault("Content-Security-Policy", self.api_policy)
        return response


def refuse_form(_request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 to a form that another site may have sent; Django repeats where it came from."""
    return HttpResponse(
        "This form was not sent from this site, or its page is too old: load the page again.\n",
        status=HTTPStatus.FORBIDDEN,
        content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "private"},
    )


def is_admin(request: HttpRequest) -> bool:
    """Whether the admin answers it."""
    return request.path.startswith(_admin_root())


@cache  # reversing takes longer than all the rest here, and every request asks
def _admin_root() -> str:
    return reverse("admin:index")
