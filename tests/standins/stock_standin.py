"""What the stand-ins for stock services have in common: a real HTTP server over a folder, with failures on demand.

A service is a sub-class that knows its addresses, its key and the shape of its answers. Every clip is offered in several
sizes, all of which serve the same file, so tests can ask which size was taken. Failures (`Mode`) are switched by
attribute, by `?mode=` of one request, or by `POST /_control?mode=...&remaining=...&times=...`; `GET /_state` tells what
has been asked.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from aiohttp import web
from standins.stock_files import (
    HTML,
    MODES,
    PHOTO_SUFFIXES,
    Digest,
    Download,
    FileStandin,
    Mode,
    SearchMode,
    StandinClip,
)

__all__ = ["Download", "Mode", "StandinClip", "StockStandin", "clips_in", "serve"]

_DURATION = re.compile(r"Duration: (\d+):(\d+):([\d.]+)")
_VIDEO = re.compile(r"Stream #\d+:\d+.*: Video: .* (\d{2,5})x(\d{2,5})[ ,].*?([\d.]+) fps")
_SCALES = (2.0, 1.0, 2 / 3, 0.5)


@dataclass(kw_only=True)
class StockStandin(FileStandin):
    """Use as `async with PexelsStandin(clips=...) as pexels:` and give `pexels.base_url` to the adapter."""

    key: str = "test-key"
    limit: int = 200
    remaining: int | None = None
    reset_in_s: float = 3600.0
    retry_after_s: str | None = "7"
    revoke_after: int | None = None
    """After so many searches the key is refused."""
    strict: bool = False
    """Offer only clips that share a word with the query; the services themselves pad their answers."""
    any_orientation: bool = False
    searches: list[dict[str, str]] = field(default_factory=list)
    keys_seen: list[str | None] = field(default_factory=list)
    agents_seen: list[str | None] = field(default_factory=list)

    async def __aenter__(self) -> Any:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._left = self.limit if self.remaining is None else self.remaining
        app = web.Application()
        self.add_routes(app)
        self.add_file_routes(app)
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

    async def _search(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        self.searches.append(query)
        self.keys_seen.append(self.key_of(request))
        self.agents_seen.append(request.headers.get("User-Agent"))
        self.arrived.set()
        mode = self.spoil(query.pop("mode", None), get_args(SearchMode))
        if mode == "slow":
            await self.release.wait()
        if mode == "drop":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if mode == "challenge":
            return web.Response(status=403, text=HTML, content_type="text/html", headers={"cf-mitigated": "challenge"})
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
            return await self.drip(request, json.dumps(answer).encode(), web.StreamResponse(headers=headers), 1)
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


async def _still(path: Path, ffmpeg: str) -> bytes | None:
    """The first picture of a file as a small JPEG; None if there is none."""
    process = await asyncio.create_subprocess_exec(
        ffmpeg, "-v", "error", "-nostdin", "-i", str(path), "-frames:v", "1", "-vf", "scale=480:-2", "-pix_fmt", "yuvj420p",
        "-c:v", "mjpeg", "-f", "image2pipe", "-", stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    return (await process.communicate())[0] or None


async def clips_in(
    folder: Path, *, ffmpeg: str | None = None, uhd: bool = False, stills: bool = False
) -> list[StandinClip]:
    """The `.mp4` files and the photos of a folder; sizes and lengths as `ffmpeg -i` reports them. `stills`: with
    preview pictures."""
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
                still=await _still(path, ffmpeg) if stills else None,
            )
        )
    return clips


async def _serve(kind: type[StockStandin], options: argparse.Namespace) -> None:
    clips = await clips_in(options.folder, ffmpeg=options.ffmpeg, uhd=options.uhd, stills=True)
    standin = kind(
        clips=clips,
        key=options.key,
        limit=options.limit,
        host=options.host,
        port=options.port,
        mode=options.mode,
        digest=options.digest,
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
    parser.add_argument(
        "--digest", default="repr-digest", choices=get_args(Digest), help="the header of files' checksums; '': none"
    )
    parser.add_argument("--ffmpeg", help="path of ffmpeg, used twice per clip: for its size and its preview picture")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(kind, parser.parse_args()))
