"""A provider's file onto disk: streamed, bounded, checked, whole or not at all.

What has come stays between the tries of one download: when a connection breaks off or says nothing for a while, the
next one asks for the rest (`Range` and `If-Range`), and as long as each brings a good piece more, it goes on. Nothing
stays after the last try; a daemon that is killed meanwhile leaves it in the step's scratch folder, which goes at the
next start.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

import httpx

from vidgend import __version__
from vidgend.errors import ProviderError, ProviderGarbage, StepError, StorageFull, TargetForbidden
from vidgend.guarded_client import redirected
from vidgend.pipeline.footage.download_checks import (
    Checksum,
    checksum,
    content_length,
    content_range,
    far_off,
    strong_validator,
)
from vidgend.pipeline.media_kind import HEAD_BYTES, MediaType, sniff
from vidgend.pipeline.part_file import finish, part_path
from vidgend.pipeline.provider_http import Transient, persevere, retry_after_s, status_error, transport_error

MAX_FILE_BYTES = 500 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
STALL_S = 20.0
"""How long a server may say nothing before the connection is given up and the rest asked for on another."""
USER_AGENT = f"vidgend/{__version__}"
_HOPS = 3
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def disk_error(error: OSError) -> StorageFull | StepError:
    if error.errno in _NO_SPACE:
        return StorageFull()
    return StepError(f"cannot write a file: {error.strerror or type(error).__name__}")


async def download(
    client: httpx.AsyncClient,
    url: str,
    path: Path,
    *,
    name: str,
    trusted: httpx.URL,
    timeout_s: float,
    max_bytes: int = MAX_FILE_BYTES,
    told_bytes: int = 0,
    kind: Literal["video", "photo"] | None = None,
    stall_s: float = STALL_S,
    retry_wait_s: float = 0.5,
) -> MediaType:
    """Fetch `url` into `path` and return what it is. Only https, or the host of `trusted`; no key is sent.

    `told_bytes` is the size that the service says (0: it does not), `kind` what it has to be (None: either).
    Broken connections and server errors are tried again. On any failure nothing is left behind.
    Raises: ProviderError and its kin, StorageFull, StepError (cannot write).
    """
    part = part_path(path)
    try:
        file = await asyncio.to_thread(part.open, "w+b")
        try:
            fetched = _Fetched(file)
            one = _Download(
                client=client, url=url, name=name, trusted=trusted, max_bytes=max_bytes, told_bytes=told_bytes,
                kind=kind, stall_s=stall_s, fetched=fetched,
            )  # fmt: skip
            async with asyncio.timeout(timeout_s):
                found = await persevere(one.attempt, timeout_s=timeout_s, wait_s=retry_wait_s)
            await asyncio.to_thread(fetched.sync)
            await asyncio.to_thread(finish, part, path)
            return found
        finally:
            await asyncio.to_thread(file.close)
    except TimeoutError:
        raise ProviderError(f"{name}: the download was not finished after {timeout_s:g} s") from None
    except OSError as error:
        raise disk_error(error) from error
    finally:
        await asyncio.to_thread(part.unlink, missing_ok=True)


class _Fetched:
    """What there is of the file, and what has been told about the whole of it. Its methods block."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = 0
        self.total: int | None = None
        self.validator: str | None = None
        self.found: MediaType | None = None
        self._checksum: Checksum | None = None
        self._hash: Any = None

    def begin(self, *, total: int | None, validator: str | None, checksum: Checksum | None) -> None:
        """From the start, with what the server says now."""
        self._file.seek(0)
        self._file.truncate()
        self.size, self.total, self.validator, self.found = 0, total, validator, None
        self._checksum = checksum
        self._hash = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum is not None else None

    def forget(self) -> None:
        self.begin(total=None, validator=None, checksum=None)

    def add(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self.size += len(chunk)
        if self._hash is not None:
            self._hash.update(chunk)

    @property
    def damaged(self) -> bool:
        return self._checksum is not None and self._hash.digest() != self._checksum.digest

    def sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())


