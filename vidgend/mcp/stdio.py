"""MCP on stdin and stdout, over the HTTP API of a daemon."""

from __future__ import annotations

import ssl
import sys

from vidgend import __version__
from vidgend.errors import DaemonUnreachable
from vidgend.mcp.remote import RemoteBackend
from vidgend.mcp.server import make_server


async def serve(url: str, *, api_key: str, tls: ssl.SSLContext | None = None) -> None:
    """Run until stdin ends. A daemon that does not answer is told on stderr; the tools then say so too. `tls`: how to
    tell that it is the right one; None: as the system does."""
    async with RemoteBackend(url, api_key=api_key, tls=tls) as backend:
        if not await backend.alive():
            told = f"vidgend mcp: no daemon answers at {backend.url} yet; {DaemonUnreachable.hint}"
            print(told, file=sys.stderr, flush=True)
        await make_server(lambda request: backend, version=__version__).run_stdio_async()
