"""What can be said of an address from outside when it is given, before anything is asked of the network."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from ipaddress import ip_address

import httpx

from vidgend.egress import Network, check_address
from vidgend.errors import CallbackForbidden, TargetForbidden
from vidgend.http.problems import InvalidFields

_ODD_IPV4 = re.compile(r"[0-9a-fx.]+", re.IGNORECASE)

_PORT = re.compile(r"[a-z]+://[^/?#]*:([0-9]{1,5})(?:[/?#]|$)", re.IGNORECASE)


def check_callback_url(url: str, allow: Iterable[Network] = (), *, pointer: str = "/callback_url") -> None:
    """Its form, and an address that is written out; `pointer` is its place in the body.

    Raises: InvalidFields, CallbackForbidden.
    """
    try:
        check_url(url, allow, pointer=pointer)
    except TargetForbidden as error:
        raise CallbackForbidden(error.detail) from None


def check_url(url: str, allow: Iterable[Network] = (), *, pointer: str) -> httpx.URL:
    """The same of any address. Raises: InvalidFields, TargetForbidden."""
    port = _PORT.match(url)
    if port is not None and not 1 <= int(port[1]) <= 65_535:
        raise InvalidFields([{"pointer": pointer, "detail": "must have a port from 1 to 65535, or none"}])
    refusal = InvalidFields([{"pointer": pointer, "detail": "must be http(s)://host/... without a password"}])
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise refusal from None
    if not is_web_address(parsed):
        raise refusal
    check_literal(parsed, allow)
    return parsed


def is_web_address(url: httpx.URL) -> bool:
    port = 443 if url.port is None else url.port
    return url.scheme in ("http", "https") and bool(_host(url)) and not url.userinfo and 1 <= port <= 65_535


def check_literal(url: httpx.URL, allow: Iterable[Network]) -> None:
    """An address that stands there instead of a name. Raises: TargetForbidden."""
    host = _host(url)
    if host == "localhost" or host.endswith(".localhost"):
        host = "127.0.0.1"
    literal = _literal(host)
    if literal is not None:
        check_address(literal, allow)


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii").rstrip(".").lower()


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
