"""Openly licensed photos, found through Openverse, without a key.

Source: https://api.openverse.org/v1/ (images, search), https://docs.openverse.org/api/reference/authentication_and_throttling.html
and the throttles at https://github.com/WordPress/openverse. Without a key 20 results a page at most (more is HTTP 401),
some 20 requests a minute and 200 a day for each address; the headers `X-RateLimit-Limit-anon_burst: 20/min` and
`X-RateLimit-Available-anon_burst: 19` say what is left of each of the two. They do not say until when, and a refusal
names its wait in `Retry-After`.

The files lie at whoever published them (Flickr, Wikimedia, museums).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import httpx

from vidgend.models import Candidate
from vidgend.pipeline.budget.port import Quota
from vidgend.pipeline.footage.openverse_wire import Licence, parse_images
from vidgend.pipeline.footage.port import FootageQuery, SearchKind
from vidgend.pipeline.footage.stock import Request, StockFootage

BASE_URL = "https://api.openverse.org"
LICENCES: tuple[Licence, ...] = ("cc0", "pdm", "by")
_PER_PAGE = 20
_SHAPES = {"landscape": "wide", "portrait": "tall", "square": "square"}
_LARGE_FROM_PX = 1280
_WINDOWS = {"anon_burst": 60.0, "anon_sustained": 86_400.0}
"""Seconds that each throttle looks back."""


class OpenverseFootage(StockFootage):
    name = "openverse"
    title = "Openverse"
    kinds: tuple[SearchKind, ...] = ("photo",)
    keyless = True

    def __init__(
        self,
        *,
        client: httpx.AsyncClient,
        base_url: str = BASE_URL,
        licences: Collection[Licence] = LICENCES,
        **options: Any,
    ) -> None:
        """`options` are those of StockFootage."""
        super().__init__(client=client, base_url=base_url, **options)
        self._licences = tuple(sorted(licences))
        self.identity = f"{self.identity}:{','.join(self._licences)}"

    def request(self, text: str, query: FootageQuery, kind: SearchKind) -> Request:
        large = max(query.width_px, query.height_px) > _LARGE_FROM_PX
        params = {
            "q": text,
            "license": ",".join(self._licences),
            "license_type": "commercial,modification",
            "aspect_ratio": _SHAPES[query.orientation],
            "size": "large" if large else "medium,large",
            "mature": "false",
            "page_size": str(_PER_PAGE),
        }
        return Request(operation="photo_search", path="v1/images/", params=params)

    def parse(self, body: bytes, kind: SearchKind) -> tuple[Candidate, ...]:
        return parse_images(body, self._licences)

    def quota_of(self, headers: Mapping[str, str], now_s: float) -> Quota | None:
        """Of the two throttles the one with less left; of two that are used up, the longer."""
        quotas = [
            quota
            for scope, window_s in _WINDOWS.items()
            if (quota := _quota(headers, scope, now_s + window_s)) is not None
        ]
        return min(quotas, key=lambda quota: (quota.remaining, -quota.reset_s), default=None)


def _quota(headers: Mapping[str, str], scope: str, reset_s: float) -> Quota | None:
    try:
        return Quota(
            limit=int(headers[f"x-ratelimit-limit-{scope}"].partition("/")[0]),
            remaining=int(headers[f"x-ratelimit-available-{scope}"]),
            reset_s=reset_s,
        )
    except (KeyError, ValueError):
        return None
