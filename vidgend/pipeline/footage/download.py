"""A provider's file onto disk: streamed, bounded, checked, whole or not at all."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import aiofiles
import httpx

from vidgend.errors import ProviderError, ProviderGarbage, StepError, StorageFull, TargetForbidden
from vidgend.pipeline.media_kind import HEAD_BYTES, MediaType, sniff
from vidgend.pipeline.part_file import finish, part_path
from vidgend.pipeline.provider_http import Transient, persevere, status_error, transport_error

MAX_FILE_BYTES = 500 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
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
    retry_wait_s: float = 0.5,
) -> MediaType:
    """Fetch `url` into `path` and return what it is. Only https, or the host of `trusted`; no key is sent.

    Broken connections and server errors are tried again. On any failure nothing is left behind.
    Raises: ProviderError and its kin, StorageFull, StepError (cannot write).
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await persevere(
                lambda: _try_download(client, url, path, name=name, trusted=trusted, max_bytes=max_bytes),
                timeout_s=timeout_s,
                wait_s=retry_wait_s,
            )
    except TimeoutError:
        raise ProviderError(f"{name}: the download was not finished after {timeout_s:g} s") from None
    except OSError as error:
        raise disk_error(error) from error


async def _try_download(
    client: httpx.AsyncClient, url: str, path: Path, *, name: str, trusted: httpx.URL, max_bytes: int
) -> MediaType:
    part = part_path(path)
    try:
        try:
            found = await _stream(client, url, part, name=name, trusted=trusted, max_bytes=max_bytes)
        except httpx.InvalidURL as error:
            raise ProviderGarbage(f"{name} gave a link that is none") from error
        except TargetForbidden as error:
            raise ProviderGarbage(f"{name} gave a link into a network that is not allowed") from error
        except httpx.HTTPError as error:
            raise Transient(transport_error(error, name=name)) from error
        await asyncio.to_thread(finish, part, path)
        return found
    finally:
        await asyncio.to_thread(part.unlink, missing_ok=True)


async def _stream(
    client: httpx.AsyncClient, url: str, part: Path, *, name: str, trusted: httpx.URL, max_bytes: int
) -> MediaType:
    target = _allowed(httpx.URL(url), trusted, name)
    for _ in range(_HOPS + 1):
        request = client.build_request("GET", target, headers={"Accept-Encoding": "identity"})
        request.headers.pop("Authorization", None)
        response = await client.send(request, stream=True, follow_redirects=False)
        try:
            if response.has_redirect_location:
                target = _allowed(target.join(response.headers["location"]), trusted, name)
                continue
            if response.status_code != 200:
                error = status_error(response.status_code, name=f"{name}'s file server")
                if response.status_code >= 500:
                    raise Transient(error)
                raise error
            return await _save(response, part, name=name, max_bytes=max_bytes)
        finally:
            await response.aclose()
    raise ProviderError(f"{name}: the link redirects more than {_HOPS} times")


async def _save(response: httpx.Response, part: Path, *, name: str, max_bytes: int) -> MediaType:
    size, found = 0, None
    async with aiofiles.open(part, "wb") as file:
        async for chunk in response.aiter_raw(CHUNK_BYTES):
            if found is None:
                found = sniff(chunk[:HEAD_BYTES])
                if found is None or found.kind == "audio":
                    raise ProviderGarbage(f"{name} sent a file that is neither a video nor a photo")
            size += len(chunk)
            if size > max_bytes:
                raise ProviderGarbage(f"{name} sent a file of more than {max_bytes} bytes")
            await file.write(chunk)
        await file.flush()
        await asyncio.to_thread(os.fsync, file.fileno())
    if found is None:
        raise ProviderGarbage(f"{name} sent an empty file")
    return found


def _allowed(url: httpx.URL, trusted: httpx.URL, name: str) -> httpx.URL:
    """Plain http is for the operator's own proxy or stand-in alone, which is where the search went as well."""
    own = (url.scheme, url.host, url.port) == (trusted.scheme, trusted.host, trusted.port)
    if not url.host or url.userinfo or not (own or url.scheme == "https"):
        raise ProviderGarbage(f"{name} gave a link that is not https")
    return url
