"""What all stock services have in common: one request for a search, a refused key remembered, files fetched. A service
is a sub-class that says what to ask and what the answer means.

Each single request passes through the budget, which hears what the service says about its quota and obeys that; files
and previews do not, since no quota counts them.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import httpx

from vidgend.errors import ProviderError, ProviderRateLimited, ProviderUnauthorized
from vidgend.models import Candidate
from vidgend.pipeline.budget.port import Budget, Quota, Unlimited
from vidgend.pipeline.footage.download import MAX_FILE_BYTES, USER_AGENT, download
from vidgend.pipeline.footage.port import FootageQuery, SearchKind
from vidgend.pipeline.footage.renditions import smallest_cover
from vidgend.pipeline.footage.usable import usable
from vidgend.pipeline.provider_http import (
    DEFAULT_RETRY_AFTER_S,
    LONGEST_RETRY_AFTER_S,
    Clock,
    Transient,
    persevere,
    read_answer,
    retry_after_s,
    status_error,
    transport_error,
)

REFUSED_S = 600.0
"""How long a refused key is not tried again: long enough to spare the service, short enough to notice a repair."""
MAX_PREVIEW_BYTES = 8 * 1024 * 1024
"""A preview picture has the size of the video, so that one of a 4K video may well have 2 MB."""
_HOUR_S = 3600.0
_MAX_REFUSAL_BYTES = 4096


@dataclass(frozen=True, kw_only=True)
class Request:
    """One search as the service wants it. `operation` is what the budget calls it."""

    operation: Literal["video_search", "photo_search"]
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)


class StockFootage(ABC):
    """Search and fetch. `client` is used and not closed; `base_url` may be a stand-in or a caching proxy.

    `files` downloads what search answers point to, wherever that is, so it should be guarded; it is closed with this.
    Without it `client` does.
    """

    name: str
    title: str
    """As people write it."""
    kinds: tuple[SearchKind, ...]
    keyless = False
    most_query_chars = 200

    def __init__(
        self,
        *,
        client: httpx.AsyncClient,
        base_url: str,
        api_key: str = "",
        files: httpx.AsyncClient | None = None,
        budget: Budget | None = None,
        clock: Clock = time.time,
        search_timeout_s: float = 20.0,
        fetch_timeout_s: float = 180.0,
        preview_timeout_s: float = 20.0,
        max_file_bytes: int = MAX_FILE_BYTES,
        max_preview_bytes: int = MAX_PREVIEW_BYTES,
        retry_wait_s: float = 0.5,
    ) -> None:
        """`budget` None: none is kept."""
        self._key = api_key
        self._client = client
        self._files = files
        self._base = httpx.URL(base_url.rstrip("/") + "/")
        self.identity = f"{self.name}:{base_url.rstrip('/')}"
        self._budget: Budget = budget or Unlimited()
        self._clock = clock
        self._search_timeout_s = search_timeout_s
        self._fetch_timeout_s = fetch_timeout_s
        self._preview_timeout_s = preview_timeout_s
        self._max_file_bytes = max_file_bytes
        self._max_preview_bytes = max_preview_bytes
        self._retry_wait_s = retry_wait_s
        self._refused_until_s = 0.0

    @abstractmethod
    def request(self, text: str, query: FootageQuery, kind: SearchKind) -> Request:
        """How to ask for `text`, which has words and is not too long. `kind` is one of `kinds`."""

    @abstractmethod
    def parse(self, body: bytes, kind: SearchKind) -> tuple[Candidate, ...]:
        """Raises: ProviderGarbage."""

    @abstractmethod
    def quota_of(self, headers: Mapping[str, str], now_s: float) -> Quota | None:
        """What an answer says about the requests that are left; None if it says nothing."""

    def refuses_key(self, status: int, text: str) -> bool:
        """Whether an answer of HTTP 4xx is about the key. `text` is the beginning of its body."""
        return status in (401, 403)

    async def search(self, query: FootageQuery) -> tuple[Candidate, ...]:
        """One request, whatever `limit` is. `any` asks for the first of `kinds`; for what is not among them there is
        no answer.

        Raises: ProviderUnauthorized, ProviderRateLimited, BudgetSpent, ProviderError, ProviderGarbage.
        """
        kind = self.kinds[0] if query.kind == "any" else query.kind
        text = self._clean(query.text)
        if not text or kind not in self.kinds:
            return ()
        request = self.request(text, query, kind)
        body = await persevere(
            lambda: self._try_search(request, text), timeout_s=self._search_timeout_s, wait_s=self._retry_wait_s
        )
        return usable(self.parse(body, kind), query)[: query.limit]

    async def fetch(self, candidate: Candidate, *, width_px: int, height_px: int, path: Path) -> None:
        """Raises: ProviderError and its kin, StorageFull, StepError (cannot write)."""
        rendition = smallest_cover(candidate.renditions, width_px=width_px, height_px=height_px)
        if rendition is None:
            raise ProviderError(f"{self.title} {candidate.kind} {candidate.id} has no file")
        await self._download(
            rendition.url,
            path,
            timeout_s=self._fetch_timeout_s,
            max_bytes=self._max_file_bytes,
            told_bytes=rendition.size_bytes,
            kind="photo" if candidate.kind == "photo" else "video",
        )

    async def preview(self, candidate: Candidate, *, path: Path) -> Path:
        """One of the pictures that the service shows of it. Costs no quota. Raises: as `fetch`."""
        if candidate.preview_url is None:
            error = ProviderError(f"{self.title} has no picture of {candidate.kind} {candidate.id}")
            error.retryable, error.max_retries = False, 0
            raise error
        await self._download(
            candidate.preview_url, path, timeout_s=self._preview_timeout_s, max_bytes=self._max_preview_bytes
        )
        return path

    async def _download(
        self,
        url: str,
        path: Path,
        *,
        timeout_s: float,
        max_bytes: int,
        told_bytes: int = 0,
        kind: Literal["video", "photo"] | None = None,
    ) -> None:
        await download(
            self._files or self._client,
            url,
            path,
            name=self.title,
            trusted=self._base,
            timeout_s=timeout_s,
            max_bytes=max_bytes,
            told_bytes=told_bytes,
            kind=kind,
            retry_wait_s=self._retry_wait_s,
        )

    async def aclose(self) -> None:
        if self._files is not None:
            await self._files.aclose()

    def _clean(self, text: str) -> str:
        """One line of valid text, cut between words where it is too long."""
        line = " ".join(text.encode("utf-8", "replace").decode("utf-8").split())
        if len(line) <= self.most_query_chars:
            return line
        cut = line[: self.most_query_chars + 1].rpartition(" ")[0]
        return cut or line[: self.most_query_chars]

    def _check_key(self) -> None:
        """Raises: ProviderError if the service has refused it lately. (A clock may have been set back meanwhile.)"""
        if 0 < self._refused_until_s - self._clock() <= REFUSED_S:
            raise self._refused("a short while ago")

    def _refused(self, when: str) -> ProviderError:
        if not self.keyless:
            return ProviderUnauthorized(f"{self.title} refused the key {when}")
        error = ProviderError(f"{self.title} refused to answer {when}")
        error.retryable, error.max_retries = False, 0
        return error

    async def _try_search(self, request: Request, text: str) -> bytes:
        self._check_key()
        async with self._budget.call(self.name, request.operation, text) as call:
            try:
                async with (
                    asyncio.timeout(self._search_timeout_s),
                    self._client.stream(
                        "GET",
                        self._base.join(request.path),
                        params=request.params,
                        headers={"Accept": "application/json", "User-Agent": USER_AGENT, **request.headers},
                        follow_redirects=False,
                    ) as response,
                ):
                    quota = _sane(self.quota_of(response.headers, self._clock()), self._clock())
                    call.answered(response.status_code, quota=quota)
                    if response.status_code == 200:
                        return await read_answer(response, name=self.title)
                    error = await self._refusal(response, quota)
                    if isinstance(error, ProviderRateLimited):
                        call.answered(response.status_code, quota=quota, retry_after_s=error.retry_after_s)
                    raise error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                # httpx's own error knows the address, which may hold the key.
                raise Transient(transport_error(error, name=self.title)) from None
            except TimeoutError:
                raise ProviderError(f"{self.title} did not answer in time") from None

    async def _refusal(self, response: httpx.Response, quota: Quota | None) -> ProviderError | Transient:
        now_s, status = self._clock(), response.status_code
        if status == 429:
            return status_error(status, name=self.title, wait_s=_limit_s(response.headers, quota, now_s))
        if response.headers.get("cf-mitigated") == "challenge":
            self._refused_until_s = now_s + REFUSED_S
            error = ProviderError(f"{self.title} lets only browsers in from this address (HTTP {status})")
            error.retryable, error.max_retries = False, 0
            return error
        if 400 <= status < 500 and self.refuses_key(status, await _beginning(response)):
            self._refused_until_s = now_s + REFUSED_S
            return self._refused(f"(HTTP {status})")
        error = status_error(status, name=self.title)
        return Transient(error) if status >= 500 else error


def _limit_s(headers: Mapping[str, str], quota: Quota | None, now_s: float) -> float:
    """How long a 429 lasts. The window's end counts only if it can be meant: nothing left, or within an hour."""
    asked_s = retry_after_s(headers, now_s=now_s)
    if asked_s is not None:
        return asked_s
    if quota is None:
        return DEFAULT_RETRY_AFTER_S
    reset_in_s = quota.reset_s - now_s
    meant = reset_in_s > 0 and (quota.remaining <= 0 or reset_in_s <= _HOUR_S)
    return reset_in_s if meant else DEFAULT_RETRY_AFTER_S


def _sane(quota: Quota | None, now_s: float) -> Quota | None:
    """No window is longer than a month."""
    return quota if quota is not None and quota.reset_s <= now_s + LONGEST_RETRY_AFTER_S else None


async def _beginning(response: httpx.Response) -> str:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) >= _MAX_REFUSAL_BYTES:
            break
    return body[:_MAX_REFUSAL_BYTES].decode("utf-8", "replace")
