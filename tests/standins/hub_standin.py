"""A stand-in for the model hub in a thread of its own, with faults on demand.

It answers as the hub was seen to: small files by a relative 307, large ones (`LARGE_BYTES` and more) by a 302 to another
place that knows ranges, with `X-Linked-Etag` (the content's SHA-256) and `X-Linked-Size` on the redirect.

`script` has a step for each request for a large file's content; when it is used up, the last one repeats.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

Step = Literal[
    "good", "truncated", "hold", "slow", "error", "busy", "missing", "forbidden", "wrong", "longer", "whole", "other_part",
    "untagged",
]  # fmt: skip
LARGE_BYTES = 10_000
_PIECE_BYTES = 16_384


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request for a large file's content."""

    path: str
    range: str
    if_range: str


@dataclass(kw_only=True)
class HubStandin:
    """`files` are by their path with repository and revision: `owner/name/resolve/REV/model.bin`. Use as a context."""

    files: dict[str, bytes]
    script: Sequence[Step] = ("good",)
    linked: str = ""
    """Told as X-Linked-Etag instead of the true hash."""
    asked: list[Asked] = field(default_factory=list)
    small: list[str] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)
    """Set when a `hold` has sent its half."""

    def __enter__(self) -> HubStandin:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hub")
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: object) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)  # type: ignore[arg-type]

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_get("/api/resolve-cache/{path:.+}", self._small)
        app.router.add_get("/cdn/{path:.+}", self._content)
        app.router.add_get("/{path:.+}", self._resolve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _resolve(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        content = self.files.get(path)
        if content is None:
            return web.Response(status=404)
        if len(content) < LARGE_BYTES:
            return web.Response(status=307, headers={"Location": f"/api/resolve-cache/{path}"})
        linked = self.linked or hashlib.sha256(content).hexdigest()
        headers = {
            "Location": f"{self.url}/cdn/{path}",
            "X-Linked-Etag": f'"{linked}"',
            "X-Linked-Size": str(len(content)),
        }
        return web.Response(status=302, headers=headers)

    async def _small(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        self.small.append(path)
        return web.Response(body=self.files[path], headers={"ETag": '"a git hash"'})

    async def _content(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        step = self.script[min(len(self.asked), len(self.script) - 1)]
        asked = Asked(path=path, range=request.headers.get("Range", ""), if_range=request.headers.get("If-Range", ""))
        self.asked.append(asked)
        refused = {"error": 500, "missing": 404, "forbidden": 403}
        if step in refused:
            return web.Response(status=refused[step])
        if step == "busy":
            return web.Response(status=503, headers={"Retry-After": "7"})
        content = self.files[path]
        if step == "wrong":
            content = bytes(reversed(content))
        if step == "longer":
            content += b"more"
        tag = f'"{hashlib.md5(content).hexdigest()}"'
        begin, status = 0, 200
        wanted = re.fullmatch(r"bytes=(\d+)-", asked.range)
        if wanted and step != "whole" and asked.if_range in ("", tag):
            begin, status = int(wanted[1]), 206
            if begin >= len(content):
                return web.Response(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
        response = web.StreamResponse(status=status, headers={} if step == "untagged" else {"ETag": tag})
        if status == 206:
            told = begin + 1 if step == "other_part" else begin
            response.headers["Content-Range"] = f"bytes {told}-{len(content) - 1}/{len(content)}"
        if step == "longer":  # a server that does not tell beforehand
            response.enable_chunked_encoding()
        else:
            response.content_length = len(content) - begin
        await response.prepare(request)
        return await self._send(request, response, content[begin:], step)

    async def _send(
        self, request: web.Request, response: web.StreamResponse, content: bytes, step: Step
    ) -> web.StreamResponse:
        end = len(content) // 2 if step in ("truncated", "hold") else len(content)
        for at in range(0, end, _PIECE_BYTES):
            await response.write(content[at : min(at + _PIECE_BYTES, end)])
            if step == "slow":
                await asyncio.sleep(0.02)
        if step == "hold":
            self.held.set()
            await asyncio.sleep(30)
        if step in ("truncated", "hold"):
            assert request.transport is not None
            request.transport.close()
        return response
