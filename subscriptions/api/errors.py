"""SERVE (step 4), API: every failure as `{"error": "message"}` with the fitting status."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.utils.log import log_response
from rest_framework import views
from rest_framework.exceptions import APIException, ParseError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from elt_site.redaction import redacted_traceback
from subscriptions.api.row_formats import RowFormat


class ServiceUnavailable(APIException):
    """The database does not answer."""

    status_code = 503
    default_detail = "The database does not answer; try again in a moment."
    default_code = "unavailable"
    wait = 5  # sent as Retry-After, in seconds
    level = logging.ERROR  # somebody has to do something about it


def is_unreachable(failure: Exception) -> bool:
    """Whether Django's error says that the database does not answer.

    A time-out or a full disk is OperationalError as well, but such an answer has a code of
    PostgreSQL's appendix A that speaks neither of a connection nor of the server's start or end.
    """
    state = getattr(failure.__cause__, "sqlstate", None)
    return isinstance(failure, OperationalError | InterfaceError) and (
        state is None or state.startswith(("08", "57P", "53300"))
    )


class ServerError(APIException):
    """Whatever nobody foresaw."""

    default_detail = "The server failed to answer this; the failure is in its log."


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """Answer for a view that raised.

    Unlike REST framework's own handler it answers for unforeseen exceptions too: Django would make
    an HTML page of them, and with DEBUG on one that repeats the URL, password included.
    """
    request = context["request"]
    if isinstance(getattr(request, "accepted_renderer", None), RowFormat):
        request.accepted_renderer = JSONRenderer()  # an error is no list, in whatever format
        request.accepted_media_type = JSONRenderer.media_type
    response = views.exception_handler(exc, context)
    if response is None:
        response = views.exception_handler(_translate(exc), context)
    assert response is not None  # noqa: S101 - it knows its own exceptions
    response.data = {"error": _sentence(response.data)}
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        if settings.DEBUG:
            response.data["traceback"] = redacted_traceback(exc)
        _report(exc, response, request)
    return response


def _translate(exc: Exception) -> APIException:
    """A foreign exception as one of REST framework's."""
    match exc:
        case OperationalError() | InterfaceError() if is_unreachable(exc):
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
    unavailable = response.status_code == ServiceUnavailable.status_code
    reason = f": {' '.join(str(exc).split())}" if unavailable else ""
    log_response(
        "%s: %s%s",
        response.reason_phrase,
        request.path,
        reason,
        response=response,
        request=request,
        # Where a connection was refused says nothing of this program.
        exception=None if unavailable else exc,
        level=logging.getLevelName(getattr(exc, "level", logging.ERROR)).lower(),
    )
    if response.status_code == ServerError.status_code:
        got_request_exception.send(sender=None, request=request)
