"""What proxies say of the request that they pass on.

Only those of the settings are believed, each about its own side, so the last entry counts: those before it may be the
client's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address

from aiohttp import web

from vidgend.http.connections import LOCAL

Networks = tuple[IPv4Network | IPv6Network, ...]
FORWARDED_HOST: web.RequestKey[str] = web.RequestKey("forwarded_host", str)
"""What the gate found a proxy to say, if it is one of our names."""


def is_proxy(peer: str | None, trusted: Networks) -> bool:
    """Whether `peer`, the address at the other end of a connection, is believed. "" is a unix socket: whoever may open
    its file is."""
    if peer == "" or not trusted:
        return peer == ""
    try:
        address = ip_address((peer or "").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return any(mapped in network for network in trusted)


def client_address(peer: str | None, forwarded: Iterable[str], trusted: Networks) -> str:
    """Who is at the other end: the connection's own address, or what a trusted proxy says it is.

    `forwarded` are all X-Forwarded-For headers. They count as one list, which is read from the right and only as far as
    its writers are trusted.
    """
    client = "unknown" if peer is None else peer
    hops = [hop.strip() for hop in ",".join(forwarded).split(",") if hop.strip()]
    while hops and is_proxy(client, trusted):
        client = hops.pop()
    return client[:45] or LOCAL


def scheme_of(request: web.BaseRequest, trusted: Networks) -> str:
    """`http` or `https`: how the client's own connection is."""
    told = _told(request, "Proto", trusted).lower()
    return told if told in ("http", "https") else request.scheme


def forwarded_host(request: web.BaseRequest, trusted: Networks) -> str:
    """`name` or `name:port`, as a proxy was called; empty if none tells. Nothing says that it is one of ours."""
    return _told(request, "Host", trusted)


def _told(request: web.BaseRequest, what: str, trusted: Networks) -> str:
    if not is_proxy(request.remote, trusted):
        return ""
    return ",".join(request.headers.getall(f"X-Forwarded-{what}", ())).rpartition(",")[2].strip()
