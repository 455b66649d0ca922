"""ACCESS: the address that a request came from, as far as it can be believed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

from django.conf import settings

# What one customer is given at least, and may change addresses within.
IPV6_PREFIX: Final = 64
# Some proxies add the port: 192.0.2.1:4711, [2001:db8::1]:4711.
WITH_PORT: Final = re.compile(r"\[(?P<v6>[^\]]+)\](?::\d+)?|(?P<v4>[0-9.]+):\d+")


def client_address(meta: Mapping[str, Any]) -> str:
    """The client's IPv4 address, or the /64 that its IPv6 address lies in.

    Each proxy appends the address that it was called from to X-Forwarded-For. So only as many
    entries from its end are believed as there are proxies (NUM_PROXIES); what stands before them
    may be anything that a client wrote itself. Where a proxy's entry is no address, all that came
    through this proxy count as one.

    Args:
        meta: the request's `META`.
    """
    peer = str(meta.get("REMOTE_ADDR", ""))
    forwarded = meta.get("HTTP_X_FORWARDED_FOR")
    if not settings.NUM_PROXIES or not forwarded:
        return network(peer)
    chain = str(forwarded).split(",")
    return network(chain[-min(settings.NUM_PROXIES, len(chain))].strip()) or network(peer)


@lru_cache(maxsize=1024)
def network(text: str) -> str:
    """What an address counts as; empty for what is none, as the peer of a Unix socket is."""
    if match := WITH_PORT.fullmatch(text):
        text = match["v6"] or match["v4"]
    try:
        address: IPv4Address | IPv6Address | None = ip_address(text)
    except (AddressValueError, ValueError):
        return ""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return str(IPv6Network((int(address), IPV6_PREFIX), strict=False))
        address = address.ipv4_mapped
    return str(address)
