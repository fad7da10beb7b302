"""One connection: aiohttp's protocol with a deadline for the head of a request, and problems for what is no HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.http_exceptions import LineTooLong

from vidgend.errors import VidgendError
from vidgend.http.problems import BadRequest, HeadTooLarge, from_aiohttp, problem
from vidgend.http.security_headers import complete

_log = logging.getLogger(__name__)

_MAX_HEADERS = 128
_MAX_LINE_BYTES = 8190


class Connection(web.RequestHandler):
    """`on_lost` is called once it is closed. `head_s`: seconds for the head of a request from its first byte, for the
    first one from the start; `idle_s`: seconds between two requests."""

    __slots__ = ("_head_s", "_head_timer", "_on_lost")

    def __init__(
        self,
        manager: web.Server,
        *,
        loop: asyncio.AbstractEventLoop,
        on_lost: Callable[[], None],
        head_s: float,
        idle_s: float,
    ) -> None:
        more: dict[str, Any] = {"access_log": None}
        super().__init__(
            manager,
            loop=loop,
            keepalive_timeout=idle_s,
            max_line_size=_MAX_LINE_BYTES,
            max_field_size=_MAX_LINE_BYTES,
            max_headers=_MAX_HEADERS,
            auto_decompress=False,  # it unpacks whatever comes, before anybody is asked: 0.4 MB held the loop for 1 s
            **more,
        )
        self._on_lost = on_lost
        self._head_s = head_s
        self._head_timer: asyncio.TimerHandle | None = None

    @property
    def spare(self) -> int | None:
        """See `connections.Peer`."""
        if self._request_count == 0:
            return 0
        waiting = self._waiter is not None and not self._waiter.done()
        return 1 if waiting else None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._head_timer = self._loop.call_later(self._head_s, self._head_is_late)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_head_timer()
        super().connection_lost(exc)
        self._on_lost()

    def data_received(self, data: bytes) -> None:
        before = self._request_count
        super().data_received(data)
        if self._request_count != before:
            self._stop_head_timer()
        elif self._head_timer is None and data and self.spare is not None:
            self._head_timer = self._loop.call_later(self._head_s, self._head_is_late)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        self.drop()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """A chunked request is the last one of its connection: aiohttp's parser in C takes the fields after its body
        for headers of the next request, which behind a proxy may be somebody else's.

        aiohttp's own refusal that comes before the middlewares, of an `Expect` to a path that there is not, is made a
        problem like all others."""
        if isinstance(resp, web.HTTPException):
            resp = from_aiohttp(resp)
        if request.version not in (HttpVersion10, HttpVersion11):  # refused by the gate; aiohttp would answer in it
            request._cache["version"] = HttpVersion10
            resp.force_close()
        if "Transfer-Encoding" in request.headers:
            resp.force_close()
        return await super().finish_response(request, resp, start_time)

    def drop(self) -> None:
        """Close it at once, whatever is still to be sent."""
        if self.transport is not None:
            self.transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What cannot be read as HTTP is the sender's fault and gets a problem; anything else is a bug.

        Raises: ConnectionError if an answer was begun.
        """
        if status >= 500 and not isinstance(exc, ConnectionError):  # that is what `catch` breaks an answer off with
            _log.error("request_crashed", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was begun")
        error: VidgendError
        if status >= 500:
            error = VidgendError(hint="The daemon's log has the reason.")
        elif isinstance(exc, LineTooLong) or "Too many" in str(message):
            error = HeadTooLarge()
        else:
            error = BadRequest("it cannot be read as HTTP/1.1")
        answer = problem(error)
        complete(answer.headers)
        answer.force_close()
        return answer