@dataclass(kw_only=True)
class _Download:
    client: httpx.AsyncClient
    url: str
    name: str
    trusted: httpx.URL
    max_bytes: int
    told_bytes: int
    kind: Literal["video", "photo"] | None
    stall_s: float
    fetched: _Fetched
    _buffer: bytearray = field(default_factory=bytearray)

    async def attempt(self) -> MediaType:
        """Get the rest of the file. Raises: Transient and what no other try can better."""
        while True:
            before = self.fetched.size
            try:
                return await self._get()
            except httpx.InvalidURL as error:
                raise ProviderGarbage(f"{self.name} gave a link that is none") from error
            except TargetForbidden as error:
                raise ProviderGarbage(f"{self.name} gave a link into a network that is not allowed") from error
            except httpx.HTTPError as error:
                if self.fetched.size < before + CHUNK_BYTES:
                    raise Transient(transport_error(error, name=self.name)) from error

    async def _get(self) -> MediaType:
        headers = {"Accept-Encoding": "identity", "User-Agent": USER_AGENT}
        if self.fetched.size and self.fetched.validator is not None:
            headers |= {"Range": f"bytes={self.fetched.size}-", "If-Range": self.fetched.validator}
        target = _allowed(httpx.URL(self.url), self.trusted, self.name)
        for _ in range(_HOPS + 1):
            request = self.client.build_request(
                "GET", target, headers=headers, timeout=httpx.Timeout(self.stall_s, connect=min(10.0, self.stall_s))
            )
            request.headers.pop("Authorization", None)
            response = await self.client.send(request, stream=True, follow_redirects=False)
            try:
                if response.has_redirect_location:
                    target = _allowed(redirected(target, response.headers["location"]), self.trusted, self.name)
                    continue
                await self._begin(response)
                return await self._save(response)
            finally:
                await response.aclose()
        raise ProviderError(f"{self.name}: the link redirects more than {_HOPS} times")

    async def _begin(self, response: httpx.Response) -> None:
        """Find out whether the answer is the rest of the file or all of it."""
        headers, status = response.headers, response.status_code
        if status == 206 and "range" in response.request.headers:
            part = content_range(headers)
            known = self.fetched.total
            if (
                part is None
                or part.first != self.fetched.size
                or (known is not None and part.total not in (None, known))
                or headers.get("etag", self.fetched.validator) not in (self.fetched.validator, None)
            ):
                await asyncio.to_thread(self.fetched.forget)
                raise Transient(ProviderGarbage(f"{self.name} sent another part of the file than was asked for"))
            self.fetched.total = known if known is not None else part.total
            return
        if status == 416:  # there is no such part: it is not the file any more that was begun
            await asyncio.to_thread(self.fetched.forget)
            raise Transient(ProviderError(f"{self.name} has changed the file meanwhile"))
        if status != 200:
            error = self._refusal(response)
            raise Transient(error) if status >= 500 else error
        total = content_length(headers)
        if total is not None and total > self.max_bytes:
            raise self._too_long()
        await asyncio.to_thread(
            self.fetched.begin,
            total=total,
            validator=strong_validator(headers),
            checksum=checksum(headers, whole=True),
        )

    def _refusal(self, response: httpx.Response) -> ProviderError:
        """A file server is sent no key, so there is none that it could refuse."""
        status, name = response.status_code, f"{self.name}'s file server"
        if status not in (401, 403):
            return status_error(status, name=name, wait_s=retry_after_s(response.headers, now_s=time.time()))
        error = ProviderError(f"{name} does not give the file away (HTTP {status})")
        error.retryable, error.max_retries = False, 0
        return error

    def _check_told(self, size_bytes: int) -> None:
        if far_off(size_bytes, self.told_bytes):
            raise ProviderGarbage(
                f"{self.name} sent a file of {size_bytes} bytes and says that it has {self.told_bytes}"
            )

    async def _save(self, response: httpx.Response) -> MediaType:
        self._buffer.clear()
        try:
            async for chunk in response.aiter_raw():
                self._buffer += chunk
                if len(self._buffer) >= (HEAD_BYTES if self.fetched.found is None else CHUNK_BYTES):
                    await self._flush(response)
        except httpx.HTTPError:
            if self.fetched.found is not None or len(self._buffer) >= HEAD_BYTES:  # less does not tell what it is
                await self._flush(response)
            raise
        await self._flush(response)
        return await self._whole(response)

    async def _flush(self, response: httpx.Response) -> None:
        chunk = bytes(self._buffer)
        self._buffer.clear()
        if not chunk:
            return
        if self.fetched.size + len(chunk) > self.max_bytes:
            raise self._too_long()
        if self.fetched.found is None:
            self.fetched.found = self._sniff(chunk, response.headers.get("content-type", ""))
            if self.fetched.total is not None:
                self._check_told(self.fetched.total)
        await asyncio.to_thread(self.fetched.add, chunk)

    def _sniff(self, head: bytes, content_type: str) -> MediaType:
        found = sniff(head[:HEAD_BYTES])
        if found is not None and found.kind == (self.kind or found.kind) and found.kind != "audio":
            return found
        wanted = f"a {self.kind}" if self.kind else "a video or a photo"
        if found is not None and found.kind != "audio":
            raise ProviderGarbage(f"{self.name} sent a {found.kind} where {wanted} should be")
        page = content_type.startswith("text/html") or head.lstrip()[:1] == b"<"
        what = "a web page" if page else "a file that is neither a video nor a photo"
        raise ProviderGarbage(f"{self.name} sent {what} where {wanted} should be")

    async def _whole(self, response: httpx.Response) -> MediaType:
        """The connection has ended as it should: is that all?"""
        got, found = self.fetched.size, self.fetched.found
        if found is None:
            raise ProviderGarbage(f"{self.name} sent an empty file")
        total = self.fetched.total
        if total is None and response.headers.get("transfer-encoding", "").lower() != "chunked":
            total = self.told_bytes or None  # nothing else says where it should end
        if total is not None and got < total:
            raise Transient(ProviderError(f"{self.name} sent {got} of {total} bytes"))
        if total is not None and got > total and self.fetched.total is not None:
            await asyncio.to_thread(self.fetched.forget)
            raise Transient(ProviderGarbage(f"{self.name} sent {got} bytes of a file that has {total}"))
        self._check_told(got)
        if await asyncio.to_thread(lambda: self.fetched.damaged):
            await asyncio.to_thread(self.fetched.forget)
            raise Transient(ProviderGarbage(f"{self.name} sent a file that does not match its checksum"))
        return found

    def _too_long(self) -> ProviderGarbage:
        return ProviderGarbage(f"{self.name} sent a file of more than {self.max_bytes} bytes")


def _allowed(url: httpx.URL, trusted: httpx.URL, name: str) -> httpx.URL:
    """Plain http is for the operator's own proxy or stand-in alone, which is where the search went as well."""
    own = (url.scheme, url.host, url.port) == (trusted.scheme, trusted.host, trusted.port)
    if not url.host or url.userinfo or not (own or url.scheme == "https"):
        raise ProviderGarbage(f"{name} gave a link that is not https")
    return url
