"""A stand-in for the Pexels API, videos and photos. What it can be told is in stock_standin.py.

    python tests/standins/pexels_standin.py --port 9001 --folder CLIPS [--key KEY]

Answers have the shape of recorded ones (videos) and of https://www.pexels.com/api/documentation/ (photos).
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from standins.stock_standin import Download, Mode, StandinClip, StockStandin, clips_in, serve

__all__ = ["Download", "Mode", "PexelsStandin", "StandinClip", "clips_in"]


@dataclass(kw_only=True)
class PexelsStandin(StockStandin):
    def add_routes(self, app: web.Application) -> None:
        for path in ("/videos/search", "/v1/videos/search", "/v1/search"):
            app.router.add_get(path, self._search)

    def key_of(self, request: web.Request) -> str | None:
        return request.headers.get("Authorization")

    def refusal(self) -> web.Response:
        return web.json_response({"status": 401, "code": "Unauthorized"}, status=401)

    def quota_headers(self) -> dict[str, str]:
        return {
            "X-Ratelimit-Limit": str(self.limit),
            "X-Ratelimit-Remaining": str(max(0, self._left)),
            "X-Ratelimit-Reset": str(int(time.time() + self.reset_in_s)),
        }

    def too_many(self, headers: dict[str, str]) -> web.Response:
        return web.json_response({"error": "too many"}, status=429, headers=headers)

    def complaint(self, query: dict[str, str]) -> web.Response | None:
        if not query.get("query"):
            return web.json_response({"status": 400, "code": "Missing query"}, status=400)
        return None

    @property
    def wrong_shape(self) -> Any:
        return {"videos": {"id": 1}, "photos": {"id": 1}}

    def page(self, request: web.Request, query: dict[str, str], offered: dict[int, StandinClip]) -> dict[str, Any]:
        photos = request.path == "/v1/search"
        per_page = max(1, min(80, int(query.get("per_page", "15"))))
        page = max(1, int(query.get("page", "1")))
        shape = query.get("orientation")
        found = [
            (clip_id, clip)
            for clip_id, clip in self.found(query["query"], offered, photos=photos)
            if self.any_orientation or shape in (None, clip.shape)
        ]
        window = found[(page - 1) * per_page : page * per_page]
        entries = [self._photo(*item) if photos else self._video(*item) for item in window]
        answer: dict[str, Any] = {
            "page": page,
            "per_page": per_page,
            "photos" if photos else "videos": entries,
            "total_results": len(found),
            "url": f"{self.origin}/search/videos/{query['query']}/",
        }
        if page * per_page < len(found):
            answer["next_page"] = f"{self.origin}/v1{request.path}?page={page + 1}&per_page={per_page}"
        return answer

    def _video(self, clip_id: int, clip: StandinClip) -> dict[str, Any]:
        files = []
        for index, (width, height) in enumerate(clip.sizes()):
            quality = "uhd" if min(width, height) > 1080 else "hd" if min(width, height) >= 720 else "sd"
            files.append(
                {
                    "id": clip_id * 10 + index,
                    "quality": quality,
                    "file_type": "video/mp4",
                    "width": width,
                    "height": height,
                    "fps": clip.fps,
                    "link": self.file_url(clip_id, (width, height), quality),
                    "size": clip.size_bytes,
                }
            )
        return {
            "id": clip_id,
            "width": clip.width,
            "height": clip.height,
            "duration": clip.duration_s,
            "full_res": None,
            "tags": list(clip.tags),
            "url": f"https://www.pexels.com/video/{clip.words}-{clip_id}/",
            "image": self.picture_url(clip_id, "cropped.jpeg?fit=crop&h=1200&w=630"),
            "avg_color": None,
            "user": {"id": 77, "name": "Ada Example", "url": "https://www.pexels.com/@ada-example"},
            "video_files": files,
            "video_pictures": [
                {"id": clip_id + nr, "nr": nr, "picture": self.picture_url(clip_id, f"preview-{nr}.jpeg")}
                for nr in range(15)
            ],
        }

    def _photo(self, clip_id: int, clip: StandinClip) -> dict[str, Any]:
        full = clip.width, clip.height
        return {
            "id": clip_id,
            "width": clip.width,
            "height": clip.height,
            "url": f"https://www.pexels.com/photo/{clip.words}-{clip_id}/",
            "photographer": "Ada Example",
            "photographer_url": "https://www.pexels.com/@ada-example",
            "photographer_id": 77,
            "avg_color": "#978E82",
            "src": {
                "original": self.file_url(clip_id, full, "original"),
                "large2x": self.file_url(clip_id, _within(full, 1880, 1300), "large2x"),
                "large": self.file_url(clip_id, _within(full, 940, 650), "large"),
                "medium": self.picture_url(clip_id, "medium.jpeg?h=350"),
                "small": self.picture_url(clip_id, "small.jpeg?h=130"),
                "portrait": self.file_url(clip_id, (800, 1200), "portrait"),
                "landscape": self.file_url(clip_id, (1200, 627), "landscape"),
                "tiny": self.picture_url(clip_id, "tiny.jpeg?fit=crop&h=200&w=280"),
            },
            "liked": False,
            "alt": clip.words.replace("-", " ").capitalize(),
        }


def _within(size: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    scale = min(1.0, width / size[0], height / size[1])
    return round(size[0] * scale), round(size[1] * scale)


if __name__ == "__main__":
    serve(PexelsStandin, __doc__)
