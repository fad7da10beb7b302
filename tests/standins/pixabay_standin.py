"""A stand-in for the Pixabay API, videos and photos. What it can be told is in stock_standin.py.

    python tests/standins/pixabay_standin.py --port 9002 --folder CLIPS [--key KEY]

Answers have the shape of https://pixabay.com/api/docs/; no recorded one was at hand.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from standins.stock_standin import StandinClip, StockStandin, serve

LANGUAGES = "cs da de en es fr id it hu nl no pl pt ro sk fi sv tr vi th bg ru el ja ko zh".split()
_NAMES = ("large", "medium", "small", "tiny")


@dataclass(kw_only=True)
class PixabayStandin(StockStandin):
    limit: int = 100
    reset_in_s: float = 60.0
    retry_after_s: str | None = None
    """It sends none; `X-RateLimit-Reset` says it."""

    @property
    def base_url(self) -> str:
        return f"{self.origin}/api"

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/api/", self._search)
        app.router.add_get("/api/videos/", self._search)

    def key_of(self, request: web.Request) -> str | None:
        return request.query.get("key")

    def refusal(self) -> web.Response:
        text = "[ERROR 400] Invalid or missing API key (https://pixabay.com/api/docs/)."
        return web.Response(status=400, text=text)

    def quota_headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self._left)),
            "X-RateLimit-Reset": str(int(self.reset_in_s)),
        }

    def too_many(self, headers: dict[str, str]) -> web.Response:
        return web.Response(status=429, text="API rate limit exceeded", headers=headers)

    def complaint(self, query: dict[str, str]) -> web.Response | None:
        wrong = next(
            (
                name
                for name, right in (
                    ("per_page", 3 <= int(query.get("per_page", "20")) <= 200),
                    ("q", len(query.get("q", "")) <= 100),
                    ("lang", query.get("lang", "en") in LANGUAGES),
                    ("orientation", query.get("orientation", "all") in ("all", "horizontal", "vertical")),
                )
                if not right
            ),
            None,
        )
        return web.Response(status=400, text=f'[ERROR 400] "{wrong}" is out of valid range.') if wrong else None

    @property
    def wrong_shape(self) -> Any:
        return {"total": 1, "totalHits": 1, "hits": {"id": 1}}

    def page(self, request: web.Request, query: dict[str, str], offered: dict[int, StandinClip]) -> dict[str, Any]:
        photos = request.path == "/api/"
        per_page, page = int(query.get("per_page", "20")), int(query.get("page", "1"))
        shape = {"horizontal": "landscape", "vertical": "portrait"}.get(query.get("orientation", "all"))
        found = [
            (clip_id, clip)
            for clip_id, clip in self.found(query.get("q", ""), offered, photos=photos)
            if not photos or self.any_orientation or shape in (None, clip.shape)
        ]
        window = found[(page - 1) * per_page : page * per_page]
        hits = [self._photo(*item) if photos else self._video(*item) for item in window]
        return {"total": len(found), "totalHits": min(500, len(found)), "hits": hits}

    def _hit(self, clip_id: int, clip: StandinClip, kind: str) -> dict[str, Any]:
        return {
            "id": clip_id,
            "pageURL": f"https://pixabay.com/{kind}/{clip.words}-{clip_id}/",
            "tags": ", ".join(clip.tags or clip.words.split("-")),
            "views": 4462,
            "downloads": 1464,
            "likes": 18,
            "comments": 0,
            "user_id": 1281706,
            "user": "Coverr-Free-Footage",
            "userImageURL": "https://cdn.pixabay.com/user/2015/10/16/09-28-45-303_250x250.png",
        }

    def _video(self, clip_id: int, clip: StandinClip) -> dict[str, Any]:
        sizes = sorted(clip.sizes(), reverse=True)
        missing = {"url": "", "width": 0, "height": 0, "size": 0, "thumbnail": ""}
        files: dict[str, Any] = dict.fromkeys(_NAMES, missing)
        for name, size in zip(_NAMES[4 - min(4, len(sizes)) :], sizes, strict=False):
            files[name] = {
                "url": self.file_url(clip_id, size, name),
                "width": size[0],
                "height": size[1],
                "size": clip.size_bytes,
                "thumbnail": self.picture_url(clip_id, f"{name}.jpg"),
            }
        return {**self._hit(clip_id, clip, "videos"), "type": "film", "duration": clip.duration_s, "videos": files}

    def _photo(self, clip_id: int, clip: StandinClip) -> dict[str, Any]:
        def within(side: int) -> tuple[int, int]:
            scale = min(1.0, side / max(clip.width, clip.height))
            return round(clip.width * scale), round(clip.height * scale)

        return {
            **self._hit(clip_id, clip, "photos"),
            "type": "photo",
            "previewURL": self.picture_url(clip_id, "preview_150.jpg"),
            "previewWidth": within(150)[0],
            "previewHeight": within(150)[1],
            "webformatURL": self.file_url(clip_id, within(640), "webformat"),
            "webformatWidth": within(640)[0],
            "webformatHeight": within(640)[1],
            "largeImageURL": self.file_url(clip_id, within(1280), "large"),
            "imageWidth": clip.width,
            "imageHeight": clip.height,
            "imageSize": clip.size_bytes,
        }


if __name__ == "__main__":
    serve(PixabayStandin, __doc__)
