"""vidgend's MCP server over a world, real clients of the SDK, and jobs in every state to look at."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Literal

import httpx2
import jsonschema
from aiohttp import web
from aiohttp.typedefs import Handler
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent
from standins.services_standin import World

from vidgend.http.app import make_app
from vidgend.http.caller import CALLER, Caller
from vidgend.http.connections import Limits
from vidgend.http.listeners import open_listeners
from vidgend.http.server import Server
from vidgend.mcp.here import add_own_mcp
from vidgend.models import Candidate, Clip, Credit, Scene, Storyboard, Thumbnail
from vidgend.store.jobs import Failure
from vidgend.store.steps import StepStore
from vidgend.store.storyboards import THUMBNAIL_STEP

Mode = Literal["auto", "legacy"]
Connect = Callable[..., AbstractAsyncContextManager[Client]]

REVISION = "2026-07-28"
OWNER, SCOPES = "X-Owner", "X-Scopes"
JPEG = b"\xff\xd8\xff\xe0 a small picture"
CREDIT = Credit(provider="fake")


@web.middleware
async def as_told(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The caller is who two headers say: what a key would do."""
    if OWNER in request.headers:
        scopes: Any = request.headers.get(SCOPES, "read,write").split(",")
        request[CALLER] = Caller(owner=request.headers[OWNER], key_id="k", scopes=frozenset(scopes))
    return await handler(request)


@asynccontextmanager
async def served(world: World, *, port: int = 0) -> AsyncIterator[str]:
    """The address of the application, served as the daemon serves it (a TestServer cancels handlers)."""
    app = make_app(world.services)
    add_own_mcp(app)
    app.middlewares.append(as_told)
    server = Server(app, limits=Limits(total=1000, per_address=1000))
    (listener,) = open_listeners(host="127.0.0.1", port=port, unix_socket=None, unix_mode=0)
    try:
        await server.start([listener])
        yield f"http://127.0.0.1:{listener.port}"
    finally:
        await server.stop()


@asynccontextmanager
async def connected(url: str, *, headers: dict[str, str] | None = None, **options: Any) -> AsyncIterator[Client]:
    """A client of the SDK at /mcp of `url`."""
    async with (
        httpx2.AsyncClient(headers=headers, timeout=httpx2.Timeout(30, read=300)) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), **options) as client,
    ):
        yield client


async def post(
    url: str, method: str, params: str, *, capabilities: dict[str, Any] | None = None, **headers: str
) -> tuple[int, Any]:
    """A request of the newest revision as text, and its answer: what the SDK's client would not send."""
    told = json.dumps(
        {
            "io.modelcontextprotocol/protocolVersion": REVISION,
            "io.modelcontextprotocol/clientCapabilities": capabilities or {},
        }
    )
    body = f'{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params[:-1]},"_meta":{told}}}}}'
    usual = {
        "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
        "Mcp-Protocol-Version": REVISION, "Mcp-Method": method, "Mcp-Name": json.loads(params).get("name", ""),
    }  # fmt: skip
    async with httpx2.AsyncClient() as http:
        answer = await http.post(f"{url}/mcp", content=body.encode(), headers=usual | headers)
    return answer.status_code, answer.json()


async def call(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """What a tool that worked answers, as a view."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


async def refused(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """The problem that a tool answers with."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error and result.structured_content is not None, result
    assert said(result).startswith(f"{result.structured_content['code']}: ")
    # The SDK's client does not look at what failed; those in other languages do.
    schemas = {one.name: one.output_schema for one in (await client.list_tools()).tools}
    jsonschema.validate(result.structured_content, schemas[tool] or False)
    return result.structured_content


def said(result: CallToolResult) -> str:
    first = result.content[0]
    assert isinstance(first, TextContent)
    return first.text


async def awaiting_review(world: World, **submit: Any) -> str:
    """A job whose storyboard of two scenes is to be approved; the first scene's picture has a thumbnail."""
    job = await world.running(**submit)
    digest = await world.store(JPEG)
    steps = StepStore(world.database, world.assets, boot_id="boot")
    lease = await steps.begin(f"key of {job.id}", kind=THUMBNAIL_STEP, label="io", job_id=job.id)
    await steps.finish(lease, {"digest": digest}, (digest,), seconds=0.1)
    scenes = tuple(
        Scene(
            index=index, id=f"s{index + 1}", narration=text, queries=("sea",),
            clip=Clip(
                provider="fake", id=str(index), kind="video", description="waves", query="sea", credit=CREDIT,
                digest="d" * 64, duration_s=8.0,
            ),
            candidates=(Candidate(provider="fake", id="9", kind="video", description="gull", credit=CREDIT),),
            thumbnails=(Thumbnail(provider="fake", id="0", digest=digest),),
        )
        for index, text in enumerate(("The sea is calm.", "A boat comes in."))
    )  # fmt: skip
    board = Storyboard(title="The sea", language="en", planner="builtin", stretch=False, fps="30", scenes=scenes)
    await world.storyboards.save(job.id, board)
    assert await world.jobs.await_review(job, progress=40, scenes=2, line="waiting for review", event={})
    return job.id


async def failed_job(world: World) -> str:
    job = await world.running()
    failure = Failure(code="footage_missing", detail="nothing was found", hint="Add a provider.", tail="")
    assert await world.jobs.fail(job, failure, progress=20)
    return job.id
