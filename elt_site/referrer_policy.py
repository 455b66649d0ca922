"""The admin's own Referrer-Policy, without which its forms could not be sent."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse


class AdminReferrerPolicyMiddleware:
    """Gives the admin `same-origin` where the rest of the site has `no-referrer`.

    Under `no-referrer` browsers send a form with `Origin: null`, which Django's protection
    against forged requests refuses. The admin's URLs hold no credentials.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Set the header on the admin's pages; the security middleware leaves it alone."""
        response = self.get_response(request)
        if request.path.startswith(reverse("admin:index")):
            response.headers.setdefault("Referrer-Policy", "same-origin")
        return response
