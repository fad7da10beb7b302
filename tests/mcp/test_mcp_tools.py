"""Every tool, with the SDK's own client, in both revisions of the protocol."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mcp_types import ImageContent, ResourceLink, TextContent
from mcp_world import JPEG, Connect, Mode, awaiting_review, call, failed_job, post, refused, said
from standins.services_standin import World

from vidgend.http.problems import InvalidFields
from vidgend.mcp.answers import failed
from vidgend.mcp.backend import MAX_PICTURE_BYTES

TOOLS = {
    "generate_video", "get_video_status", "get_video_result", "cancel_video", "prefetch_assets", "get_storyboard",
    "edit_storyboard", "render_video", "list_videos", "list_voices",
}  # fmt: skip


async def test_the_revision_is_negotiated_and_the_tools_are_these(connect: Connect, mode: Mode) -> None:
    async with connect(mode=mode) as client:
        assert client.protocol_version == {"auto": "2026-07-28", "legacy": "2025-11-25"}[mode]
        assert client.server_info is not None and client.server_info.name == "vidgend"
        assert client.instructions is not None and "get_video_status" in client.instructions
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert listed.keys() == TOOLS
    for tool in listed.values():
        assert tool.description and tool.title and tool.annotations and tool.annotations.title == tool.title
        for name, argument in tool.input_schema["properties"].items():
            assert argument.get("description"), (tool.name, name)
        assert tool.output_schema is not None and tool.output_schema["type"] == "object"
        assert "$ref" not in json.dumps(tool.input_schema)
        for schema in (tool.input_schema, tool.output_schema):
            Draft202012Validator.check_schema(schema)
    hints = {name: tool.annotations for name, tool in listed.items() if tool.annotations}
    reading = {"get_video_status", "get_video_result", "get_storyboard", "list_videos", "list_voices"}
    assert {name for name, one in hints.items() if one.read_only_hint} == reading
    assert {name for name, one in hints.items() if one.destructive_hint} == {"cancel_video"}
    assert {name for name, one in hints.items() if one.open_world_hint} == {"generate_video", "prefetch_assets"}


async def test_a_video_from_the_request_to_the_links(world: World, connect: Connect, mode: Mode) -> None:
    async with connect(mode=mode) as client:
        accepted = await call(client, "generate_video", prompt="The sea", style="noir", aspect_ratio="9:16")
        assert accepted["status"] == "accepted"
        job = await world.jobs.get(accepted["job_id"])
        assert (job.brief.prompt, job.brief.style, job.brief.width_px, job.brief.height_px) == (  # type: ignore[union-attr]
            "The sea", "noir", 1080, 1920,
        )  # fmt: skip
        assert world.worker.woken == 1
        status = await call(client, "get_video_status", job_id=job.id)
        assert (status["status"], status["overall_progress"]) == ("queued", 0)
        assert (await refused(client, "get_video_result", job_id=job.id))["code"] == "job_not_finished"
        await call(client, "cancel_video", job_id=job.id)
        assert (await world.jobs.get(job.id)).state == "cancelled"
        done, found = await world.completed()
        result = await client.call_tool("get_video_result", {"job_id": done.id})
    assert result.structured_content is not None
    assert result.structured_content["sha256"] == found.files["video"].digest
    assert result.structured_content["files"]["srt"]["name"] == "output.srt"
    links = {one.name: one for one in result.content if isinstance(one, ResourceLink)}
    assert set(links) == {"output.mp4", "output.srt", "output.vtt", "words.json"}
    assert links["output.mp4"].uri == result.structured_content["video_url"]
    assert (links["output.mp4"].mime_type, links["output.mp4"].size) == ("video/mp4", found.files["video"].size_bytes)
    posters = [one for one in result.content if isinstance(one, ImageContent)]
    assert [(one.mime_type, base64.b64decode(one.data)) for one in posters] == [("image/jpeg", b"\xff\xd8jpeg")]
    text = json.loads(said(result))
    assert text["video_url"] == links["output.mp4"].uri and "report" not in text and "files" not in text


async def test_a_poster_that_is_large_is_not_sent(world: World, connect: Connect, monkeypatch: Any) -> None:
    monkeypatch.setattr("vidgend.mcp.local.MAX_PICTURE_BYTES", 5)
    job, _ = await world.completed()
    async with connect() as client:
        result = await client.call_tool("get_video_result", {"job_id": job.id})
    assert not result.is_error and not [one for one in result.content if isinstance(one, ImageContent)]
    assert MAX_PICTURE_BYTES == 100_000


async def test_clips_are_fetched_ahead(world: World, connect: Connect, mode: Mode) -> None:
    async with connect(mode=mode) as client:
        accepted = await call(client, "prefetch_assets", queries=["waves at night"], per_query=2)
        assert (await world.jobs.get(accepted["job_id"])).kind == "prefetch"
        both = await refused(client, "prefetch_assets", queries=["sea"], prompt="the sea")
    assert both["code"] == "invalid_request"


async def test_a_storyboard_is_shown_with_its_pictures_and_changed(world: World, connect: Connect, mode: Mode) -> None:
    job_id = await awaiting_review(world)
    async with connect(mode=mode) as client:
        bare = await client.call_tool("get_storyboard", {"job_id": job_id})
        assert [type(one) for one in bare.content] == [TextContent]
        shown = await client.call_tool("get_storyboard", {"job_id": job_id, "pictures": True})
        _, scene, picture = shown.content
        assert isinstance(scene, TextContent) and scene.text == "Scene 1:"
        assert isinstance(picture, ImageContent) and base64.b64decode(picture.data) == JPEG
        text = json.loads(said(shown))
        assert text["scenes"][0]["candidates"][0]["id"] == "9" and "words" not in text["scenes"][0]
        edit = {"scenes": [{"index": 2, "narration": "A ship comes in."}], "author": "Ann"}
        made = await call(client, "edit_storyboard", job_id=job_id, if_version=1, **edit)
        assert (made["version"], made["author"], made["scenes"][1]["narration"]) == (2, "Ann", "A ship comes in.")
        late = await refused(client, "edit_storyboard", job_id=job_id, if_version=1, style="noir")
        assert late["code"] == "storyboard_changed"
        nothing = await refused(client, "edit_storyboard", job_id=job_id)
        assert nothing["code"] == "invalid_request"
        old = await call(client, "get_storyboard", job_id=job_id, version=1)
        assert old["scenes"][1]["narration"] == "A boat comes in."


async def test_null_gives_a_choice_back_and_what_is_left_out_stays(world: World, connect: Connect) -> None:
    job_id = await awaiting_review(world)
    async with connect() as client:
        await call(client, "edit_storyboard", job_id=job_id, scenes=[{"index": 1, "duration": 9.0}], style="noir")
        made = await call(client, "edit_storyboard", job_id=job_id, scenes=[{"index": 1, "duration": None}])
    assert made["request"]["style"] == "noir" and [one["to"] for one in made["changes"]] == [None]


async def test_lists(world: World, connect: Connect, mode: Mode) -> None:
    await world.completed()
    await failed_job(world)
    async with connect(mode=mode) as client:
        page = await call(client, "list_videos", limit=1)
        rest = await call(client, "list_videos", cursor=page["next_cursor"])
        assert [len(one["jobs"]) for one in (page, rest)] == [1, 1]
        only = await call(client, "list_videos", state="failed")
        assert [one["error"] for one in only["jobs"]] == ["footage_missing"]
        voices = await call(client, "list_voices", language="en")
        assert [one["id"] for one in voices["voices"]] == ["af_heart"] and voices["default"] == "en-US-neutral"


@pytest.mark.parametrize(
    ("tool", "arguments", "pointers"),
    [
        ("generate_video", {"prompt": 5}, {"/prompt"}),
        ("generate_video", {"prompt": "x", "colour": "red"}, {"/colour"}),
        ("generate_video", {"scenes": [{"narration": "x", "duration": -1}]}, {"/scenes/0/duration"}),
        ("generate_video", {"prompt": "a\0b"}, {"/prompt"}),
        ("get_video_status", {}, {"/job_id"}),
        ("list_videos", {"limit": 0}, {"/limit"}),
    ],
)
async def test_wrong_arguments_say_where_and_what(
    connect: Connect, mode: Mode, tool: str, arguments: dict[str, Any], pointers: set[str]
) -> None:
    async with connect(mode=mode) as client:
        told = await refused(client, tool, **arguments)
    assert (told["code"], told["status"]) == ("invalid_request", 422)
    assert {one["pointer"] for one in told["errors"]} == pointers


@pytest.mark.parametrize("metadata", [r'{"a": "\ud800"}', "[" * 200 + "]" * 200, '{"a": 1e999}', '{"a": NaN}'])
async def test_odd_json_is_refused_as_on_the_other_routes(url: str, metadata: str) -> None:
    status, told = await post(
        url, "tools/call", f'{{"name":"generate_video","arguments":{{"prompt":"x","metadata":{metadata}}}}}'
    )
    assert status == 200 and told["result"]["isError"], told
    assert told["result"]["structuredContent"]["code"] in ("invalid_request", "bad_json")


async def test_errors_say_what_to_do(world: World, connect: Connect, mode: Mode) -> None:
    async with connect(mode=mode) as client:
        nobody = await client.call_tool("generate_video", {"prompt": "The sea", "voice": "nobody"})
        assert nobody.is_error and "list_voices" not in said(nobody)
        assert said(nobody).splitlines()[0] == "voice_unknown: no voice 'nobody'" and "vidgend voices" in said(nobody)
        assert (await refused(client, "get_video_status", job_id="nope"))["code"] == "not_found"
        assert (await refused(client, "get_video_result", job_id=await failed_job(world)))["error"] == {
            "code": "footage_missing", "detail": "nothing was found", "hint": "Add a provider.",
        }  # fmt: skip


async def test_a_script_that_looks_like_json_stays_a_script(world: World, connect: Connect) -> None:
    """Some hosts send objects as JSON in a text, which is read; a text that is meant as one is not touched."""
    async with connect() as client:
        accepted = await call(client, "generate_video", script='["All", "is well."]', captions='{"enabled": false}')
    brief: Any = (await world.jobs.get(accepted["job_id"])).brief
    assert brief.script == '["All", "is well."]' and not brief.captions.enabled


def test_what_is_wrong_with_arguments_is_said_once() -> None:
    one = InvalidFields([{"pointer": "/nope", "detail": "no such field"}])
    assert [block.text for block in failed(one).content] == ["invalid_request: /nope: no such field"]
    two = InvalidFields([{"pointer": "/a", "detail": "x"}, {"pointer": "/b", "detail": "y"}])
    assert [block.text for block in failed(two).content] == [
        "invalid_request: The request is not valid\n- /a: x\n- /b: y"
    ]
