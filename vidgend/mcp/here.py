"""MCP in the daemon: each request sees what its caller may see."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from aiohttp import web

from vidgend.http.auth import base_url
from vidgend.http.caller import CALLER
from vidgend.http.services import SERVICES
from vidgend.mcp.mount import add_mcp

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

_CALLER, _BASE_URL = "vidgend.caller", "vidgend.base_url"


def add_own_mcp(app: web.Application) -> None:
    """Serve vidgend itself at /mcp, in an application that has services."""
    services = app[SERVICES]

    def build() -> MCPServer[Any]:
        from vidgend.mcp.local import LocalBackend
        from vidgend.mcp.server import Request, make_server

        def backend_of(request: Request) -> LocalBackend:
            assert request.request is not None
            scope = request.request.scope
            return LocalBackend(services, scope[_CALLER], scope[_BASE_URL])

        def owner_of(request: Request) -> str:
            assert request.request is not None
            return str(request.request.scope[_CALLER].owner)

        state_key = hashlib.sha256(b"mcp state\0" + services.url_key).digest()
        return make_server(backend_of, version=services.version, state_key=state_key, owner_of=owner_of)

    def extra(request: web.Request) -> dict[str, Any]:
        address = base_url(request, services.public_url, services.trusted_proxies)
        return {_CALLER: request[CALLER], _BASE_URL: address}

    add_mcp(app, build, extra=extra)
