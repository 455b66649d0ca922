"""SERVE (step 4), API: failures outside its views, in the API's shape as well."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_cache_control
from django.utils.html import format_html
from django.utils.log import log_response
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter
from rest_framework.response import Response

from elt_site.policies import is_admin
from elt_site.redaction import redacted_traceback
from subscriptions.api.errors import ServiceUnavailable, is_unreachable


class TracebackOnly(ExceptionReporter):
    """Django's debug page without the request, its form, the settings and the variables.

    Any of them may hold a password.
    """

    exc_value: BaseException

    def get_traceback_text(self) -> SafeString:
        """The traceback as Python prints it; it ends up in JSON or a mail, never in a page."""
        return SafeString(redacted_traceback(self.exc_value))

    get_traceback_html = get_traceback_text


class TracebackPage(TracebackOnly):
    """The same as a page, for the admin."""

    def get_traceback_html(self) -> SafeString:
        """The traceback, with what would be markup escaped."""
        return format_html("<!DOCTYPE html><pre>{}</pre>", redacted_traceback(self.exc_value))


class ErrorShape:
    """Turns Django's own error pages into the contract's JSON, but for the admin's.

    Such as for a host that is not allowed, or for an answer that cannot be rendered. URL handlers
    such as `handler500` would not do: with DEBUG on Django does not call them. Outermost, because
    other middleware fails too; the headers that it has set stay.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let the request pass, and rewrite the answer to it if it is such a page."""
        if is_admin(request):
            request.exception_reporter_class = TracebackPage
            return self.get_response(request)
        request.exception_reporter_class = TracebackOnly
        response = self.get_response(request)
        if response.status_code == HTTPStatus.MOVED_PERMANENTLY:
            # To HTTPS, with the query string and so perhaps a password in its Location.
            patch_cache_control(response, no_store=True)
        if response.status_code < HTTPStatus.BAD_REQUEST or isinstance(response, Response):
            return response
        data = {"error": f"{HTTPStatus(response.status_code).phrase}."}
        if settings.DEBUG and response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            data["traceback"] = response.text
        # A new answer: that of a static file streams, and its content cannot be set.
        answer = JsonResponse(data, status=response.status_code)
        for name, value in response.headers.items():
            answer.headers.setdefault(name, value)
        answer.headers["Content-Length"] = str(len(answer.content))
        answer.cookies = response.cookies
        patch_cache_control(answer, private=True)
        return answer


class SayUnavailable:
    """Answers 503 in one sentence where a view outside the API has no database, and logs a line."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let the request pass."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer for a view that has no database."""
        if not is_unreachable(exception):
            return None
        response = HttpResponse(
            f"{ServiceUnavailable.default_detail}\n",
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            content_type="text/plain; charset=utf-8",
            headers={"Retry-After": str(ServiceUnavailable.wait), "Cache-Control": "no-store"},
        )
        reason = " ".join(str(exception).split())
        log_response(
            "%s: %s: %s",
            response.reason_phrase,
            request.path,
            reason,
            response=response,
            request=request,
        )
        return response
