"""What can be said of a callback URL when it is given."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from ipaddress import ip_address

import httpx

from vidgend.egress import Network, check_address
from vidgend.http.problems import InvalidFields

_ODD_IPV4 = re.compile(r"[0-9a-fx.]+", re.IGNORECASE)


def check_callback_url(url: str, allow: Iterable[Network] = ()) -> None:
    """What can be said of a callback URL without asking the network: its form, and an address that is written out.

    Raises: InvalidFields, TargetForbidden.
    """
    refusal = InvalidFields([{"pointer": "/callback_url", "detail": "must be http(s)://host/... without a password"}])
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise refusal from None
    host = parsed.raw_host.decode("ascii").rstrip(".").lower()
    port = 443 if parsed.port is None else parsed.port
    if parsed.scheme not in ("http", "https") or not host or parsed.userinfo or not 1 <= port <= 65_535:
        raise refusal
    if host == "localhost" or host.endswith(".localhost"):
        host = "127.0.0.1"
    literal = _literal(host)
    if literal is not None:
        check_address(literal, allow)


def _literal(host: str) -> str | None:
    """The address that `host` spells, also in the old forms such as 127.1 and 0x7f000001; None for a name."""
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    if not _ODD_IPV4.fullmatch(host):
        return None
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None
