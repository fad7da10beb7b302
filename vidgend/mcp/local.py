"""The backend in the daemon itself: every call runs an operation, as a request over HTTP would."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from vidgend.errors import ForbiddenScope, NotFound
from vidgend.http.app import OPERATIONS
from vidgend.http.caller import Caller
from vidgend.http.operation import Operation
from vidgend.http.services import Services
from vidgend.http.serving import invoke
from vidgend.http.views.base import dump
from vidgend.mcp.backend import MAX_PICTURE_BYTES, Picture

_OPERATIONS: dict[str, Operation] = {one.id: one for one in OPERATIONS}
_DIGEST = re.compile(r"/([0-9a-f]{64})(?:\?|$)")


class LocalBackend:
    """What `caller` may see and do. `base_url` is how it reaches this server."""

    def __init__(self, services: Services, caller: Caller, base_url: str) -> None:
        self._services = services
        self._caller = caller
        self._base_url = base_url

    async def call(
        self,
        operation_id: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Raises: ForbiddenScope, and as the operation does."""
        operation = _OPERATIONS[operation_id]
        if operation.scope is not None and operation.scope not in self._caller.scopes:
            raise ForbiddenScope(f"the key lacks the scope {operation.scope}")
        reply = await invoke(
            operation,
            services=self._services,
            caller=self._caller,
            base_url=self._base_url,
            path=path,
            query={name: str(value) for name, value in (query or {}).items()},
            body=body,
            headers=headers,
        )
        return dump(reply.view) if reply.view is not None else {}

    async def picture(self, url: str, digest: str = "") -> Picture | None:
        """Only called with what an operation answered to the same caller. Raises: VidgendError."""
        found = _DIGEST.search(url)
        digest = digest or (found[1] if found else "")
        if not digest:
            return None
        assets, content = self._services.assets, b""
        try:
            if await assets.size_bytes(digest) > MAX_PICTURE_BYTES:
                return None
            async for piece in assets.read(digest):
                content += piece
        except NotFound:
            return None
        return Picture(content=content, content_type="image/jpeg")
