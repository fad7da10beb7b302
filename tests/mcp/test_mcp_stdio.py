"""`vidgend mcp`: the same server on stdin and stdout, over the HTTP API of a daemon."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import ElicitResult, ImageContent, ResourceLink
from mcp_world import Mode, awaiting_review, call, failed_job, refused, served
from standins.services_standin import KEY, World

from vidgend.cli import cli
from vidgend.errors import DaemonUnreachable
from vidgend.http.app import OPERATIONS, make_app
from vidgend.mcp.remote import ROUTES, RemoteBackend

NOBODY = "http://127.0.0.1:1"


@asynccontextmanager
async def on_stdio(
    folder: Path, url: str, *, stderr: Path | None = None, key: str = "", **options: Any
) -> AsyncIterator[Client]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("VIDGEND_")}
    environ |= {"HOME": str(folder), "VIDGEND_DATA_DIR": str(folder / "nothing here")}
    environ |= {"VIDGEND_HTTP__API_KEY": key} if key else {}
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "vidgend", "mcp", "--url", url], env=environ, cwd=folder
    )
    with (stderr or folder / "stderr").open("w") as errors:
        async with Client(stdio_client(server, errlog=errors), **options) as client:
            yield client


async def test_all_works_as_at_the_daemon(world: World, tmp_path: Path, mode: Mode) -> None:
    job, found = await world.completed()
    review = await awaiting_review(world)
    asked: list[str] = []

    async def user(context: Any, params: Any) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="accept", content={"approve": True})

    async with (
        served(world.with_api_key(KEY)) as url,
        on_stdio(tmp_path, url, key=KEY, mode=mode, elicitation_callback=user) as client,
    ):
        assert client.protocol_version == {"auto": "2026-07-28", "legacy": "2025-11-25"}[mode]
        assert len((await client.list_tools()).tools) == 10
        accepted = await call(client, "generate_video", prompt="The sea")
        assert (await call(client, "get_video_status", job_id=accepted["job_id"]))["status"] == "queued"
        result = await client.call_tool("get_video_result", {"job_id": job.id})
        assert [type(one) for one in result.content[1:3]] == [ResourceLink, ImageContent]
        assert result.structured_content is not None
        assert result.structured_content["sha256"] == found.files["video"].digest
        board = await client.call_tool("get_storyboard", {"job_id": review, "pictures": True})
        assert [one.type for one in board.content] == ["text", "text", "image"]
        made = await call(client, "edit_storyboard", job_id=review, if_version=1, style="noir")
        assert made["version"] == 2
        await call(client, "render_video", job_id=review)
        assert asked and (await world.jobs.get(review)).state == "queued"
        wrong = await refused(client, "generate_video", prompt="x", voice="nobody")
        assert wrong["code"] == "voice_unknown" and wrong["status"] == 422
        ended = await refused(client, "get_video_result", job_id=await failed_job(world))
        assert ended["error"]["code"] == "footage_missing"
        late = await refused(client, "edit_storyboard", job_id=review, style="nothing")
        assert late["code"] in ("conflict", "style_unknown")
        assert (await refused(client, "get_video_status", job_id="../x"))["code"] == "not_found"
        assert (await client.list_resources()).resources[-1].uri == f"vidgend://videos/{job.id}"
        poster = await client.read_resource(f"vidgend://videos/{job.id}/thumbnail")
        assert poster.contents[0].mime_type == "image/jpeg"
        assert (await client.get_prompt("storyboard_review", {"job_id": review})).messages


async def test_without_a_daemon_it_says_so_and_lives(tmp_path: Path, mode: Mode) -> None:
    log = tmp_path / "log"
    async with on_stdio(tmp_path, NOBODY, stderr=log, mode=mode) as client:
        assert len((await client.list_tools()).tools) == 10
        told = await refused(client, "generate_video", prompt="The sea")
        assert told["code"] == "daemon_unreachable" and "vidgend serve" in told["hint"]
        assert [one.uri for one in (await client.list_resources()).resources] == [
            "vidgend://videos", "vidgend://voices", "vidgend://styles",
        ]  # fmt: skip
    assert f"no daemon answers at {NOBODY} yet" in log.read_text()
    assert "Traceback" not in log.read_text()


async def test_what_answers_there_may_be_something_else(tmp_path: Path) -> None:
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\n<hi>"
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(page, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, on_stdio(tmp_path, url) as client:
        told = await refused(client, "list_videos")
    assert told["code"] == "daemon_unreachable" and "is not vidgend" in told["detail"]


async def test_a_wrong_key_is_told(world: World, tmp_path: Path) -> None:
    async with served(world.with_api_key(KEY)) as url, on_stdio(tmp_path, url, key="wrong") as client:
        assert (await refused(client, "list_videos"))["code"] == "unauthorized"


async def test_a_key_goes_to_the_daemon_alone(world: World) -> None:
    """A poster may lie in an object store, whose signed address is somebody else's server."""
    seen: list[str] = []

    async def stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(stranger, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/bucket/thumbnail.jpg?signature=x"
    async with server, RemoteBackend(NOBODY, api_key=KEY) as backend:
        picture = await backend.picture(url)
    assert picture is not None and picture.content == b"abc"
    assert len(seen) == 1 and KEY not in seen[0]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/bucket/poster.jpg?signature=x", "file:///poster.jpg", "http://[x/"]
)
async def test_a_poster_elsewhere_that_cannot_be_had_costs_no_result(url: str) -> None:
    """The object store is often reached by the daemon alone."""
    async with RemoteBackend(NOBODY) as backend:
        assert await backend.picture(url) is None
        with pytest.raises(DaemonUnreachable):
            await backend.picture(f"{NOBODY}/mcp/assets/x")


async def test_a_daemon_on_a_socket_is_reached_too(world: World, tmp_path: Path) -> None:
    app, place = make_app(world.services), tmp_path / "a b.sock"
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.UnixSite(runner, str(place)).start()
    try:
        async with RemoteBackend(f"unix://{quote(str(place))}") as backend:
            assert await backend.alive()
            assert (await backend.call("voices"))["default"] == "en-US-neutral"
    finally:
        await runner.cleanup()


def test_the_routes_are_those_of_the_table() -> None:
    table = {one.id: (one.method, one.path) for one in OPERATIONS}
    assert {name: table[name] for name in ROUTES} == ROUTES


def test_the_command_is_there() -> None:
    assert "mcp" in cli.commands


@pytest.mark.parametrize("argument", ["ftp://x", "http://"])
async def test_a_url_that_is_none_is_refused(tmp_path: Path, argument: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "vidgend", "mcp", "--url", argument,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 5 and out == b"" and b"not an address of a daemon" in err
