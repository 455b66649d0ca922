"""SERVE (step 4), API documentation: the ways in which a request says who asks."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from subscriptions.api.authentication import PASSWORD, USERNAME

Requirements = list[dict[str, list[Any]]]

BASIC: Final = "basic"
BEARER: Final = "bearer"


class CredentialSchemes(OpenApiAuthenticationExtension):
    """Any will do; the two query parameters are one together.

    A session is for browsers, which send it by themselves.
    """

    target_class = "subscriptions.api.authentication.EveryCredential"
    name = [BASIC, BEARER, USERNAME, PASSWORD]  # noqa: RUF012 - as its base class has it

    def get_security_requirement(self, auto_schema: AutoSchema) -> Requirements:
        """Alternatives; the settings may turn those of the URL off."""
        in_url: Requirements = [{USERNAME: [], PASSWORD: []}] if settings.QUERY_CREDENTIALS else []
        return [{BASIC: []}, {BEARER: []}, *in_url]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        """In the order of their names."""
        return [
            {
                "type": "http",
                "scheme": "basic",
                "description": "HTTP Basic with the settings' username and password. Prefer it: "
                "headers are not kept where URLs are.",
            },
            {
                "type": "http",
                "scheme": "bearer",
                "description": "A personal token, made in the admin or by `manage.py "
                "create_token`: named, read-only, expiring, and revocable by itself.",
            },
            {
                "type": "apiKey",
                "in": "query",
                "name": USERNAME,
                "description": "For clients that can be given no more than a URL; goes with "
                "`password`.",
            },
            {
                "type": "apiKey",
                "in": "query",
                "name": PASSWORD,
                "description": "Goes with `username`. URLs end up in histories and in proxies' "
                "logs, so prefer the header. Percent-encode `&`, `#`, `+` and `%`.",
            },
        ]
