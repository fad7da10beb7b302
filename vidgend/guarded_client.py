"""An httpx client for URLs that come from outside: callbacks, and the links that providers give.

What is checked is the address that is connected to, not the name: a name may answer differently the next time
(DNS rebinding). The connection is made to the very address that passed.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from vidgend.egress import Network, check_address
from vidgend.errors import TargetForbidden

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""(host, port) to addresses as text. Raises: OSError."""
_LEAST_DNS_THREADS = 4


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves, checks every answer, and connects to addresses that passed. `own` is (host, port) of a server that the
    operator named: it may be anywhere. `lookups` is how many names are looked up at once."""

    def __init__(
        self,
        allow: Iterable[Network],
        *,
        own: tuple[str, int] | None = None,
        resolve: Resolve | None = None,
        lookups: int = _LEAST_DNS_THREADS,
    ) -> None:
        self._allow = tuple(allow)
        self._own = own
        self._inner = httpcore.AnyIOBackend()
        # A name server that hangs holds these threads, not the ones that files are read with.
        self._threads = ThreadPoolExecutor(lookups, thread_name_prefix="dns")
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
        if not 1 <= port <= 65_535:
            raise httpcore.ConnectError(f"there is no port {port}")
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
                address = answer if (host, port) == self._own else check_address(answer, self._allow)
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
        raise TargetForbidden("a local socket is not allowed")

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


class ProxiedTransport(httpx.AsyncBaseTransport):
    """Through the proxies that the environment names: they connect, so they decide where to. What goes past them
    (NO_PROXY, or no proxy for its scheme) is guarded."""

    def __init__(self, guarded: GuardedTransport) -> None:
        self._guarded = guarded
        self._proxied = {
            scheme: httpx.AsyncHTTPTransport(proxy=url if "://" in url else f"http://{url}", trust_env=False)
            for scheme, url in getproxies().items()
            if scheme in ("http", "https", "all")
        }

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        proxied = self._proxied.get(request.url.scheme) or self._proxied.get("all")
        if proxied is None or proxy_bypass(request.url.host):
            return await self._guarded.handle_async_request(request)
        return await proxied.handle_async_request(request)

    async def aclose(self) -> None:
        for transport in (self._guarded, *self._proxied.values()):
            await transport.aclose()


def guarded_client(
    allow: Iterable[Network],
    *,
    own: tuple[str, int] | None = None,
    timeout_s: float = 15.0,
    max_connections: int = 16,
    resolve: Resolve | None = None,
    proxies: bool = False,
) -> httpx.AsyncClient:
    """A client for URLs from outside: guarded, no redirects, no cookies kept, and no proxy from the environment unless
    `proxies` says so.

    Its requests may raise TargetForbidden besides httpx's errors.
    """
    # One for each connection: else a few names whose servers hang would keep all others from being looked up.
    backend = GuardedBackend(allow, own=own, resolve=resolve, lookups=max(_LEAST_DNS_THREADS, max_connections))
    guarded = GuardedTransport(backend, max_connections=max_connections)
    return httpx.AsyncClient(
        transport=ProxiedTransport(guarded) if proxies else guarded,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(timeout_s),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


def redirected(target: httpx.URL, location: str) -> httpx.URL:
    """Where an answer of `target` with this Location leads.

    Raises: httpx.InvalidURL, also for what httpx takes and the standard library, which it joins them with, does not.
    """
    try:
        return target.join(location)
    except ValueError as error:
        raise httpx.InvalidURL(str(error)) from None
