"""SERVE (step 4), API documentation: the ways in which a request says who asks."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from subscriptions.api.authentication import PASSWORD, USERNAME

BASIC: Final = "basic"


class CredentialSchemes(OpenApiAuthenticationExtension):
    """Either will do; the two query parameters are one together.

    A session is for browsers, which send it by themselves.
    """

    target_class = "subscriptions.api.authentication.EveryCredential"
    name = [BASIC, USERNAME, PASSWORD]  # noqa: RUF012 - as its base class has it

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        """Alternatives."""
        return [{BASIC: []}, {USERNAME: [], PASSWORD: []}]

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
