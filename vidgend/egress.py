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
        "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
        "3fff::/20", "5f00::/16", "fc00::/7",
    )
)  # fmt: skip
"""Not reachable over the public internet, or a way around it (6to4, NAT64, Teredo). Open by allow_networks only.
Source: the IANA special-purpose address registries; `is_global` of Python 3.11 misses several of them."""
_NEVER: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/128", "fe80::/10", "fec0::/10", "ff00::/8",
        "fd00:ec2::254/128", "100.100.100.200/32",
    )
)  # fmt: skip
"""Closed whatever is allowed: link-local (cloud metadata), multicast, reserved, and metadata addresses elsewhere."""
_NAT64 = IPv6Network("64:ff9b::/96")


def check_address(text: str, allow: Iterable[Network] = ()) -> str:
    """The address to connect to, as text. Raises: TargetForbidden."""
    address: Address = ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    address = mapped or address
    if _in(address, _NEVER) or _in(_carried(address), _NEVER) or (_in(address, _CLOSED) and not _in(address, allow)):
        raise TargetForbidden(f"{address} is in a network that is not allowed")
    return str(address)


def _carried(address: Address) -> Address:
    """The IPv4 address that a 6to4 or NAT64 address leads to: allowing those networks must not open metadata."""
    if isinstance(address, IPv6Address):
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64:
            return IPv4Address(address.packed[-4:])
    return address


def _in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)
