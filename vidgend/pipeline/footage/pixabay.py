"""Stock videos and photos from Pixabay. The key travels in the address of a search, so addresses are told to nobody.

Source: https://pixabay.com/api/docs/. 100 requests in 60 seconds for each key, `X-RateLimit-Reset` in seconds from
now. Answers must be kept for 24 hours, and files be downloaded rather than linked to: both is done for every provider.
Videos cannot be searched by shape. A wrong key is HTTP 400 with a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from vidgend.models import Candidate
from vidgend.pipeline.budget.port import Quota
from vidgend.pipeline.footage.languages import nearest
from vidgend.pipeline.footage.pixabay_wire import parse_photos, parse_videos
from vidgend.pipeline.footage.port import FootageQuery, SearchKind
from vidgend.pipeline.footage.stock import Request, StockFootage

BASE_URL = "https://pixabay.com/api"
_MOST_PER_PAGE, _LEAST_PER_PAGE = 200, 20
_LANGUAGES = (
    "cs", "da", "de", "en", "es", "fr", "id", "it", "hu", "nl", "no", "pl", "pt", "ro", "sk", "fi", "sv", "tr", "vi",
    "th", "bg", "ru", "el", "ja", "ko", "zh",
)  # fmt: skip
_ORIENTATIONS = {"landscape": "horizontal", "portrait": "vertical", "square": "all"}


class PixabayFootage(StockFootage):
    name = "pixabay"
    title = "Pixabay"
    kinds: tuple[SearchKind, ...] = ("video", "photo")
    most_query_chars = 100

    def __init__(self, *, api_key: str, client: httpx.AsyncClient, base_url: str = BASE_URL, **options: Any) -> None:
        """`options` are those of StockFootage."""
        super().__init__(api_key=api_key, client=client, base_url=base_url, **options)

    def request(self, text: str, query: FootageQuery, kind: SearchKind) -> Request:
        # Where the shape cannot be asked for, half of what comes has the wrong one.
        wanted = 2 * query.limit if kind == "photo" else 4 * query.limit
        params = {
            "key": self._key,
            "q": text,
            "lang": nearest(query.language, _LANGUAGES) or "en",
            "safesearch": "true",
            "per_page": str(min(_MOST_PER_PAGE, max(_LEAST_PER_PAGE, wanted))),
            "page": "1",
        }
        if kind == "photo":
            params |= {"image_type": "photo", "orientation": _ORIENTATIONS[query.orientation]}
            return Request(operation="photo_search", path="", params=params)
        return Request(operation="video_search", path="videos/", params=params)

    def parse(self, body: bytes, kind: SearchKind) -> tuple[Candidate, ...]:
        return parse_photos(body) if kind == "photo" else parse_videos(body)

    def quota_of(self, headers: Mapping[str, str], now_s: float) -> Quota | None:
        try:
            return Quota(
                limit=int(headers["x-ratelimit-limit"]),
                remaining=int(headers["x-ratelimit-remaining"]),
                reset_s=now_s + max(0.0, float(headers["x-ratelimit-reset"])),
            )
        except (KeyError, ValueError):
            return None

    def refuses_key(self, status: int, text: str) -> bool:
        return status in (401, 403) or (status == 400 and "api key" in text.lower())
