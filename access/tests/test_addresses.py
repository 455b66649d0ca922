"""Client addresses: no more of X-Forwarded-For is believed than proxies have written."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from access.addresses import client_address


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, None, "198.51.100.1"),
        (0, "203.0.113.9", "198.51.100.1"),
        (1, None, "198.51.100.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "192.0.2.66, 203.0.113.9", "203.0.113.9"),
        (2, "192.0.2.66, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "10.0.0.1", "10.0.0.1"),
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, "[2001:db8::1]:4711", "2001:db8::/64"),
        (1, "unknown", "198.51.100.1"),
        (1, "192.0.2.66,", "198.51.100.1"),
    ],
)
def test_who_is_believed(
    settings: Settings, proxies: int, forwarded: str | None, expected: str
) -> None:
    settings.NUM_PROXIES = proxies
    meta = {"REMOTE_ADDR": "198.51.100.1"}
    assert client_address(meta | ({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {})) == (
        expected
    )


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_what_counts_as_one(settings: Settings, peer: str, expected: str) -> None:
    settings.NUM_PROXIES = 0
    assert client_address({"REMOTE_ADDR": peer}) == expected
