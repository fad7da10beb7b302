"""A stand-in for the Pexels video API: a real HTTP server over a folder of clips, with failures on demand.

    python tests/standins/pexels_standin.py --port 9001 --folder CLIPS [--key KEY]

Answers have the shape of recorded ones. Every clip is offered in several sizes, all of which serve the same file, so
tests can ask which size was taken. Failures (`Mode`) are switched by attribute, by `?mode=` of one search, or by
`POST /_control?mode=...&remaining=...&times=...`; `GET /_state` tells what has been asked.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from aiohttp import web

Mode = Literal[
    "ok", "unauthorized", "limited", "limited_bare", "error", "garbage", "wrong_shape", "slow", "drop",
    "truncated", "file_error", "file_garbage", "file_redirect", "slow_file",
]  # fmt: skip
_DURATION = re.compile(r"Duration: (\d+):(\d+):([\d.]+)")
_VIDEO = re.compile(r"Stream #\d+:\d+.*: Video: .* (\d{2,5})x(\d{2,5})[ ,].*?([\d.]+) fps")
_SCALES = (2.0, 1.0, 2 / 3, 0.5)


@dataclass(frozen=True, kw_only=True)
class StandinClip:
    """A clip on offer. `scales` are the sizes of its renditions relative to width x height."""

    path: Path
    width: int
    height: int
    duration_s: int = 10
    fps: float = 30.0
    slug: str = ""
    scales: tuple[float, ...] = (1.0, 2 / 3, 0.5)

    @property
    def words(self) -> str:
        return self.slug or re.sub(r"[\W_]+", "-", self.path.stem.lower()).strip("-")


@dataclass(kw_only=True)
class Download:
    """One request for a file: the clip's id, the size in its address, and the key if one was sent by mistake."""

    clip_id: int
    size: str
    authorization: str | None = None
    range: str | None = None
    accept_encoding: str | None = None


