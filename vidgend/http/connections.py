"""How many connections there may be, in all and from one address, and which one makes room for another.

Nobody who works is cut off: room is made by a connection that waits for the head of a request. Those that never sent a
whole one go first, the oldest of them foremost, so clients that only hold connections push out each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from itertools import chain
from typing import Any, Protocol

_SITE_BITS = 64
"""Of an IPv6 address; the rest of it is for whoever has the address to choose."""


class Peer(Protocol):
    """One connection."""

    @property
    def spare(self) -> int | None:
        """None while a request is under way; 0 if none ever was, 1 if it waits for another one."""
        ...

    def drop(self) -> None:
        """Close it at once."""
        ...


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Connections that may be open at once."""

    total: int
    per_address: int


class Connections:
    """The open ones, by address, oldest first. Those of `exempt` addresses are bounded only in all."""

    def __init__(self, limits: Limits, *, exempt: Iterable[IPv4Network | IPv6Network] = ()) -> None:
        self._limits = limits
        self._exempt = tuple(exempt)
        self._by_address: dict[str, dict[Peer, None]] = {}
        self._count = 0
        self.dropped = 0
        self.refused = 0

    def __len__(self) -> int:
        return self._count

    def add(self, peer: Peer, address: str) -> bool:
        """Take a connection in; False if there is no room and nobody to make it."""
        here = self._by_address.get(address, {})
        if len(here) >= self._limits.per_address and not self._is_exempt(address):
            fits = self._drop_one_of(address)
        elif self._count >= self._limits.total:
            fits = self.drop_one()
        else:
            fits = True
        if not fits:
            self.refused += 1
            return False
        self._by_address.setdefault(address, {})[peer] = None
        self._count += 1
        return True

    def remove(self, peer: Peer, address: str) -> None:
        """Forget a connection; one that is not known is none."""
        here = self._by_address.get(address, {})
        if peer in here:
            del here[peer]
            self._count -= 1
            if not here:
                del self._by_address[address]

    def drop_one(self) -> bool:
        """Make room at the cost of the address that has the most connections; of a proxy only if nobody else can."""
        by_count = sorted(self._by_address, key=lambda one: -len(self._by_address[one]))
        # In a flood, as a rule, the first one gives way, and no more than that one is looked at.
        clients = (address for address in by_count if not self._is_exempt(address))
        proxies = (address for address in by_count if self._is_exempt(address))
        return any(self._drop_one_of(address) for address in chain(clients, proxies))

    def _drop_one_of(self, address: str) -> bool:
        kept_alive: Peer | None = None
        for peer in self._by_address.get(address, {}):
            spare = peer.spare
            if spare == 0:
                break
            if spare is not None and kept_alive is None:
                kept_alive = peer
        else:
            if kept_alive is None:
                return False
            peer = kept_alive
        self.remove(peer, address)
        peer.drop()
        self.dropped += 1
        return True

    def _is_exempt(self, address: str) -> bool:
        if address == LOCAL:
            return True
        return any(ip_address(address.partition("/")[0]) in network for network in self._exempt)


LOCAL = "unix"
"""The address of whoever comes in by a unix socket: the permissions of that file say who may."""


def counted_as(peername: Any) -> str:
    """The name under which a connection counts: LOCAL for a unix socket, else `site_of` its address."""
    return site_of(str(peername[0])) if isinstance(peername, tuple) else LOCAL


def site_of(text: str) -> str:
    """What one client cannot change at will: an IPv4 address, of an IPv6 one the network of its site.

    Raises: ValueError for what is no address.
    """
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        if not address.is_loopback:
            return str(IPv6Network((address, _SITE_BITS), strict=False))
    return str(address)
