"""A server for the official conformance suite: our application, bridge and server class, with the suite's own tools.

`PYTHONPATH=tests python tests/mcp/conformance_server.py [PORT]`
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from conformance_tasks import MemoryTasks, tools_over
from conformance_tools import build
from standins.services_standin import open_world

from vidgend.http.app import make_app
from vidgend.http.connections import Limits
from vidgend.http.listeners import open_listeners
from vidgend.http.server import Server
from vidgend.logs import set_up_logging
from vidgend.mcp.mount import add_mcp
from vidgend.mcp.tasks import Tasks


async def main(port: int) -> None:
    set_up_logging("warning", "text")
    with tempfile.TemporaryDirectory() as folder:
        async with open_world(Path(folder)) as world:
            app = make_app(world.services)
            tasks = MemoryTasks()
            add_mcp(app, lambda: build(Tasks(tasks), tools=tools_over(tasks)))
            server = Server(app, limits=Limits(total=1000, per_address=1000))
            (listener,) = open_listeners(host="127.0.0.1", port=port, unix_socket=None, unix_mode=0)
            await server.start([listener])
            print(f"ready on http://127.0.0.1:{listener.port}/mcp", flush=True)
            try:
                await asyncio.Event().wait()
            finally:
                await server.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
