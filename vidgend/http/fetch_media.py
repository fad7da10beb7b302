"""An address -> an upload: fetched through the guarded client, then taken in like any other file.

What the other side sends is looked at by nobody but the intake: a caller learns the status and nothing of the body.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from urllib.parse import unquote

import httpx

from vidgend import __version__
from vidgend.egress import Network
from vidgend.errors import FetchBusy, FetchFailed, TargetForbidden
from vidgend.guarded_client import Resolve, guarded_client, redirected
from vidgend.http.callback_url import check_literal, check_url, is_web_address
from vidgend.pipeline.file_to_upload import Intake
from vidgend.pipeline.footage.download_checks import content_length
from vidgend.store.uploads import Upload

_log = logging.getLogger(__name__)

HOPS = 3
HEAD_S = 30.0
"""From the first connection to the head of the last answer, names, TLS and redirects included."""
STALL_S = 60.0
LEAST_BYTES = 64 * 1024
"""A server that sends less than this in STALL_S is given up, as a client is that uploads."""
MAX_AT_ONCE = 8
MAX_PER_OWNER = 4
_HINT = "A network is opened with egress.media_networks in the settings; metadata services never are."


class MediaFetcher:
    """`timeout_s` bounds the transfer, `head_s` and `stall_s` its parts; `resolve` stands in for the name server in
    tests."""

    def __init__(
        self,
        *,
        intake: Intake,
        allow_networks: Iterable[Network] = (),
        timeout_s: float = 1800.0,
        head_s: float = HEAD_S,
        stall_s: float = STALL_S,
        resolve: Resolve | None = None,
    ) -> None:
        self._intake = intake
        self._allow = tuple(allow_networks)
        self._timeout_s = timeout_s
        self._head_s = head_s
        self._stall_s = stall_s
        self._resolve = resolve
        self._running: Counter[str] = Counter()

    async def take(self, url: str, *, name: str = "", owner: str) -> tuple[Upload, bool]:
        """The file behind an address as an upload, and whether it is new. Without a `name` it has that of the address.

        However it ends, also when it is cancelled, nothing is left of a file that was not taken.
        Raises: InvalidFields, TargetForbidden, FetchFailed, FetchBusy, and what `Intake.take` does.
        """
        try:
            target = check_url(url, self._allow, pointer="/url")
            with self._place(owner):
                taken, new = await self._fetch(target, name or unquote(target.path).rpartition("/")[2], owner)
        except (FetchFailed, TargetForbidden) as error:
            _log.info("fetch_failed", extra={"code": error.code, "reason": error.detail})
            if isinstance(error, TargetForbidden):
                error.hint = _HINT
            raise
        _log.info("fetched", extra={"host": target.host, "asset": taken.digest, "size_bytes": taken.size_bytes})
        return taken, new

    @contextmanager
    def _place(self, owner: str) -> Iterator[None]:
        if self._running.total() >= MAX_AT_ONCE or self._running[owner] >= MAX_PER_OWNER:
            raise FetchBusy
        self._running[owner] += 1
        try:
            yield
        finally:
            self._running[owner] -= 1
            self._running += Counter()  # keeps those above zero

    async def _fetch(self, target: httpx.URL, name: str, owner: str) -> tuple[Upload, bool]:
        try:
            async with asyncio.timeout(self._timeout_s) as deadline, self._answer(target) as response:
                expected_bytes = content_length(response.headers)
                pieces = self._pieces(response, deadline)
                async with aclosing(pieces):
                    return await self._intake.take(pieces, name=name, expected_bytes=expected_bytes, owner=owner)
        except TimeoutError:
            raise FetchFailed(f"the transfer was not finished after {self._timeout_s:g} s") from None

    @asynccontextmanager
    async def _answer(self, target: httpx.URL) -> AsyncIterator[httpx.Response]:
        """The answer that has the file. Raises: FetchFailed, TargetForbidden."""
        # Reading the certificates blocks.
        client = await asyncio.to_thread(
            lambda: guarded_client(self._allow, timeout_s=self._head_s, max_connections=1, resolve=self._resolve)
        )
        async with client:
            try:
                async with asyncio.timeout(self._head_s):
                    response = await self._follow(client, target)
            except (TimeoutError, httpx.TimeoutException):
                raise FetchFailed(f"{target.host} did not answer within {self._head_s:g} s") from None
            except httpx.ConnectError as error:
                raise FetchFailed(f"no connection to {target.host}: {error}") from None
            except (httpx.HTTPError, httpx.InvalidURL):
                raise FetchFailed(f"{target.host} did not answer as a web server does") from None
            try:
                _check_head(response)
                yield response
            finally:
                await response.aclose()

    async def _follow(self, client: httpx.AsyncClient, target: httpx.URL) -> httpx.Response:
        # Neither a key nor a cookie is sent anywhere, so none can go to another host.
        headers = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": f"vidgend/{__version__}"}
        for _ in range(HOPS + 1):
            timeout = httpx.Timeout(self._head_s, read=self._stall_s)
            request = client.build_request("GET", target, headers=headers, timeout=timeout)
            response = await client.send(request, stream=True, follow_redirects=False)
            if not response.has_redirect_location:
                return response
            await response.aclose()
            target = self._next(target, response.headers["location"])
        raise FetchFailed(f"the address redirects more than {HOPS} times")

    def _next(self, target: httpx.URL, location: str) -> httpx.URL:
        following = redirected(target, location)
        if not is_web_address(following):
            raise FetchFailed(f"{target.host} redirects to what is no http(s) address, or one with a password")
        if target.scheme == "https" and following.scheme != "https":
            raise FetchFailed(f"{target.host} redirects from https to http")
        check_literal(following, self._allow)
        return following

    async def _pieces(self, response: httpx.Response, deadline: asyncio.Timeout) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises: FetchFailed where it stalls or breaks off."""
        try:
            body, more = response.aiter_raw(), True
            while more:
                waiting = bytearray()
                async with asyncio.timeout(self._stall_s):
                    while len(waiting) < LEAST_BYTES and more:
                        piece = await anext(body, None)
                        waiting += piece or b""
                        more = piece is not None
                yield bytes(waiting)
        except (TimeoutError, httpx.TimeoutException):
            raise FetchFailed(f"less than {LEAST_BYTES} bytes came in {self._stall_s:g} s") from None
        except httpx.HTTPError:
            raise FetchFailed("the transfer broke off") from None
        deadline.reschedule(None)  # it is here; looking at it has deadlines of its own


def _check_head(response: httpx.Response) -> None:
    host, status = response.url.host, response.status_code
    if status != 200:
        raise FetchFailed(f"{host} answered HTTP {status}")
    packed = response.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("", "identity"):
        raise FetchFailed(
            f"{host} sent the file packed ({packed[:40]}) although it was asked not to",
            hint="Upload the file itself, or give an address that sends it as it is.",
        )