@dataclass(kw_only=True)
class PexelsStandin:
    """Use as `async with PexelsStandin(clips=...) as pexels:` and give `pexels.base_url` to the adapter."""

    clips: Sequence[StandinClip] = ()
    key: str = "test-key"
    limit: int = 200
    remaining: int | None = None
    reset_in_s: float = 3600.0
    retry_after_s: str | None = "7"
    mode: Mode = "ok"
    times: int | None = None
    """How many more requests `mode` spoils; None means all."""
    strict: bool = False
    """Offer only clips that share a word with the query; Pexels itself pads its answers."""
    any_orientation: bool = False
    picture: bytes | None = None
    """What every preview picture is; None: there is none (404)."""
    pictures_asked: list[str | None] = field(default_factory=list)
    """The key that was sent, by mistake, with each request for a picture."""
    redirect_to: str | None = None
    """Where `file_redirect` points; None is the file itself."""
    host: str = "127.0.0.1"
    port: int = 0
    searches: list[dict[str, str]] = field(default_factory=list)
    keys_seen: list[str | None] = field(default_factory=list)
    downloads: list[Download] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    """`slow` and `slow_file` answers wait for this."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a request has come in."""

    async def __aenter__(self) -> PexelsStandin:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._left = self.limit if self.remaining is None else self.remaining
        app = web.Application()
        app.router.add_get("/videos/search", self._search)
        app.router.add_get("/v1/videos/search", self._search)
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
    def base_url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def calls(self) -> int:
        """Searches that reached the server."""
        return len(self.searches)

    def _spoil(self, asked: str | None, among: Sequence[Mode]) -> Mode:
        mode = asked if asked in get_args(Mode) else self.mode
        if mode not in among:
            return "ok"
        if asked is None and self.times is not None:
            if self.times <= 0:
                return "ok"
            self.times -= 1
        return mode  # type: ignore[return-value]

    def _headers(self) -> dict[str, str]:
        return {
            "X-Ratelimit-Limit": str(self.limit),
            "X-Ratelimit-Remaining": str(max(0, self._left)),
            "X-Ratelimit-Reset": str(int(time.time() + self.reset_in_s)),
        }

    async def _search(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        self.searches.append(query)
        self.keys_seen.append(request.headers.get("Authorization"))
        self.arrived.set()
        mode = self._spoil(
            query.pop("mode", None),
            ("unauthorized", "limited", "limited_bare", "error", "garbage", "wrong_shape", "slow", "drop"),
        )
        if mode == "slow":
            await self.release.wait()
        if mode == "drop":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if mode == "unauthorized" or request.headers.get("Authorization") != self.key:
            return web.json_response({"status": 401, "code": "Unauthorized"}, status=401)
        if mode == "limited_bare":
            return web.Response(status=429, text="Too Many Requests")
        if mode == "limited" or self._left <= 0:
            extra = {"Retry-After": self.retry_after_s} if self.retry_after_s else {}
            return web.json_response({"error": "too many"}, status=429, headers={**self._headers(), **extra})
        if mode == "error":
            return web.Response(status=503, text="upstream broken")
        self._left -= 1
        if mode == "garbage":
            return web.Response(text="<html>captive portal</html>", content_type="text/html")
        if mode == "wrong_shape":
            return web.json_response({"videos": {"id": 1}}, headers=self._headers())
        if not query.get("query"):
            return web.json_response({"status": 400, "code": "Missing query"}, status=400)
        return web.json_response(self._page(query), headers=self._headers())

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        per_page = max(1, min(80, int(query.get("per_page", "15"))))
        page = max(1, int(query.get("page", "1")))
        wanted = {_stem(word) for word in re.findall(r"\w+", query["query"].lower())}
        found = []
        for clip_id, clip in self._by_id().items():
            shape = "square" if clip.width == clip.height else "landscape" if clip.width > clip.height else "portrait"
            if not self.any_orientation and query.get("orientation", shape) != shape:
                continue
            hits = len(wanted & {_stem(word) for word in clip.words.split("-")})
            if hits or not self.strict:
                found.append((-hits, clip_id, clip))
        found.sort(key=lambda item: item[:2])
        window = found[(page - 1) * per_page : page * per_page]
        answer: dict[str, Any] = {
            "page": page,
            "per_page": per_page,
            "videos": [self._video(clip_id, clip) for _, clip_id, clip in window],
            "total_results": len(found),
            "url": f"{self.base_url}/search/videos/{query['query']}/",
        }
        if page * per_page < len(found):
            answer["next_page"] = f"{self.base_url}/v1/videos/search?page={page + 1}&per_page={per_page}"
        return answer

    def _by_id(self) -> dict[int, StandinClip]:
        return {1_000_001 + index: clip for index, clip in enumerate(self.clips)}

    def _video(self, clip_id: int, clip: StandinClip) -> dict[str, Any]:
        picture = f"{self.base_url}/videos/{clip_id}/pictures"
        files = []
        for index, scale in enumerate(clip.scales):
            width, height = (2 * round(side * scale / 2) for side in (clip.width, clip.height))
            quality = "uhd" if min(width, height) > 1080 else "hd" if min(width, height) >= 720 else "sd"
            name = f"{clip_id}-{quality}_{width}_{height}_{round(clip.fps)}fps.mp4"
            files.append(
                {
                    "id": clip_id * 10 + index,
                    "quality": quality,
                    "file_type": "video/mp4",
                    "width": width,
                    "height": height,
                    "fps": clip.fps,
                    "link": f"{self.base_url}/video-files/{clip_id}/{name}",
                    "size": clip.path.stat().st_size if clip.path.exists() else 0,
                }
            )
        return {
            "id": clip_id,
            "width": clip.width,
            "height": clip.height,
            "duration": clip.duration_s,
            "full_res": None,
            "tags": [],
            "url": f"https://www.pexels.com/video/{clip.words}-{clip_id}/",
            "image": f"{picture}/cropped.jpeg?fit=crop&h=1200&w=630",
            "avg_color": None,
            "user": {"id": 77, "name": "Ada Example", "url": "https://www.pexels.com/@ada-example"},
            "video_files": files,
            "video_pictures": [
                {"id": clip_id + nr, "nr": nr, "picture": f"{picture}/preview-{nr}.jpeg"} for nr in range(15)
            ],
        }

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
        size = "x".join(request.match_info["name"].split("_")[1:3])
        self.downloads.append(
            Download(
                clip_id=clip_id,
                size=size,
                authorization=request.headers.get("Authorization"),
                range=request.headers.get("Range"),
                accept_encoding=request.headers.get("Accept-Encoding"),
            )
        )
        self.arrived.set()
        mode = self._spoil(
            request.query.get("mode"), ("truncated", "file_error", "file_garbage", "file_redirect", "slow_file")
        )
        if mode == "file_redirect":
            raise web.HTTPFound(self.redirect_to or f"{request.path}?mode=ok")
        if mode == "file_error":
            return web.Response(status=502)
        if mode == "file_garbage":
            return web.Response(text="#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", content_type="video/mp4")
        if mode in ("truncated", "slow_file"):
            return await self._cut_short(request, clip, wait=mode == "slow_file")
        return web.FileResponse(clip.path)

    async def _cut_short(self, request: web.Request, clip: StandinClip, *, wait: bool) -> web.StreamResponse:
        """Half of the file, then nothing more or the end of the connection."""
        data = await asyncio.to_thread(clip.path.read_bytes)
        response = web.StreamResponse(headers={"Content-Length": str(len(data)), "Content-Type": "video/mp4"})
        await response.prepare(request)
        await response.write(data[: len(data) // 2])
        if wait:
            await self.release.wait()
        assert request.transport is not None
        request.transport.close()
        return response

    async def _control(self, request: web.Request) -> web.Response:
        query = request.query
        if "mode" in query:
            if query["mode"] not in get_args(Mode):
                raise web.HTTPBadRequest(text=f"modes: {', '.join(get_args(Mode))}")
            self.mode = query["mode"]  # type: ignore[assignment]
            self.times = None
        if "times" in query:
            self.times = int(query["times"])
        if "remaining" in query:
            self._left = int(query["remaining"])
        if "reset_in_s" in query:
            self.reset_in_s = float(query["reset_in_s"])
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


def _stem(word: str) -> str:
    return word.removesuffix("ing").removesuffix("es").removesuffix("s")


async def clips_in(folder: Path, *, ffmpeg: str | None = None, uhd: bool = False) -> list[StandinClip]:
    """The `.mp4` files of a folder; sizes and lengths as `ffmpeg -i` reports them."""
    if ffmpeg is None:
        import imageio_ffmpeg

        ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    clips = []
    for path in sorted(folder.glob("*.mp4")):
        probe = await asyncio.create_subprocess_exec(
            ffmpeg, "-hide_banner", "-nostdin", "-i", str(path), stderr=asyncio.subprocess.PIPE
        )
        text = (await probe.communicate())[1].decode("utf-8", "replace")
        size, length = _VIDEO.search(text), _DURATION.search(text)
        if size is None or length is None:
            continue
        seconds = int(length.group(1)) * 3600 + int(length.group(2)) * 60 + float(length.group(3))
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


async def _serve(options: argparse.Namespace) -> None:
    clips = await clips_in(options.folder, ffmpeg=options.ffmpeg, uhd=options.uhd)
    standin = PexelsStandin(
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", default="test-key")
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--mode", default="ok", choices=get_args(Mode))
    parser.add_argument("--strict", action="store_true", help="only clips that share a word with the query")
    parser.add_argument("--any-orientation", action="store_true", help="ignore the orientation that is asked for")
    parser.add_argument("--uhd", action="store_true", help="offer a size of twice the clip's as well")
    parser.add_argument("--ffmpeg", help="path of ffmpeg, used once per clip to read its size")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
