"""Stock videos and photos from Pexels. The key travels in `Authorization`, to the search host alone.

Source: https://www.pexels.com/api/documentation/ (photo search, video search, request statistics). `size` is a least
size: for videos `medium` is Full HD, `large` 4K, for photos `small` 4, `medium` 12, `large` 24 megapixels.
`X-Ratelimit-*` come with successful answers only and count the month; a bare 429 is the hour. Videos and photos are
counted together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from vidgend.models import Candidate
from vidgend.pipeline.budget.port import Quota
from vidgend.pipeline.footage.languages import nearest
from vidgend.pipeline.footage.pexels_wire import parse_photos, parse_videos
from vidgend.pipeline.footage.port import FootageQuery, SearchKind
from vidgend.pipeline.footage.stock import Request, StockFootage

BASE_URL = "https://api.pexels.com"
_MOST_PER_PAGE, _LEAST_PER_PAGE = 80, 15
_FULL_HD_PX = (1080, 1920)
_LOCALES = (
    "en-US", "pt-BR", "es-ES", "ca-ES", "de-DE", "it-IT", "fr-FR", "sv-SE", "id-ID", "pl-PL", "ja-JP", "zh-CN",
    "zh-TW", "ko-KR", "th-TH", "nl-NL", "hu-HU", "vi-VN", "cs-CZ", "da-DK", "fi-FI", "uk-UA", "el-GR", "ro-RO",
    "nb-NO", "sk-SK", "tr-TR", "ru-RU",
)  # fmt: skip


class PexelsFootage(StockFootage):
    name = "pexels"
    title = "Pexels"
    kinds: tuple[SearchKind, ...] = ("video", "photo")

    def __init__(self, *, api_key: str, client: httpx.AsyncClient, base_url: str = BASE_URL, **options: Any) -> None:
        """`options` are those of StockFootage."""
        super().__init__(api_key=api_key, client=client, base_url=base_url, **options)

    def request(self, text: str, query: FootageQuery, kind: SearchKind) -> Request:
        size = _photo_size(query) if kind == "photo" else _video_size(query)
        params = {
            "query": text,
            "orientation": query.orientation,
            "size": size,
            "per_page": str(min(_MOST_PER_PAGE, max(_LEAST_PER_PAGE, 2 * query.limit))),
            "page": "1",
        }
        locale = nearest(query.language, _LOCALES)
        if locale is not None and locale != "en-US":
            params["locale"] = locale
        return Request(
            operation="photo_search" if kind == "photo" else "video_search",
            path="v1/search" if kind == "photo" else "videos/search",
            params=params,
            headers={"Authorization": self._key},
        )

    def parse(self, body: bytes, kind: SearchKind) -> tuple[Candidate, ...]:
        return parse_photos(body) if kind == "photo" else parse_videos(body)

    def quota_of(self, headers: Mapping[str, str], now_s: float) -> Quota | None:
        try:
            return Quota(
                limit=int(headers["x-ratelimit-limit"]),
                remaining=int(headers["x-ratelimit-remaining"]),
                reset_s=float(headers["x-ratelimit-reset"]),
            )
        except (KeyError, ValueError):
            return None


def _video_size(query: FootageQuery) -> str:
    short, long = sorted((query.width_px, query.height_px))
    return "medium" if short <= _FULL_HD_PX[0] and long <= _FULL_HD_PX[1] else "large"


def _photo_size(query: FootageQuery) -> str:
    """Twice the pixels of the picture, since a photo has another shape and is moved across."""
    megapixels = 2 * query.width_px * query.height_px / 1e6
    return "small" if megapixels <= 4.2 else "medium" if megapixels <= 12 else "large"
