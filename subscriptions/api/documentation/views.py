"""SERVE (step 4), API documentation: the paths that answer it, for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import get_conditional_response
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from subscriptions.api import content_coding, links
from subscriptions.api.documentation.document import encoded_document
from subscriptions.api.views import ApiView

# Redoc makes two <style> elements: one empty, to which it then adds rules by script, and one with
# the rules of its scroll bars. Both are allowed by their hashes, which allow no other text and no
# style attribute, as `unsafe-inline` would. A browser says what the hash of a new release is.
EMPTY_STYLE: Final = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
SCROLL_BARS: Final = "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"
# Otherwise the site's policy for the API.
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' {EMPTY_STYLE} {SCROLL_BARS}",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


class OpenView(ApiView):
    """A view for everybody, whose answer is the same for all of them."""

    authentication_classes = ()
    permission_classes = ()

    @property
    def query_parameters(self) -> frozenset[str]:
        """None; there is one format."""
        return frozenset()

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Kept by whoever likes, and asked for again by its ETag."""
        return {
            **super().default_response_headers,
            "Cache-Control": "no-cache",
            "Vary": "Accept-Encoding",
        }

    def perform_content_negotiation(
        self,
        request: Request,
        force: bool = False,  # noqa: FBT001, FBT002
    ) -> tuple[BaseRenderer, str]:
        """JSON for what the view does not answer itself, its errors; browsers accept it, too."""
        return JSONRenderer(), JSONRenderer.media_type


class DocumentView(OpenView):
    """This document, as OpenAPI 3.1: for client generators, gateways and tests."""

    def get(self, request: Request) -> HttpResponseBase:
        """The document."""
        coding = content_coding.chosen(request.headers.get("Accept-Encoding", ""))
        body, tag = encoded_document(coding)
        unchanged = get_conditional_response(cast("HttpRequest", request), etag=tag)
        answer = unchanged or HttpResponse(body, content_type="application/json")
        if coding != content_coding.IDENTITY and not unchanged:
            answer["Content-Encoding"] = coding
        answer["ETag"] = tag
        return answer


class PageView(OpenView):
    """A page that shows the document, with scripts and styles that this server holds."""

    template: ClassVar[str]
    headers_of_page: ClassVar[Mapping[str, str]] = {}

    def get(self, request: Request) -> HttpResponseBase:
        """The page; its script reads the document."""
        navigation = [(end, reverse(end.url_name)) for end in links.ENDPOINTS]
        page = render_to_string(self.template, {"navigation": navigation})
        return HttpResponse(page, headers=dict(self.headers_of_page))


class DocsView(PageView):
    """The reference to try out: each operation can be sent from the page (Swagger UI)."""

    template = "documentation/swagger.html"


class RedocView(PageView):
    """The reference to read: one long page with all operations (Redoc)."""

    template = "documentation/redoc.html"
    headers_of_page: ClassVar[Mapping[str, str]] = {"Content-Security-Policy": POLICY}
