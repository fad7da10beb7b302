"""The backend of a process beside the daemon: every call is a request over HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx

from vidgend.errors import BadInput, DaemonUnreachable, VidgendError
from vidgend.mcp.backend import MAX_PICTURE_BYTES, Picture
from vidgend.redaction import without_password

CALL_TIMEOUT_S = 30.0
TRIES, AGAIN_S = 3, 0.5
"""A daemon that is begun anew breaks off what it is asked, and is back within seconds."""
MAX_JSON_BYTES = 64 * 1024 * 1024
ROUTES: dict[str, tuple[str, str]] = {
    "generate": ("POST", "/mcp/generate"),
    "prefetch": ("POST", "/mcp/prefetch"),
    "status": ("GET", "/mcp/status/{job_id}"),
    "result": ("GET", "/mcp/result/{job_id}"),
    "cancel": ("POST", "/mcp/cancel/{job_id}"),
    "storyboard": ("GET", "/mcp/storyboard/{job_id}"),
    "edit_storyboard": ("PATCH", "/mcp/storyboard/{job_id}"),
    "render": ("POST", "/mcp/render/{job_id}"),
    "jobs": ("GET", "/mcp/jobs"),
    "voices": ("GET", "/mcp/voices"),
    "styles": ("GET", "/mcp/styles"),
}
"""Method and path of the operations that the tools use."""
_SUBMITS = frozenset({"generate", "prefetch"})
_ONCE = frozenset({"edit_storyboard", "render"})
"""What must not be done twice: whether it was done is not known when the answer gets lost."""
_OWN_PATH = re.compile(r"/mcp/(assets|storyboard)/.*")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class RemoteBackend:
    """The daemon at `url`, which may be that of a socket (`unix:///...`). Used as an async context manager."""

    def __init__(self, url: str, *, api_key: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.url = without_password(url.rstrip("/"))
        """As it may be shown to a model."""
        self._key = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        # A proxy of the environment is not meant for this machine; a redirect would carry the key to another host.
        parts = urlsplit(url.rstrip("/"))
        local = parts.scheme == "unix"
        self._client = httpx.AsyncClient(
            base_url="http://localhost" if local else url.rstrip("/"),
            transport=httpx.AsyncHTTPTransport(uds=unquote(parts.path)) if local else None,
            verify=tls or True,
            headers={"Accept": "application/json", "User-Agent": "vidgend-mcp"},
            timeout=CALL_TIMEOUT_S,
            follow_redirects=False,
            trust_env=not local and parts.hostname not in _LOOPBACK,
        )

    async def __aenter__(self) -> RemoteBackend:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def call(
        self,
        operation_id: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Raises: DaemonUnreachable, and what the daemon's problem says."""
        method, template = ROUTES[operation_id]
        address = template.format_map({name: quote(value, safe="") for name, value in (path or {}).items()})
        given = {name: value for name, value in (query or {}).items() if value is not None}
        # Under the same key a job is the same one, so the model need not send it again and have two.
        once = {"Idempotency-Key": secrets.token_hex(16)} if operation_id in _SUBMITS else {}
        sent = {**self._key, **once, **(headers or {})}
        tries_left = TRIES
        while True:
            tries_left -= 1
            try:
                answer = await self._client.request(method, address, params=given, json=body, headers=sent)
            except httpx.HTTPError as error:
                in_vain = isinstance(error, httpx.TimeoutException) or not tries_left
                if in_vain or (operation_id in _ONCE and not isinstance(error, httpx.ConnectError)):
                    raise _unreachable(self.url, error) from None
                await asyncio.sleep(AGAIN_S)
            else:
                return _value(self.url, answer)

    async def alive(self) -> bool:
        """Whether a vidgend answers there, quickly."""
        try:
            answer = await self._client.get("/livez", timeout=2)
            return bool(answer.json()["status"] == "alive")
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return False

    async def picture(self, url: str, digest: str = "") -> Picture | None:
        """The daemon names its files by its public address; they are fetched from the one that already answers. Those
        that lie elsewhere are fetched from there, without the key; None where that place cannot be reached from here.

        Raises: DaemonUnreachable.
        """
        found = _OWN_PATH.search(url)
        place, key = (found[0], self._key) if found else (url, {})
        try:
            async with self._client.stream("GET", place, headers=key) as answer:
                if answer.status_code != 200:
                    return None
                content = b""
                async for piece in answer.aiter_bytes():
                    content += piece
                    if len(content) > MAX_PICTURE_BYTES:
                        return None
                content_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if not found:
                return None
            raise _unreachable(self.url, error) from None
        return Picture(content=content, content_type=content_type) if content_type.startswith("image/") else None


def _unreachable(url: str, error: Exception) -> DaemonUnreachable:
    reason = str(error) or type(error).__name__
    return DaemonUnreachable(f"no daemon answers at {url}: {reason}")


def _value(url: str, answer: httpx.Response) -> dict[str, Any]:
    try:
        value = json.loads(answer.content) if len(answer.content) <= MAX_JSON_BYTES else None
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise DaemonUnreachable(f"what answers at {url} is not vidgend (HTTP {answer.status_code})")
    if answer.is_success:
        return value
    if "code" not in value:
        raise DaemonUnreachable(f"what answers at {url} is not vidgend (HTTP {answer.status_code})")
    raise _told(value)


_OWN = ("type", "title", "status", "detail", "code", "hint")


def _told(problem: dict[str, Any]) -> VidgendError:
    """The error that a problem tells of, with all that it tells."""
    status = int(problem.get("status") or 500)
    error: VidgendError = (BadInput if status == 422 else VidgendError)(
        str(problem.get("detail") or ""), hint=str(problem.get("hint") or "")
    )
    error.code, error.status = str(problem["code"]), status
    error.title = str(problem.get("title") or error.title)
    error.members = {name: value for name, value in problem.items() if name not in _OWN}
    return error
