"""Text that would like to be a command, through every text field of the API: taken and given back as it is, or refused
with a pointer to the field. Never a 500, and nothing of it in a header, in a line of the log or outside its field."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import media
import pytest
from aiohttp.test_utils import TestClient
from standins.services_standin import World
from test_http_edit import BOARD

from vidgend.http.app import OPERATIONS
from vidgend.http.operation import Operation

Client = TestClient[Any, Any]
HOSTILE = (
    r"{\pos(0,0)\alpha&HFF&}X\N\h", "':;,[]=%{pts}", "movie=/etc/passwd", "concat:a|b", "-vf", "../../etc/passwd",
    "/dev/stdin", "$(touch /x) `touch /x`; x", "%s%n {0} {x!r}", "' OR 1=1; DROP TABLE jobs --", "<script>x</script>",
    "x\r\nSet-Cookie: a=b\r\n\r\nx", 'x\n{"level": "info"}', "\x00", "a\x00b", "\x1b[31mx\x07", "\u202ex\u202c",
    "\u200b\u2060\ufeff", "e" + "\u0301" * 90, "\U0001f600\U0001f469\u200d\U0001f469", "\U0010ffff\ufffe", "\ud800", "a\udfffb",
    "x" * 5000, "\u05e9\u05dc\u05d5\u05dd", '"}', "]]>", "--> 00:00", "[silence] <break time='9s'/>", "${jndi:ldap://x}",
)  # fmt: skip
GENERATE: dict[str, Any] = {
    "prompt": 0, "script": 0, "style": 0, "voice": 0, "language": 0, "callback_url": 0, "aspect_ratio": 0, "fps": 0,
    "resolution": 0, "quality": 0, "transitions": 0, "narration_audio": 0, "metadata": {"x": 0},
    "captions": {"preset": 0, "font": 0, "position": 0}, "music": {"mood": 0, "asset": 0},
    "scenes": [{"narration": 0, "query": 0, "clip": 0, "image": {"asset": 0}}],
    "outputs": [{"name": 0, "voice": 0, "language": 0, "narrations": [0]}],
}  # fmt: skip
PATCH: dict[str, Any] = {
    "title": 0, "style": 0, "voice": 0, "author": 0, "order": [0], "captions": {"font": 0, "preset": 0},
    "music": {"mood": 0}, "scenes": [{"id": 0, "narration": 0, "query": 0, "clip": {"provider": 0, "id": 0}}],
    "add": [{"after": 0, "narration": 0, "query": 0, "clip": {"asset": 0}}],
}  # fmt: skip


def bodies(shape: Any, text: str) -> Iterator[Any]:
    """Bodies with `text` in one field each, and what that field needs beside it."""
    if shape == 0:
        yield text
    elif isinstance(shape, list):
        yield from ([item] for item in bodies(shape[0], text))
    else:
        for name, below in shape.items():
            for value in bodies(below, text):
                yield {name: value}


def with_company(body: dict[str, Any]) -> dict[str, Any]:
    for scene in body.get("scenes", ()):
        scene.setdefault("narration", "The sea.")
    if "outputs" in body:
        body["scenes"] = [{"narration": "The sea."}]
    return {"prompt": "The sea", **body} if "scenes" not in body and "script" not in body else body


def patch_with_company(body: dict[str, Any]) -> dict[str, Any]:
    for scene in body.get("scenes", ()):
        scene.setdefault("id", "s1")
    for scene in body.get("add", ()):
        scene.setdefault("after", "s1")
        scene.setdefault("narration", "The sea.")
    return body if set(body) - {"author"} else {**body, "title": "x"}


async def _refused_or_taken(answer: Any, text: str) -> dict[str, Any]:
    told: dict[str, Any] = await answer.json(content_type=None)
    assert answer.status in (200, 202, 422), (answer.status, told, text)
    if answer.status == 422:
        assert told["code"] != "invalid_request" or all("pointer" in one for one in told["errors"]), told
    assert "Set-Cookie" not in answer.headers
    return told


async def test_every_text_field_of_a_request(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for text in HOSTILE:
        for body in bodies(GENERATE, text):
            sent = with_company(body)
            answer = await client.post("/mcp/generate", data=json.dumps(sent), headers=JSON)
            told = await _refused_or_taken(answer, text)
            if answer.status == 202 and "metadata" in sent:
                status = await (await client.get(f"/mcp/status/{told['job_id']}")).json()
                assert status["metadata"] == sent["metadata"]
    _nothing_in_the_log(caplog)


async def test_every_text_field_of_an_edit(client: Client, world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    job_id = await _editable(world)
    for text in HOSTILE:
        for body in bodies(PATCH, text):
            answer = await client.patch(
                f"/mcp/storyboard/{job_id}", data=json.dumps(patch_with_company(body)), headers=JSON
            )
            told = await _refused_or_taken(answer, text)
            if answer.status == 200 and "title" in body:
                assert told["title"] == text
    assert (await client.get(f"/mcp/storyboard/{job_id}/versions")).status == 200
    _nothing_in_the_log(caplog)


async def _editable(world: World) -> str:
    """A job with a storyboard, which then was cancelled."""
    job = await world.running()
    await world.storyboards.save(job.id, BOARD)
    await world.jobs.request_cancel(job.id)
    await world.jobs.finish_cancel(job.id)
    return job.id


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.query is not None], ids=lambda one: one.id)
async def test_every_parameter_of_a_query(client: Client, operation: Operation) -> None:
    assert operation.query is not None
    for text in HOSTILE:
        for name, field in operation.query.model_fields.items():
            query = {field.alias or name: text.encode("utf-8", "replace").decode()}
            url = operation.path.format(job_id="job_x", digest="0" * 64, name="x")
            answer = await client.request(operation.method, url, params=query)
            assert answer.status in (200, 404, 415, 422), (name, text)


async def test_the_name_of_an_upload(client: Client, tmp_path: Path) -> None:
    for number, text in enumerate(text for text in HOSTILE if len(text) < 100):
        sound = media.tone(tmp_path / "tone.wav", seconds=0.6, hertz=200 + number).read_bytes()
        name = text.encode("utf-8", "replace").decode()
        answer = await client.post("/mcp/assets", params={"name": name}, data=sound)
        told = await answer.json(content_type=None)
        assert answer.status == 201, (text, told)
        file = await client.get(f"/mcp/assets/{told['asset_id']}")
        assert await file.read() == sound
        disposition = file.headers["Content-Disposition"]
        assert re.fullmatch(r'(inline|attachment); filename="[A-Za-z0-9 ._()-]+"', disposition), disposition
        assert "Set-Cookie" not in file.headers


async def test_headers_and_the_rest(client: Client, world: World) -> None:
    job = await world.running()
    for text in HOSTILE:
        raw = json.dumps({"reason": text})
        answer = await client.post("/mcp/pause", data=raw, headers=JSON)
        told = await _refused_or_taken(answer, text)
        if answer.status == 200:
            assert told["pause_reason" if "pause_reason" in told else "reason"] == text.strip()
        await client.post("/mcp/resume")
        answer = await client.post(
            f"/mcp/webhooks/{job.id}/redeliver", data=json.dumps({"webhook_id": text}), headers=JSON
        )
        assert answer.status in (404, 409, 422)
        if text.isprintable() and "\ud800" not in text:
            headers = {**JSON, "Idempotency-Key": text, "If-Match": text, "Authorization": text}
            answer = await client.post("/mcp/generate", data=json.dumps({"prompt": "The sea"}), headers=headers)
            assert answer.status in (202, 400), text
            answer = await client.patch(f"/mcp/storyboard/{job.id}", data='{"title": "x"}', headers=headers)
            assert answer.status in (409, 412), text


JSON = {"Content-Type": "application/json"}


def _nothing_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    for record in caplog.records:
        if record.name.startswith("vidgend"):
            assert "Set-Cookie" not in record.getMessage() and "\n" not in record.getMessage()
