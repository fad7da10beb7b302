"""Which addresses a URL from outside may lead to: no private network unless the settings allow it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from vidgend.errors import TargetForbidden

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_CLOSED: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "::/3", "4000::/2", "8000::/1",  # all but 2000::/3, of which alone addresses are given out
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
)  # fmt: skip
"""Not reachable over the public internet, or a way around it (6to4, NAT64, SIIT, Teredo). Open by the settings only.
Source: the IANA special-purpose address registries; `is_global` of Python 3.11 misses several of them."""
_NEVER: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/128", "fe80::/10", "fec0::/10", "ff00::/8",
        # Metadata: Amazon, Google, Scaleway, Oracle; Alibaba, Oracle's older one, Azure.
        "fd00:ec2::254/128", "fd20:ce::254/128", "fd00:42::42/128", "fd00:c1::a9fe:a9fe/128",
        "100.100.100.200/32", "192.0.0.192/32", "168.63.129.16/32",
    )
)  # fmt: skip
"""Closed whatever is allowed: link-local (cloud metadata), multicast, reserved, and metadata addresses elsewhere."""
_AT_THE_END = tuple(IPv6Network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96"))
"""NAT64, that of a site, and the old IPv4-compatible form: the last four bytes are an IPv4 address."""
_NO_IPV4 = 0xFFFF
"""`::1` and its neighbours carry nothing."""


def check_address(text: str, allow: Iterable[Network] = ()) -> str:
    """The address to connect to, as text. Raises: TargetForbidden."""
    address: Address = ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    address = mapped or address
    allowed = tuple(allow)
    # To allow the way (6to4, NAT64) is not to allow all that it leads to.
    for one in (address, *_carried(address)):
        if _in(one, _NEVER) or (_in(one, _CLOSED) and not _in(one, allowed)):
            raise TargetForbidden(f"{address} is in a network that is not allowed")
    return str(address)


def _carried(address: Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that an IPv6 address leads to."""
    if isinstance(address, IPv4Address):
        return ()
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if _in(address, _AT_THE_END) and int(address) > _NO_IPV4:
        return (IPv4Address(address.packed[-4:]),)
    return ()


def _in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)
