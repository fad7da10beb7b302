"""Stock videos from Pexels.

The key travels in `Authorization`, to the search host alone. Quota is obeyed without being told twice: once Pexels
says that nothing is left, no request is made until the time it named.

Source: https://www.pexels.com/api/documentation/ (video search, request statistics). `size` is a least size: `medium`
is Full HD, `large` 4K. `X-Ratelimit-*` come with successful answers only and count the month; a bare 429 is the hour.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from vidgend.errors import ProviderError, ProviderRateLimited, ProviderUnauthorized
from vidgend.models import Candidate
from vidgend.pipeline.budget.port import Budget, Call, Quota, Unlimited
from vidgend.pipeline.footage.download import MAX_FILE_BYTES, download
from vidgend.pipeline.footage.pexels_wire import parse_search, rank
from vidgend.pipeline.footage.port import FootageQuery, SearchKind
from vidgend.pipeline.footage.renditions import smallest_cover
from vidgend.pipeline.provider_http import (
    DEFAULT_RETRY_AFTER_S,
    Clock,
    Transient,
    persevere,
    read_answer,
    retry_after_s,
    status_error,
    transport_error,
)

REFUSED_S = 600.0
"""How long a refused key is not tried again: long enough to spare Pexels, short enough to notice a repair."""
MAX_PREVIEW_BYTES = 8 * 1024 * 1024
"""A preview picture has the size of the video, so that one of a 4K video may well have 2 MB."""
_HOUR_S = 3600.0
_MOST_PER_PAGE = 80
_LEAST_PER_PAGE = 15
_MOST_QUERY_CHARS = 200
_FULL_HD_PX = (1080, 1920)


class PexelsFootage:
    """Search and fetch. `client` is used and not closed; `base_url` may be a stand-in or a caching proxy.

    `files` downloads what search answers point to, wherever that is, so it should be guarded; it is closed with this.
    Without it `client` does.
    """

    name = "pexels"
    kinds: tuple[SearchKind, ...] = ("video",)

    def __init__(
        self,
        *,
        api_key: str,
        client: httpx.AsyncClient,
        budget: Budget | None = None,
        files: httpx.AsyncClient | None = None,
        base_url: str = "https://api.pexels.com",
        clock: Clock = time.time,
        search_timeout_s: float = 20.0,
        fetch_timeout_s: float = 180.0,
        preview_timeout_s: float = 20.0,
        max_file_bytes: int = MAX_FILE_BYTES,
        max_preview_bytes: int = MAX_PREVIEW_BYTES,
        retry_wait_s: float = 0.5,
    ) -> None:
        self._key = api_key
        self._client = client
        self._budget = budget or Unlimited()
        self._files = files
        self._base = httpx.URL(base_url.rstrip("/") + "/")
        self.identity = f"pexels:{base_url.rstrip('/')}"
        self._clock = clock
        self._search_timeout_s = search_timeout_s
        self._fetch_timeout_s = fetch_timeout_s
        self._preview_timeout_s = preview_timeout_s
        self._max_file_bytes = max_file_bytes
        self._max_preview_bytes = max_preview_bytes
        self._retry_wait_s = retry_wait_s
        self._quota: Quota | None = None
        self._limited_until_s = 0.0
        self._refused_until_s = 0.0

    @property
    def quota(self) -> Quota | None:
        """What Pexels last said about requests left; None before the first answer."""
        return self._quota

    async def search(self, query: FootageQuery) -> tuple[Candidate, ...]:
        """One request, whatever `limit` is (up to 80). Raises: ProviderUnauthorized, ProviderRateLimited,
        ProviderError, ProviderGarbage."""
        text = " ".join(query.text.encode("utf-8", "replace").decode("utf-8").split())[:_MOST_QUERY_CHARS]
        if not text:
            return ()
        self._check_allowed()
        per_page = min(_MOST_PER_PAGE, max(_LEAST_PER_PAGE, 2 * query.limit))
        params = {
            "query": text,
            "orientation": query.orientation,
            "size": _least_size(query.width_px, query.height_px),
            "per_page": str(per_page),
            "page": "1",
        }
        body = await self._get_search(params)
        return rank(parse_search(body), query)[: query.limit]

    async def fetch(self, candidate: Candidate, *, width_px: int, height_px: int, path: Path) -> None:
        """Raises: ProviderError and its kin, StorageFull, StepError (cannot write)."""
        rendition = smallest_cover(candidate.renditions, width_px=width_px, height_px=height_px)
        if rendition is None:
            raise ProviderError(f"Pexels video {candidate.id} has no file")
        await self._download(rendition.url, path, timeout_s=self._fetch_timeout_s, max_bytes=self._max_file_bytes)

    async def preview(self, candidate: Candidate, *, path: Path) -> Path:
        """One of the pictures that Pexels shows of a video. Costs no quota. Raises: as `fetch`."""
        if candidate.preview_url is None:
            error = ProviderError(f"Pexels has no picture of video {candidate.id}")
            error.retryable, error.max_retries = False, 0
            raise error
        await self._download(
            candidate.preview_url, path, timeout_s=self._preview_timeout_s, max_bytes=self._max_preview_bytes
        )
        return path

    async def _download(self, url: str, path: Path, *, timeout_s: float, max_bytes: int) -> None:
        await download(
            self._files or self._client,
            url,
            path,
            name="Pexels",
            trusted=self._base,
            timeout_s=timeout_s,
            max_bytes=max_bytes,
            retry_wait_s=self._retry_wait_s,
        )

    async def aclose(self) -> None:
        if self._files is not None:
            await self._files.aclose()

    def _check_allowed(self) -> None:
        now_s = self._clock()
        if now_s < self._refused_until_s:
            raise ProviderUnauthorized("Pexels refused the key a short while ago")
        until_s = self._limited_until_s
        quota = self._quota
        if quota is not None and quota.remaining <= 0:
            until_s = max(until_s, quota.reset_s)
        if now_s < until_s:
            raise ProviderRateLimited("Pexels' quota is used up", retry_after_s=until_s - now_s)

    async def _get_search(self, params: dict[str, str]) -> bytes:
        return await persevere(
            lambda: self._try_search(params), timeout_s=self._search_timeout_s, wait_s=self._retry_wait_s
        )

    async def _try_search(self, params: dict[str, str]) -> bytes:
        self._check_allowed()
        async with self._budget.call("pexels", "video_search", params["query"]) as call:
            try:
                async with asyncio.timeout(self._search_timeout_s):
                    return await self._request(params, call)
            except TimeoutError:
                raise ProviderError("Pexels did not answer in time") from None

    async def _request(self, params: dict[str, str], call: Call) -> bytes:
        try:
            async with self._client.stream(
                "GET",
                self._base.join("videos/search"),
                params=params,
                headers={"Authorization": self._key, "Accept": "application/json"},
                follow_redirects=False,
            ) as response:
                quota = self._note_quota(response.headers)
                call.answered(response.status_code, quota=quota)
                if response.status_code == 200:
                    return await read_answer(response, name="Pexels")
                error = self._refusal(response)
                if isinstance(error, ProviderRateLimited):
                    call.answered(response.status_code, quota=quota, retry_after_s=error.retry_after_s)
                raise error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Transient(transport_error(error, name="Pexels")) from error

    def _note_quota(self, headers: Mapping[str, str]) -> Quota | None:
        try:
            quota = Quota(
                limit=int(headers["x-ratelimit-limit"]),
                remaining=int(headers["x-ratelimit-remaining"]),
                reset_s=float(headers["x-ratelimit-reset"]),
            )
        except (KeyError, ValueError):
            return None
        known = self._quota
        overtaken = known is not None and known.reset_s == quota.reset_s and known.remaining < quota.remaining
        if not overtaken:
            self._quota = quota
        return quota

    def _refusal(self, response: httpx.Response) -> ProviderError | Transient:
        now_s, status = self._clock(), response.status_code
        if status == 429:
            wait_s = self._limit_s(response.headers, now_s)
            self._limited_until_s = now_s + wait_s
            return status_error(status, name="Pexels", wait_s=wait_s)
        error = status_error(status, name="Pexels")
        if isinstance(error, ProviderUnauthorized):
            self._refused_until_s = now_s + REFUSED_S
        return Transient(error) if status >= 500 else error

    def _limit_s(self, headers: Mapping[str, str], now_s: float) -> float:
        """How long a 429 lasts. The reset header counts only if it can be meant: nothing left, or within the hour."""
        asked_s = retry_after_s(headers, now_s=now_s)
        if asked_s is not None:
            return asked_s
        try:
            reset_in_s = float(headers["x-ratelimit-reset"]) - now_s
        except (KeyError, ValueError):
            return DEFAULT_RETRY_AFTER_S
        empty = headers.get("x-ratelimit-remaining", "0").strip() == "0"
        return reset_in_s if reset_in_s > 0 and (empty or reset_in_s <= _HOUR_S) else DEFAULT_RETRY_AFTER_S


def _least_size(width_px: int, height_px: int) -> str:
    short, long = sorted((width_px, height_px))
    return "medium" if short <= _FULL_HD_PX[0] and long <= _FULL_HD_PX[1] else "large"
