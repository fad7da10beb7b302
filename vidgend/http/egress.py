"""Requests to addresses that a user gave: never into a private network unless the settings allow that network.

What is checked is the address that is connected to, not the name: a name may answer differently the next time
(DNS rebinding). The connection is made to the very address that passed.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import httpcore
import httpx

from vidgend.errors import TargetForbidden
from vidgend.http.problems import InvalidFields

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[list[str]]]

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
_ODD_IPV4 = re.compile(r"[0-9a-fx.]+", re.IGNORECASE)
_DNS_THREADS = 4


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
    if parsed.scheme not in ("http", "https") or not host or parsed.userinfo or parsed.port == 0:
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


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves, checks every answer, and connects to addresses that passed."""

    def __init__(self, allow: Iterable[Network], *, resolve: Resolve | None = None) -> None:
        self._allow = tuple(allow)
        self._inner = httpcore.AnyIOBackend()
        # A name server that hangs holds these threads, not the ones that files are read with.
        self._threads = ThreadPoolExecutor(_DNS_THREADS, thread_name_prefix="dns")
        self._resolve = resolve or self._ask

    async def _ask(self, host: str, port: int) -> list[str]:
        def ask() -> list[str]:
            return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]

        return await asyncio.get_running_loop().run_in_executor(self._threads, ask)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                answers = list(dict.fromkeys(await self._resolve(host, port)))
        except TimeoutError:
            raise httpcore.ConnectTimeout("the name was not resolved in time") from None
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("the name cannot be resolved") from error
        refusal: TargetForbidden | None = None
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for answer in answers:
            try:
                address = check_address(answer, self._allow)
            except TargetForbidden as error:
                refusal = error
                continue
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or refusal or httpcore.ConnectError("the name has no address")

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise TargetForbidden("a callback cannot go to a local socket")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _as_httpx() -> Iterator[None]:
    try:
        yield
    except httpcore.ConnectTimeout as error:
        raise httpx.ConnectTimeout(str(error)) from error
    except httpcore.TimeoutException as error:
        raise httpx.ReadTimeout(str(error)) from error
    except httpcore.ConnectError as error:
        raise httpx.ConnectError(str(error)) from error
    except httpcore.NetworkError as error:
        raise httpx.ReadError(str(error)) from error
    except (httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise httpx.RemoteProtocolError(str(error)) from error


class _Stream(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for part in self._response.aiter_stream():
                yield part

    async def aclose(self) -> None:
        with _as_httpx():
            await self._response.aclose()


class GuardedTransport(httpx.AsyncBaseTransport):
    """httpx over httpcore's own pool, with the guarded backend below it."""

    def __init__(self, backend: GuardedBackend, *, max_connections: int) -> None:
        self._backend = backend
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=max_connections,
            max_keepalive_connections=0,
            network_backend=backend,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        url = request.url
        asked = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _as_httpx():
            answer = await self._pool.handle_async_request(asked)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Stream(answer), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        await self._pool.aclose()
        self._backend.close()


def guarded_client(
    allow: Iterable[Network], *, timeout_s: float = 15.0, max_connections: int = 16, resolve: Resolve | None = None
) -> httpx.AsyncClient:
    """A client for user-given URLs: guarded, no redirects, no proxy from the environment.

    Its requests may raise TargetForbidden besides httpx's errors.
    """
    return httpx.AsyncClient(
        transport=GuardedTransport(GuardedBackend(allow, resolve=resolve), max_connections=max_connections),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(timeout_s),
    )
