"""The half of the stand-ins for stock services that gives files away: ranges, an ETag and the length, unless a mode says
otherwise."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from aiohttp import web

SearchMode = Literal[
    "unauthorized", "limited", "limited_bare", "error", "garbage", "wrong_shape", "slow", "drop", "empty", "drip",
    "challenge", "wrong_size",
]  # fmt: skip
FileMode = Literal[
    "truncated", "cut_small", "short", "file_error", "file_garbage", "file_html", "file_redirect", "slow_file",
    "drip_file", "wrong_part", "changed", "no_part", "bad_checksum", "file_gone",
]  # fmt: skip
Digest = Literal["", "repr-digest", "digest", "content-md5"]
Mode = Literal["ok"] | SearchMode | FileMode
MODES: tuple[str, ...] = ("ok", *get_args(SearchMode), *get_args(FileMode))
PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
HTML = "<!doctype html><title>Sign in</title><p>This network wants you to sign in." + " " * 2000
_DRIP_S = 0.02


@dataclass(frozen=True, kw_only=True)
class StandinClip:
    """A clip or photo on offer. `scales` are the sizes of its renditions relative to width x height."""

    path: Path
    width: int
    height: int
    duration_s: int = 10
    fps: float = 30.0
    slug: str = ""
    tags: tuple[str, ...] = ()
    scales: tuple[float, ...] = (1.0, 2 / 3, 0.5)
    licence: str = "by"
    """Of Openverse's photos."""
    still: bytes | None = None
    """A JPEG of it, which its preview pictures are; None: those of the stand-in."""

    @property
    def words(self) -> str:
        return self.slug or re.sub(r"[\W_]+", "-", self.path.stem.lower()).strip("-")

    @property
    def is_photo(self) -> bool:
        return self.path.suffix.lower() in PHOTO_SUFFIXES

    @property
    def shape(self) -> str:
        return "square" if self.width == self.height else "landscape" if self.width > self.height else "portrait"

    @property
    def size_bytes(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def sizes(self) -> list[tuple[int, int]]:
        """(width, height) of each rendition."""
        return [(2 * round(self.width * scale / 2), 2 * round(self.height * scale / 2)) for scale in self.scales]


@dataclass(kw_only=True)
class Download:
    """One request for a file: the clip's id, the size in its address, and the key if one was sent by mistake."""

    clip_id: int
    size: str
    authorization: str | None = None
    range: str | None = None
    if_range: str | None = None
    accept_encoding: str | None = None
    user_agent: str | None = None
    status: int = 0
    sent_bytes: int = 0


@dataclass(kw_only=True)
class FileStandin:
    clips: Sequence[StandinClip] = ()
    """Videos and photos."""
    mode: Mode = "ok"
    times: int | None = None
    """How many more requests `mode` spoils; None means all."""
    picture: bytes | None = None
    """What every preview picture is; None: there is none (404)."""
    pictures_asked: list[str | None] = field(default_factory=list)
    """The key that was sent, by mistake, with each request for a picture."""
    redirect_to: str | None = None
    """Where `file_redirect` points; None is the file itself."""
    digest: Digest = ""
    """Under which header files come with their checksum."""
    validator: Literal["etag", "weak", "date", ""] = "etag"
    host: str = "127.0.0.1"
    port: int = 0
    downloads: list[Download] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    """Answers that hang wait for this."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a request has come in."""

    def add_file_routes(self, app: web.Application) -> None:
        app.router.add_get("/video-files/{clip:\\d+}/{name}", self._file)
        app.router.add_get("/videos/{clip:\\d+}/pictures/{name}", self._picture)

    @property
    def origin(self) -> str:
        return f"http://{self.host}:{self.port}"

    def spoil(self, asked: str | None, among: Sequence[str]) -> str:
        mode = asked if asked in MODES else self.mode
        if mode not in among:
            return "ok"
        if asked is None and self.times is not None:
            if self.times <= 0:
                return "ok"
            self.times -= 1
        return mode

    def _by_id(self) -> dict[int, StandinClip]:
        return {1_000_001 + index: clip for index, clip in enumerate(self.clips)}

    def file_url(self, clip_id: int, size: tuple[int, int], name: str) -> str:
        suffix = self._by_id()[clip_id].path.suffix
        return f"{self.origin}/video-files/{clip_id}/{clip_id}-{name}_{size[0]}_{size[1]}_x{suffix}"

    def picture_url(self, clip_id: int, name: str) -> str:
        return f"{self.origin}/videos/{clip_id}/pictures/{name}"

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        self.pictures_asked.append(request.headers.get("Authorization"))
        self.arrived.set()
        if self.spoil(None, ("slow_file",)) == "slow_file":
            await self.release.wait()
        clip = self._by_id().get(int(request.match_info["clip"]))
        picture = clip and (clip.still or self.picture)
        if picture is None:
            raise web.HTTPNotFound
        return web.Response(body=picture, content_type="image/jpeg")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        clip_id = int(request.match_info["clip"])
        clip = self._by_id().get(clip_id)
        if clip is None:
            raise web.HTTPNotFound
        download = Download(
            clip_id=clip_id,
            size="x".join(request.match_info["name"].split("_")[1:3]),
            authorization=request.headers.get("Authorization"),
            range=request.headers.get("Range"),
            if_range=request.headers.get("If-Range"),
            accept_encoding=request.headers.get("Accept-Encoding"),
            user_agent=request.headers.get("User-Agent"),
        )
        self.downloads.append(download)
        self.arrived.set()
        mode = self.spoil(request.query.get("mode"), get_args(FileMode))
        if mode == "file_redirect":
            raise web.HTTPFound(self.redirect_to or f"{request.path}?mode=ok")
        if mode == "file_error":
            return web.Response(status=502)
        if mode == "file_gone":
            return web.Response(status=403, text="expired")
        if mode == "file_garbage":
            return web.Response(text="#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", content_type="video/mp4")
        if mode == "file_html":
            return web.Response(text=HTML, content_type="video/mp4")
        data = await asyncio.to_thread(clip.path.read_bytes)
        return await self._send(request, data, mode, download)

    async def _send(self, request: web.Request, data: bytes, mode: str, download: Download) -> web.StreamResponse:
        headers = {"Content-Type": "image/jpeg" if data[:2] == b"\xff\xd8" else "video/mp4", "Accept-Ranges": "bytes"}
        if mode == "changed":
            data = data[:-1] + bytes([data[-1] ^ 0xFF])
        headers |= self._validators(data) | self._checksum(data, wrong=mode == "bad_checksum")
        asked = re.fullmatch(r"bytes=(\d+)-", download.range or "")
        same = download.if_range in (None, headers.get("ETag"), headers.get("Last-Modified"))
        first = 0
        if asked and same and mode != "no_part":
            first = int(asked[1])
            if first >= len(data):
                download.status = 416
                return web.Response(status=416, headers={"Content-Range": f"bytes */{len(data)}"})
            download.status = 206
            told = first + 7 if mode == "wrong_part" else first
            headers["Content-Range"] = f"bytes {told}-{len(data) - 1}/{len(data)}"
        else:
            download.status = 200
        rest = data[first:]
        response = web.StreamResponse(status=download.status, headers=headers)
        if mode == "short":  # the end of the connection is the end of the file
            response.force_close()
            response._length_check = False
            rest = rest[: len(rest) // 2]
            return await self._close_after(request, response, rest, download)
        response.content_length = len(rest)
        if mode == "drip_file":
            return await self.drip(request, rest, response, 64)
        if mode in ("truncated", "slow_file", "cut_small"):
            await response.prepare(request)
            some = rest[: 100_000 if mode == "cut_small" else max(1, len(rest) // 2)]
            await response.write(some)
            download.sent_bytes = len(some)
            if mode == "slow_file":
                await self.release.wait()
            assert request.transport is not None
            request.transport.close()
            return response
        await response.prepare(request)
        await response.write(rest)
        download.sent_bytes = len(rest)
        await response.write_eof()
        return response

    async def _close_after(
        self, request: web.Request, response: web.StreamResponse, data: bytes, download: Download
    ) -> web.StreamResponse:
        """As HTTP/1.0 does it: no length, no chunks."""
        assert request.transport is not None
        lines = [f"HTTP/1.1 {response.status} OK", *(f"{name}: {value}" for name, value in response.headers.items())]
        request.transport.write("\r\n".join([*lines, "Connection: close", "", ""]).encode() + data)  # type: ignore[attr-defined]
        download.sent_bytes = len(data)
        request.transport.close()
        return response

    async def drip(
        self, request: web.Request, data: bytes, response: web.StreamResponse, count: int
    ) -> web.StreamResponse:
        """A few bytes, and then again a few, until whoever asked has gone."""
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for first in range(0, len(data), count):
                await response.write(data[first : first + count])
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.release.wait(), _DRIP_S)
        return response

    def _validators(self, data: bytes) -> dict[str, str]:
        tag = f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
        if self.validator == "date":
            return {"Last-Modified": "Mon, 02 Jan 2023 03:04:05 GMT"}
        return {"": {}, "etag": {"ETag": tag}, "weak": {"ETag": f"W/{tag}"}}[self.validator]

    def _checksum(self, data: bytes, *, wrong: bool) -> dict[str, str]:
        content = data + b"x" if wrong else data
        sha256 = base64.b64encode(hashlib.sha256(content).digest()).decode()
        md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        if self.digest == "repr-digest":
            return {"Repr-Digest": f"sha-256=:{sha256}:"}
        if self.digest == "digest":
            return {"Digest": f"SHA-256={sha256}"}
        return {"Content-MD5": md5} if self.digest == "content-md5" else {}
