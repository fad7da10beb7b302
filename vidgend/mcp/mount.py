"""MCP at /mcp: mounted at the start, loaded when the first client comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from vidgend.http.body import MAX_BODY_BYTES
from vidgend.http.caller import CALLER
from vidgend.http.expect import expect
from vidgend.mcp.bridge import Asgi, handler_of_asgi
from vidgend.mcp.sessions import MOST_OF_CALLER, Sessions

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

PATH = "/mcp"
METHODS = ("GET", "POST", "DELETE")
"""GET and DELETE are for the sessions of the older revision."""
MAX_SESSIONS = 1000
"""Of all callers; how many each may have is in `sessions`."""
IDLE_S = 1800.0
"""A session of the older revision that nobody used for so long is forgotten; its client begins another one."""


def add_mcp(
    app: web.Application,
    build: Callable[[], MCPServer[Any]],
    *,
    extra: Callable[[web.Request], dict[str, Any]] = lambda request: {},
) -> None:
    """Serve what `build` makes. It is called in a thread, once. `extra` goes into the scope of each request."""
    mount = _Mount(build)
    app.cleanup_ctx.append(mount.life)

    def scope(request: web.Request) -> dict[str, Any]:
        return {"user": mount.user(request)} | extra(request)

    handler = handler_of_asgi(mount.find, scope)
    for method in METHODS:
        app.router.add_route(method, PATH, handler, expect_handler=expect)


class _Mount:
    """The SDK's session manager, entered and left in one task, as the cancel scopes in it need."""

    def __init__(self, build: Callable[[], MCPServer[Any]]) -> None:
        self._build = build
        self._wanted = asyncio.Event()
        self._stop = asyncio.Event()
        self._found: asyncio.Future[Asgi] | None = None

    async def life(self, app: web.Application) -> AsyncIterator[None]:
        self._found = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._run(self._found), name="mcp")
        yield
        self._stop.set()
        self._wanted.set()
        await task

    async def _run(self, found: asyncio.Future[Asgi]) -> None:
        await self._wanted.wait()
        if self._stop.is_set():
            return
        try:
            manager = await asyncio.to_thread(self._load)
            async with manager.run():
                sessions = Sessions(manager.handle_request, idle_s=IDLE_S, most=MOST_OF_CALLER)
                found.set_result(sessions)
                await self._stop.wait()
                await sessions.close()
        except Exception as error:
            if found.done():
                raise
            found.set_exception(error)

    def _load(self) -> StreamableHTTPSessionManager:
        from mcp.server.transport_security import TransportSecuritySettings

        server = self._build()
        server.streamable_http_app(
            streamable_http_path=PATH,
            # Host and Origin are checked for every route, this one among them.
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
            max_request_body_size=MAX_BODY_BYTES,
            max_sessions=MAX_SESSIONS,
            session_idle_timeout=IDLE_S,
        )
        return server.session_manager

    async def find(self) -> Asgi:
        self._wanted.set()
        assert self._found is not None
        return await asyncio.shield(self._found)

    def user(self, request: web.Request) -> Any:
        """Whom a session belongs to: nobody else can use it, whatever they know of it."""
        from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
        from mcp.server.auth.provider import AccessToken

        caller = request[CALLER]
        return AuthenticatedUser(AccessToken(token="", client_id=f"{caller.key_id}@{caller.owner}", scopes=[]))
