"""A stand-in for the image search of Openverse, as it is without a key. What it can be told is in stock_standin.py.

    python tests/standins/openverse_standin.py --port 9003 --folder PHOTOS

Answers have the shape of https://api.openverse.org/v1/ and its serializers; no recorded one was at hand.
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

_LICENCES = {
    "cc0": ("1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    "pdm": ("1.0", "https://creativecommons.org/publicdomain/mark/1.0/"),
    "by": ("2.0", "https://creativecommons.org/licenses/by/2.0/"),
    "by-sa": ("4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
    "by-nd": ("2.0", "https://creativecommons.org/licenses/by-nd/2.0/"),
    "by-nc": ("2.0", "https://creativecommons.org/licenses/by-nc/2.0/"),
}
_SHAPES = {"wide": "landscape", "tall": "portrait", "square": "square"}


@dataclass(kw_only=True)
class OpenverseStandin(StockStandin):
    key: str = ""
    limit: int = 20
    day_limit: int = 200
    ignores_licences: bool = False
    """Offer what was not asked for as well."""

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/v1/images/", self._search)
        app.router.add_get("/v1/", self._documentation)

    async def _documentation(self, _: web.Request) -> web.Response:
        return web.Response(text="<title>Openverse API</title>", content_type="text/html")

    def key_of(self, request: web.Request) -> str | None:
        return request.headers.get("Authorization", "")

    def refusal(self) -> web.Response:
        return web.json_response({"detail": "Invalid token."}, status=401)

    def quota_headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit-anon_burst": f"{self.limit}/min",
            "X-RateLimit-Available-anon_burst": str(max(0, self._left)),
            "X-RateLimit-Limit-anon_sustained": f"{self.day_limit}/day",
            "X-RateLimit-Available-anon_sustained": str(max(0, self.day_limit - self.calls)),
        }

    def too_many(self, headers: dict[str, str]) -> web.Response:
        text = "Request was throttled. Expected available in 7 seconds."
        return web.json_response({"detail": text}, status=429, headers=headers)

    def complaint(self, query: dict[str, str]) -> web.Response | None:
        if int(query.get("page_size", "20")) > 20:
            text = "Ensure this value is less than or equal to 20."
            return web.json_response({"detail": text}, status=401)
        unknown = set(query.get("license", "by").split(",")) - {*_LICENCES, "by-nc-sa", "by-nc-nd"}
        if unknown:
            text = f"License '{unknown.pop()}' does not exist."
            return web.json_response({"detail": {"license": [text]}}, status=400)
        return None

    @property
    def wrong_shape(self) -> Any:
        return {"result_count": 1, "results": {"id": 1}}

    def page(self, request: web.Request, query: dict[str, str], offered: dict[int, StandinClip]) -> dict[str, Any]:
        size = int(query.get("page_size", "20"))
        licences = query.get("license", "").split(",")
        shape = _SHAPES.get(query.get("aspect_ratio", ""))
        found = [
            (clip_id, clip)
            for clip_id, clip in self.found(query.get("q", ""), offered, photos=True)
            if (self.any_orientation or shape in (None, clip.shape))
            and (self.ignores_licences or licences == [""] or clip.licence in licences)
        ]
        return {
            "result_count": len(found),
            "page_count": -(-len(found) // size),
            "page_size": size,
            "page": 1,
            "results": [self._image(*item) for item in found[:size]],
        }

    def _image(self, clip_id: int, clip: StandinClip) -> dict[str, Any]:
        identifier = f"00000000-0000-4000-8000-{clip_id:012d}"
        version, url = _LICENCES[clip.licence]
        title = clip.words.replace("-", " ").capitalize()
        mine = f"{self.origin}/v1/images/{identifier}/"
        return {
            "id": identifier,
            "title": title,
            "indexed_on": "2019-07-01T18:28:13.612000Z",
            "foreign_landing_url": f"https://www.flickr.com/photos/ada/{clip_id}",
            "url": self.file_url(clip_id, (clip.width, clip.height), "original"),
            "creator": "Ada Example",
            "creator_url": "https://www.flickr.com/photos/ada",
            "license": clip.licence,
            "license_version": version,
            "license_url": url,
            "provider": "flickr",
            "source": "flickr",
            "category": None,
            "filesize": clip.size_bytes,
            "filetype": clip.path.suffix.removeprefix("."),
            "tags": [{"name": tag, "accuracy": None, "unstable__provider": "flickr"} for tag in clip.tags],
            "attribution": f'"{title}" by Ada Example is licensed under CC {clip.licence.upper()} {version}.',
            "fields_matched": ["title"],
            "mature": False,
            "height": clip.height,
            "width": clip.width,
            "thumbnail": self.picture_url(clip_id, "thumb"),
            "detail_url": mine,
            "related_url": f"{mine}related/",
            "unstable__sensitivity": [],
        }


if __name__ == "__main__":
    serve(OpenverseStandin, __doc__)
