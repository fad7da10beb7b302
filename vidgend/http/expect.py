"""`Expect: 100-continue`: a client that asks before it sends its body (RFC 9110, 10.1.1).

aiohttp has it answered before the middlewares, so nothing is known yet of who asks.
"""

from __future__ import annotations

from aiohttp import HttpVersion11, web

from vidgend.http.body import MAX_BODY_BYTES
from vidgend.http.problems import BodyTooLarge, ExpectationFailed, problem


async def expect(request: web.Request) -> web.Response | None:
    """Tells to go on, or at once that the body is too large."""
    refusal = await expect_later(request)
    if refusal is None and (request.content_length or 0) > MAX_BODY_BYTES:
        refusal = problem(BodyTooLarge())
    if refusal is None:
        await go_on(request)
    return refusal


async def expect_later(request: web.Request) -> web.Response | None:
    """Only refuses what nobody understands; the handler tells to go on, once it knows."""
    return None if request.headers["Expect"].lower() == "100-continue" else problem(ExpectationFailed())


async def go_on(request: web.Request) -> None:
    """Have a client send its body that waits to be told. One of HTTP/1.0 does not, and would take it for the answer."""
    if "Expect" in request.headers and request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
