"""What the tests of access share: the API's credentials, and a process that has just begun."""

from __future__ import annotations

from base64 import b64encode

from access import failures

RIGHT = {"username": "analyst", "password": "correct horse & battery"}


def basic(username: str, password: str) -> dict[str, str]:
    """The header of HTTP Basic."""
    return {"authorization": "Basic " + b64encode(f"{username}:{password}".encode()).decode()}


def bearer(text: str) -> dict[str, str]:
    """The header of a token."""
    return {"authorization": f"Bearer {text}"}


def another_process() -> None:
    """Forget all that this process knows, as a worker that has just been started."""
    failures.ThisProcess.picture = failures.Picture()
