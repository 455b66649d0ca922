"""SERVE (step 4), API: every failure as `{"error": "message"}` with the fitting status."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.log import log_response
from django.views import defaults
from rest_framework import views
from rest_framework.exceptions import APIException, NotFound, ParseError, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response


class ServiceUnavailable(APIException):
    """The database does not answer."""

    status_code = 503
    default_detail = "The database does not answer; try again in a moment."
    default_code = "unavailable"
    wait = 5  # sent as Retry-After, in seconds


class ServerError(APIException):
    """Whatever nobody foresaw."""

    default_detail = "The server failed to answer this; the failure is in its log."


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """Answer for a view that raised.

    Unlike REST framework's own handler it answers for unforeseen exceptions too: Django would make
    an HTML page of them, and with DEBUG on one that repeats the URL, password included.
    """
    response = views.exception_handler(exc, context)
    if response is None:
        response = views.exception_handler(_translate(exc), context)
    assert response is not None  # noqa: S101 - it knows its own exceptions
    response.data = {"error": _sentence(response.data)}
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        if settings.DEBUG:
            response.data["traceback"] = "".join(traceback.format_exception(exc))
        _report(exc, response, context["request"])
    return response


def _translate(exc: Exception) -> APIException:
    """A foreign exception as one of REST framework's."""
    match exc:
        case OperationalError() | InterfaceError():
            return ServiceUnavailable()
        case BadRequest() | SuspiciousOperation():
            return ParseError()  # without its message, which may repeat what was sent
    return ServerError()


def _sentence(detail: object) -> str:
    """The message in REST framework's answer, however deep it lies."""
    while isinstance(detail, dict | list):
        detail = next(iter(detail.values() if isinstance(detail, dict) else detail), "")
    return str(detail)


def _report(exc: Exception, response: Response, request: Request) -> None:
    """Log it, and tell those who listen for failures, as Django does for its own views."""
    log_response(
        "%s: %s",
        response.reason_phrase,
        request.path,
        response=response,
        request=request,
        exception=exc,
    )
    if response.status_code == ServerError.status_code:
        got_request_exception.send(sender=None, request=request)


# What Django calls when a request fails before or after its view; with DEBUG on it shows a page
# of its own instead. The admin keeps Django's pages.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, such as for a host that is not allowed."""
    return _outside(request, ParseError, lambda: defaults.bad_request(request, exception))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _outside(
        request, PermissionDenied, lambda: defaults.permission_denied(request, exception)
    )


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return _outside(request, NotFound, lambda: defaults.page_not_found(request, exception))


def server_error(request: HttpRequest) -> HttpResponse:
    """500."""
    return _outside(request, ServerError, lambda: defaults.server_error(request))


def _outside(
    request: HttpRequest, error: type[APIException], django_page: Callable[[], HttpResponse]
) -> HttpResponse:
    if request.path.startswith(reverse("admin:index")):
        return django_page()
    return JsonResponse({"error": str(error.default_detail)}, status=error.status_code)
