"""Every operation of the document, called with whatever its parameters allow, and with what not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final, cast

import pytest
import schemathesis
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, Verbosity, given
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from subscriptions.api.documentation.document import document
from subscriptions.tests.api.conftest import basic

pytestmark = pytest.mark.usefixtures("dataset", "db")

SITE: Final = get_wsgi_application()
CHECKS: Final = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
EXAMPLES: Final = 25  # for each operation and mode; the same ones in every run


def whole_answers(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """The site, each of whose answers ends before the next begins: lists hold places meanwhile."""
    response = SITE(environ, start_response)
    with closing(response):
        return [b"".join(response)]


def operations() -> list[Any]:
    config = SchemathesisConfig()
    config.projects.default.generation.update(with_security_parameters=False, allow_x00=True)
    schema = schemathesis.openapi.from_dict(document(), config=config)
    schema.app = whole_answers
    found: list[Any] = [cast("Any", result).ok() for result in schema.get_all_operations()]
    return [
        pytest.param(operation, mode, id=f"{operation.path}-{mode.value}")
        for operation in found
        for mode in GenerationMode
        if mode.is_positive or operation.query or operation.path_parameters  # to get wrong
    ]


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """The tests' connection stays open between requests, as Django's own test client sees to."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.parametrize(("operation", "mode"), operations())
def test_conformance(operation: Any, mode: GenerationMode) -> None:
    headers = {
        "Authorization": basic(settings.BASIC_AUTH_USERNAME, settings.BASIC_AUTH_PASSWORD),
        "Accept-Encoding": "identity",  # the client here does not decode
    }

    @hypothesis_settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def conform(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    conform()
