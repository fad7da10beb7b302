"""What can be attached to a conversation, and what one can begin with."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, BlobResourceContents, EmbeddedResource, TextContent, TextResourceContents
from mcp_world import OWNER, Connect, Mode, awaiting_review, connected
from standins.services_standin import World


async def read(client: Client, uri: str) -> dict[str, Any]:
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents) and content.mime_type == "application/json"
    value: dict[str, Any] = json.loads(content.text)
    return value


async def test_resources_are_listed_and_read(world: World, connect: Connect, mode: Mode) -> None:
    job, found = await world.completed()
    review = await awaiting_review(world)
    async with connect(mode=mode) as client:
        listed = [one.uri for one in (await client.list_resources()).resources]
        assert listed == ["vidgend://videos", "vidgend://voices", "vidgend://styles", f"vidgend://videos/{job.id}"]
        templates = [one.uri_template for one in (await client.list_resource_templates()).resource_templates]
        video = "vidgend://videos/{job_id}"
        assert templates == [video, f"{video}/thumbnail", f"{video}/storyboard"]
        assert [one["job_id"] for one in (await read(client, "vidgend://videos"))["jobs"]] == [review, job.id]
        assert (await read(client, "vidgend://voices"))["default"] == "en-US-neutral"
        assert "noir" in [one["name"] for one in (await read(client, "vidgend://styles"))["styles"]]
        shown = await read(client, f"vidgend://videos/{job.id}")
        assert shown["sha256"] == found.files["video"].digest
        assert (await read(client, f"vidgend://videos/{review}"))["status"] == "awaiting_review"
        board = await read(client, f"vidgend://videos/{review}/storyboard")
        assert board["scenes"][0]["narration"] == "The sea is calm."
        (poster,) = (await client.read_resource(f"vidgend://videos/{job.id}/thumbnail")).contents
    assert isinstance(poster, BlobResourceContents) and poster.mime_type == "image/jpeg"
    assert base64.b64decode(poster.blob) == b"\xff\xd8jpeg"


@pytest.mark.parametrize("tail", ["", "/thumbnail", "/storyboard"])
async def test_what_is_not_there_or_not_the_callers_is_an_error(
    world: World, connect: Connect, url: str, mode: Mode, tail: str
) -> None:
    job, _ = await world.completed(owner="ann")
    uris = [f"vidgend://videos/{one}{tail}" for one in (job.id, "nope", "..", "%2e%2e", "a%2fb", "%00", "x" * 500)]
    async with connected(url, headers={OWNER: "ben"}, mode=mode) as client:
        assert [one.uri for one in (await client.list_resources()).resources] == [
            "vidgend://videos", "vidgend://voices", "vidgend://styles",
        ]  # fmt: skip
        assert (await read(client, "vidgend://videos"))["jobs"] == []
        for uri in [*uris, "vidgend://nothing", "file:///etc/passwd", "x"]:
            with pytest.raises(MCPError) as error:
                await client.read_resource(uri)
            assert error.value.code == INVALID_PARAMS, uri


async def test_a_prompt_says_how_long_and_what_to_call(connect: Connect, mode: Mode) -> None:
    async with connect(mode=mode) as client:
        names = {one.name for one in (await client.list_prompts()).prompts}
        assert names == {"write_script", "storyboard_review", "describe_video"}
        got = await client.get_prompt(
            "write_script", {"topic": "Bees", "length": "30", "language": "de", "style": "noir"}
        )
        text = got.messages[0].content
        assert isinstance(text, TextContent)
        assert "Bees" in text.text and "75 words" in text.text and "'de'" in text.text and "'noir'" in text.text
        assert "generate_video" in text.text
        for length in ("a while", "9" * 5000, "\u00b2", "nan", "-5", "0"):
            odd = await client.get_prompt("write_script", {"topic": "Bees", "length": length})
            assert isinstance(odd.messages[0].content, TextContent), length
            assert "60 seconds" in odd.messages[0].content.text, length


async def test_a_prompt_brings_the_storyboard_along(world: World, connect: Connect, mode: Mode) -> None:
    job_id = await awaiting_review(world)
    async with connect(mode=mode) as client:
        got = await client.get_prompt("storyboard_review", {"job_id": job_id})
        (asked, brought) = (one.content for one in got.messages)
        assert isinstance(asked, TextContent) and "edit_storyboard" in asked.text
        assert isinstance(brought, EmbeddedResource) and isinstance(brought.resource, TextResourceContents)
        assert brought.resource.uri == f"vidgend://videos/{job_id}/storyboard"
        assert json.loads(brought.resource.text)["scenes"][1]["narration"] == "A boat comes in."
        for name in ("storyboard_review", "describe_video"):
            with pytest.raises(MCPError) as error:
                await client.get_prompt(name, {"job_id": "nope"})
            assert error.value.code == INVALID_PARAMS and "not_found" in error.value.message
