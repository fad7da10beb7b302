"""What the stand-ins for stock services have in common: a real HTTP server over a folder, with failures on demand.

A service is a sub-class that knows its addresses, its key and the shape of its answers. Every clip is offered in several
sizes, all of which serve the same file, so tests can ask which size was taken. Failures (`Mode`) are switched by
attribute, by `?mode=` of one request, or by `POST /_control?mode=...&remaining=...&times=...`; `GET /_state` tells what
has been asked. Files come with ranges, an ETag and their length, unless a mode says otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from aiohttp import web

SearchMode = Literal[
    "unauthorized", "limited", "limited_bare", "error", "garbage", "wrong_shape", "slow", "drop", "empty", "drip",
    "challenge", "wrong_size",
]  # fmt: skip
FileMode = Literal[
    "truncated", "cut_small", "short", "file_error", "file_garbage", "file_html", "file_redirect", "slow_file",
    "drip_file", "wrong_part", "changed", "no_part", "bad_checksum", "file_gone",
]  # fmt: skip
Mode = Literal["ok"] | SearchMode | FileMode
MODES: tuple[str, ...] = ("ok", *get_args(SearchMode), *get_args(FileMode))
_DURATION = re.compile(r"Duration: (\d+):(\d+):([\d.]+)")
_VIDEO = re.compile(r"Stream #\d+:\d+.*: Video: .* (\d{2,5})x(\d{2,5})[ ,].*?([\d.]+) fps")
_SCALES = (2.0, 1.0, 2 / 3, 0.5)
PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_DRIP_S = 0.02
_HTML = "<!doctype html><title>Sign in</title><p>This network wants you to sign in." + " " * 2000


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
class StockStandin:
    """Use as `async with PexelsStandin(clips=...) as pexels:` and give `pexels.base_url` to the adapter."""

    clips: Sequence[StandinClip] = ()
    """Videos and photos."""
    key: str = "test-key"
    limit: int = 200
    remaining: int | None = None
    reset_in_s: float = 3600.0
    retry_after_s: str | None = "7"
    mode: Mode = "ok"
    times: int | None = None
    """How many more requests `mode` spoils; None means all."""
    revoke_after: int | None = None
    """After so many searches the key is refused."""
    strict: bool = False
    """Offer only clips that share a word with the query; the services themselves pad their answers."""
    any_orientation: bool = False
    picture: bytes | None = None
    """What every preview picture is; None: there is none (404)."""
    pictures_asked: list[str | None] = field(default_factory=list)
    """The key that was sent, by mistake, with each request for a picture."""
    redirect_to: str | None = None
    """Where `file_redirect` points; None is the file itself."""
    digest: Literal["", "repr-digest", "digest", "content-md5"] = ""
    """Under which header files come with their checksum."""
    validator: Literal["etag", "weak", "date", ""] = "etag"
    host: str = "127.0.0.1"
    port: int = 0
    searches: list[dict[str, str]] = field(default_factory=list)
    keys_seen: list[str | None] = field(default_factory=list)
    agents_seen: list[str | None] = field(default_factory=list)
    downloads: list[Download] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    """`slow` and `slow_file` answers wait for this."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a request has come in."""

    async def __aenter__(self) -> Any:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._left = self.limit if self.remaining is None else self.remaining
        app = web.Application()
        self.add_routes(app)
        app.router.add_get("/video-files/{clip:\\d+}/{name}", self._file)
        app.router.add_get("/videos/{clip:\\d+}/pictures/{name}", self._picture)
        app.router.add_route("*", "/_control", self._control)
        app.router.add_get("/_state", self._state)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        self.release.set()
        await self._runner.cleanup()

    @property
    def origin(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def base_url(self) -> str:
        """What the adapter is given."""
        return self.origin

    @property
    def calls(self) -> int:
        """Searches that reached the server."""
        return len(self.searches)

    # What a service does its own way

    def add_routes(self, app: web.Application) -> None:
        """Of its searches; they lead to `_search`."""
        raise NotImplementedError

    def key_of(self, request: web.Request) -> str | None:
        raise NotImplementedError

    def refusal(self) -> web.Response:
        """For a key that is not valid."""
        raise NotImplementedError

    def quota_headers(self) -> dict[str, str]:
        raise NotImplementedError

    def too_many(self, headers: dict[str, str]) -> web.Response:
        raise NotImplementedError

    def complaint(self, query: dict[str, str]) -> web.Response | None:
        """For parameters that the service does not take."""
        raise NotImplementedError

    def page(self, request: web.Request, query: dict[str, str], offered: dict[int, StandinClip]) -> dict[str, Any]:
        raise NotImplementedError

    @property
    def wrong_shape(self) -> Any:
        raise NotImplementedError

    # Searches

    def _spoil(self, asked: str | None, among: Sequence[str]) -> str:
        mode = asked if asked in MODES else self.mode
        if mode not in among:
            return "ok"
        if asked is None and self.times is not None:
            if self.times <= 0:
                return "ok"
            self.times -= 1
        return mode

    async def _search(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        self.searches.append(query)
        self.keys_seen.append(self.key_of(request))
        self.agents_seen.append(request.headers.get("User-Agent"))
        self.arrived.set()
        mode = self._spoil(query.pop("mode", None), get_args(SearchMode))
        if mode == "slow":
            await self.release.wait()
        if mode == "drop":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if mode == "challenge":
            return web.Response(status=403, text=_HTML, content_type="text/html", headers={"cf-mitigated": "challenge"})
        revoked = self.revoke_after is not None and self.calls > self.revoke_after
        if mode == "unauthorized" or revoked or self.key_of(request) != self.key:
            return self.refusal()
        if mode == "limited_bare":
            return web.Response(status=429, text="Too Many Requests")
        if mode == "limited" or self._left <= 0:
            extra = {"Retry-After": self.retry_after_s} if self.retry_after_s else {}
            return self.too_many({**self.quota_headers(), **extra})
        if mode == "error":
            return web.Response(status=503, text="upstream broken")
        self._left -= 1
        headers = self.quota_headers()
        if mode == "garbage":
            return web.Response(text="<html>captive portal</html>", content_type="text/html")
        if mode == "wrong_shape":
            return web.json_response(self.wrong_shape, headers=headers)
        complaint = self.complaint(query)
        if complaint is not None:
            return complaint
        offered = {} if mode == "empty" else self._by_id()
        answer = self.page(request, query, offered)
        if mode == "wrong_size":
            answer = _grown(answer)
        if mode == "drip":
            return await self._drip(request, json.dumps(answer).encode(), web.StreamResponse(headers=headers), 1)
        return web.json_response(answer, headers=headers)

    def found(self, text: str, offered: dict[int, StandinClip], *, photos: bool) -> list[tuple[int, StandinClip]]:
        """What matches, best first."""
        wanted = {_stem(word) for word in re.findall(r"\w+", text.lower())}
        found = []
        for clip_id, clip in offered.items():
            if clip.is_photo != photos:
                continue
            hits = len(wanted & {_stem(word) for word in [*clip.words.split("-"), *clip.tags]})
            if hits or not self.strict:
                found.append((-hits, clip_id, clip))
        found.sort(key=lambda item: item[:2])
        return [(clip_id, clip) for _, clip_id, clip in found]

    def _by_id(self) -> dict[int, StandinClip]:
        return {1_000_001 + index: clip for index, clip in enumerate(self.clips)}

    def file_url(self, clip_id: int, size: tuple[int, int], name: str) -> str:
        suffix = self._by_id()[clip_id].path.suffix
        return f"{self.origin}/video-files/{clip_id}/{clip_id}-{name}_{size[0]}_{size[1]}_x{suffix}"

    def picture_url(self, clip_id: int, name: str) -> str:
        return f"{self.origin}/videos/{clip_id}/pictures/{name}"

    # Files

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        self.pictures_asked.append(request.headers.get("Authorization"))
        self.arrived.set()
        if self._spoil(None, ("slow_file",)) == "slow_file":
            await self.release.wait()
        if self.picture is None or int(request.match_info["clip"]) not in self._by_id():
            raise web.HTTPNotFound
        return web.Response(body=self.picture, content_type="image/jpeg")

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
        mode = self._spoil(request.query.get("mode"), get_args(FileMode))
        if mode == "file_redirect":
            raise web.HTTPFound(self.redirect_to or f"{request.path}?mode=ok")
        if mode == "file_error":
            return web.Response(status=502)
        if mode == "file_gone":
            return web.Response(status=403, text="expired")
        if mode == "file_garbage":
            return web.Response(text="#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", content_type="video/mp4")
        if mode == "file_html":
            return web.Response(text=_HTML, content_type="video/mp4")
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
            return await self._drip(request, rest, response, 64)
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

    async def _drip(
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

    # Control

    async def _control(self, request: web.Request) -> web.Response:
        query = request.query
        if "mode" in query:
            if query["mode"] not in MODES:
                raise web.HTTPBadRequest(text=f"modes: {', '.join(MODES)}")
            self.mode = query["mode"]  # type: ignore[assignment]
            self.times = None
        if "times" in query:
            self.times = int(query["times"])
        if "remaining" in query:
            self._left = int(query["remaining"])
        if "reset_in_s" in query:
            self.reset_in_s = float(query["reset_in_s"])
        if "revoke_after" in query:
            self.revoke_after = int(query["revoke_after"])
        if query.get("release"):
            self.release.set()
        return await self._state(request)

    async def _state(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "mode": self.mode,
                "times": self.times,
                "remaining": self._left,
                "calls": self.calls,
                "searches": self.searches,
                "downloads": [{"clip_id": item.clip_id, "size": item.size} for item in self.downloads],
                "clips": [clip.words for clip in self.clips],
            }
        )


def _grown(answer: Any) -> Any:
    """The answer with every file's size told ten times too large."""
    if isinstance(answer, dict):
        names = ("size", "filesize", "imageSize")
        return {
            name: 10 * value if name in names and isinstance(value, int) else _grown(value)
            for name, value in answer.items()
        }
    return [_grown(item) for item in answer] if isinstance(answer, list) else answer


def _stem(word: str) -> str:
    return word.lower().removesuffix("ing").removesuffix("es").removesuffix("s")


async def clips_in(folder: Path, *, ffmpeg: str | None = None, uhd: bool = False) -> list[StandinClip]:
    """The `.mp4` files and the photos of a folder; sizes and lengths as `ffmpeg -i` reports them."""
    if ffmpeg is None:
        import imageio_ffmpeg

        ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    clips = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".mp4", *PHOTO_SUFFIXES):
            continue
        probe = await asyncio.create_subprocess_exec(
            ffmpeg, "-hide_banner", "-nostdin", "-i", str(path), stderr=asyncio.subprocess.PIPE
        )
        text = (await probe.communicate())[1].decode("utf-8", "replace")
        size, length = _VIDEO.search(text), _DURATION.search(text)
        if size is None:
            continue
        seconds = int(length[1]) * 3600 + int(length[2]) * 60 + float(length[3]) if length else 0.0
        clips.append(
            StandinClip(
                path=path,
                width=int(size.group(1)),
                height=int(size.group(2)),
                duration_s=max(1, int(seconds)),
                fps=float(size.group(3)),
                scales=_SCALES if uhd else _SCALES[1:],
            )
        )
    return clips


async def _serve(kind: type[StockStandin], options: argparse.Namespace) -> None:
    clips = await clips_in(options.folder, ffmpeg=options.ffmpeg, uhd=options.uhd)
    standin = kind(
        clips=clips,
        key=options.key,
        limit=options.limit,
        host=options.host,
        port=options.port,
        mode=options.mode,
        strict=options.strict,
        any_orientation=options.any_orientation,
    )
    async with standin:
        print(json.dumps({"base_url": standin.base_url, "clips": [clip.words for clip in clips]}), flush=True)
        await asyncio.Event().wait()


def serve(kind: type[StockStandin], about: str | None) -> None:
    """The command line of a stand-in."""
    defaults = {item.name: item.default for item in kind.__dataclass_fields__.values()}
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", default=defaults["key"])
    parser.add_argument("--limit", type=int, default=defaults["limit"])
    parser.add_argument("--mode", default="ok", choices=MODES)
    parser.add_argument("--strict", action="store_true", help="only clips that share a word with the query")
    parser.add_argument("--any-orientation", action="store_true", help="ignore the orientation that is asked for")
    parser.add_argument("--uhd", action="store_true", help="offer a size of twice the clip's as well")
    parser.add_argument("--ffmpeg", help="path of ffmpeg, used once per clip to read its size")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(kind, parser.parse_args()))
