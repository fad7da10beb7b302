"""Changing a storyboard over HTTP: versions, conflicts, review, render."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from standins.services_standin import World

from vidgend.http import revise
from vidgend.models import Candidate, Clip, Credit, Scene, Storyboard
from vidgend.pipeline.text_language import text_language

Client = TestClient[Any, Any]

CREDIT = Credit(provider="fake")
CLIP = Clip(
    provider="fake", id="1", kind="video", description="waves", query="sea", credit=CREDIT, digest="d" * 64,
    duration_s=8.0,
)  # fmt: skip
SCENES = tuple(
    Scene(
        index=index, id=f"s{index + 1}", narration=text, queries=("sea",), clip=CLIP,
        candidates=(Candidate(provider="fake", id="2", kind="video", description="gull", credit=CREDIT),),
    )
    for index, text in enumerate(("The sea is calm.", "A boat comes in."))
)  # fmt: skip
BOARD = Storyboard(title="The sea", language="en", planner="builtin", stretch=False, fps="30", scenes=SCENES)


async def call(client: Client, method: str, path: str, status: int, **more: Any) -> dict[str, Any]:
    answer = await client.request(method, path, **more)
    assert answer.status == status, await answer.text()
    body: dict[str, Any] = await answer.json(content_type=None)
    return body


@pytest.fixture
async def job_id(world: World) -> str:
    """A job whose storyboard was planned, and which then was cancelled: it can be edited."""
    job = await world.running()
    await world.storyboards.save(job.id, BOARD)
    await world.jobs.request_cancel(job.id)
    await world.jobs.finish_cancel(job.id)
    return job.id


async def test_a_patch_makes_a_version_that_tells_who_changed_what(client: Client, job_id: str) -> None:
    path = f"/mcp/storyboard/{job_id}"
    answer = await client.get(path)
    assert answer.headers["ETag"] == '"1"'
    patch = {"scenes": [{"index": 2, "narration": "A ship comes in."}], "style": "noir", "author": "Ann"}
    made = await call(client, "PATCH", path, 200, json=patch, headers={"If-Match": '"1"'})
    assert (made["version"], made["author"], made["based_on"]) == (2, "Ann", 1)
    assert made["scenes"][1]["narration"] == "A ship comes in." and made["request"]["style"] == "noir"
    assert made["changes"] == [
        {"op": "change", "scene": "s2", "field": "narration", "from": "A boat comes in.", "to": "A ship comes in."},
        {"op": "change", "field": "style", "from": "cinematic", "to": "noir"},
    ]
    old = await call(client, "GET", f"{path}?version=1", 200)
    assert old["scenes"][1]["narration"] == "A boat comes in." and old["request"]["style"] == "cinematic"
    listed = await call(client, "GET", f"{path}/versions", 200)
    assert [(line["version"], line["author"], line["rendered"]) for line in listed["versions"]] == [
        (1, "planner", False),
        (2, "Ann", False),
    ]


@pytest.mark.parametrize("if_match", ['"2"', "2", 'W/"2"', "soon", '"0"', '"1", "2"'])
async def test_an_edit_of_another_version_than_the_newest_is_refused(
    client: Client, job_id: str, if_match: str
) -> None:
    told = await call(
        client, "PATCH", f"/mcp/storyboard/{job_id}", 412, json={"style": "noir"}, headers={"If-Match": if_match}
    )
    assert told["code"] == "storyboard_changed"
    assert "newer" not in told["title"]  # of "0" or "soon" there is none


async def test_captions_and_music_are_merged_and_null_gives_a_choice_back(client: Client, job_id: str) -> None:
    path = f"/mcp/storyboard/{job_id}"
    made = await call(client, "PATCH", path, 200, json={"captions": {"preset": "karaoke"}, "music": {"mood": "calm"}})
    assert made["request"]["captions"]["preset"] == "karaoke" and made["request"]["captions"]["highlight"] is True
    made = await call(client, "PATCH", path, 200, json={"captions": {"highlight": False}, "music": {"volume": 0.5}})
    assert made["request"]["captions"] | {"preset": "karaoke", "highlight": False} == made["request"]["captions"]
    assert (made["request"]["music"]["mood"], made["request"]["music"]["volume"]) == ("calm", 0.5)
    made = await call(client, "PATCH", path, 200, json={"captions": None, "music": {"none": True}, "style": None})
    assert made["request"]["captions"]["preset"] is None and made["request"]["music"]["none"] is True
    made = await call(client, "PATCH", path, 200, json={"transitions": "wipe", "captions": False})
    assert made["request"]["transitions"] == {"kind": "wipe", "duration": 0.4}
    assert made["request"]["captions"]["enabled"] is False and made["version"] == 5
    for card in (True, False):
        made = await call(client, "PATCH", path, 200, json={"credits_card": card})
        assert made["request"]["credits_card"] is card


async def test_scenes_are_added_removed_moved_and_given_another_picture(client: Client, job_id: str) -> None:
    patch = {
        "scenes": [{"id": "s1", "remove": True}, {"id": "s2", "clip": {"provider": "fake", "id": "2"}, "in_point": 1}],
        "add": [{"after": 0, "narration": "A lighthouse stands there."}],
    }
    made = await call(client, "PATCH", f"/mcp/storyboard/{job_id}", 200, json=patch)
    assert [(scene["index"], scene["id"]) for scene in made["scenes"]] == [(1, "s3"), (2, "s2")]
    assert made["scenes"][1]["choice"]["id"] == "2" and made["scenes"][1]["clip"] is None


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({}, ""),
        ({"author": "x"}, ""),
        ({"scenes": [{"index": 3, "narration": "x"}]}, "/scenes/0"),
        ({"scenes": [{"narration": "x"}]}, "/scenes/0"),
        ({"scenes": [{"index": 1, "id": "s1", "narration": "x"}]}, "/scenes/0"),
        ({"scenes": [{"index": 1, "remove": True, "narration": "x"}]}, "/scenes/0"),
        ({"scenes": [{"index": 1, "narration": "x" * 2001}]}, "/scenes/0/narration"),
        ({"scenes": [{"index": 1, "narration": None}, {"index": 2, "narration": ""}]}, "/scenes"),
        ({"scenes": [{"index": 1, "clip": {"provider": "fake", "id": "9"}}]}, "/scenes/0/clip"),
        ({"scenes": [{"index": 1, "clip": {"asset": "e" * 64}}]}, "/scenes/0/clip/asset"),
        ({"scenes": [{"index": 1, "in_point": 99}]}, "/scenes/0/in_point"),
        ({"scenes": [{"index": 1, "colour": "red"}]}, "/scenes/0/colour"),
        ({"order": [2]}, "/order"),
        ({"order": ["s2", "s9"]}, "/order/1"),
        ({"add": [{"after": 7, "narration": "x"}]}, "/add/0/after"),
        ({"title": ""}, "/title"),
        ({"quality": "high"}, "/quality"),
    ],
)
async def test_a_wrong_edit_is_refused_with_its_place_and_changes_nothing(
    client: Client, job_id: str, patch: dict[str, Any], pointer: str
) -> None:
    told = await call(client, "PATCH", f"/mcp/storyboard/{job_id}", 422, json=patch)
    assert told["errors"][0].get("pointer", "") == pointer, told
    assert (await call(client, "GET", f"/mcp/storyboard/{job_id}", 200))["version"] == 1


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ({"style": "grand"}, "style_unknown"),
        ({"voice": "nobody"}, "voice_unknown"),
        ({"captions": {"preset": "grand"}}, "caption_preset_unknown"),
        ({"captions": {"font": "No Such Font"}}, "font_unknown"),
    ],
)
async def test_what_is_refused_in_a_request_is_refused_in_an_edit(
    client: Client, job_id: str, patch: dict[str, Any], code: str
) -> None:
    assert (await call(client, "PATCH", f"/mcp/storyboard/{job_id}", 422, json=patch))["code"] == code


async def test_what_is_being_made_is_not_edited_reverted_or_rendered_again(world: World, client: Client) -> None:
    job = await world.running()
    for method, path, body in (
        ("PATCH", f"/mcp/storyboard/{job.id}", {"style": "noir"}),
        ("POST", f"/mcp/storyboard/{job.id}/revert", {"version": 1}),
        ("POST", f"/mcp/render/{job.id}", {}),
    ):
        assert (await call(client, method, path, 409, json=body))["code"] == "storyboard_not_ready"
    await world.storyboards.save(job.id, BOARD)
    for method, path, body in (
        ("PATCH", f"/mcp/storyboard/{job.id}", {"style": "noir"}),
        ("POST", f"/mcp/storyboard/{job.id}/revert", {"version": 1}),
        ("POST", f"/mcp/render/{job.id}", {}),
    ):
        assert (await call(client, method, path, 409, json=body))["code"] == "conflict"


async def test_a_revert_is_a_new_version_like_the_old_one(client: Client, job_id: str) -> None:
    path = f"/mcp/storyboard/{job_id}"
    await call(client, "PATCH", path, 200, json={"scenes": [{"index": 1, "narration": "Storm."}], "style": "noir"})
    made = await call(client, "POST", f"{path}/revert", 200, json={"version": 1, "author": "Bob"})
    assert (made["version"], made["based_on"], made["author"]) == (3, 1, "Bob")
    assert made["scenes"][0]["narration"] == "The sea is calm." and made["request"]["style"] == "cinematic"
    assert [change["field"] for change in made["changes"]] == ["narration", "style"]
    assert (await call(client, "POST", f"{path}/revert", 404, json={"version": 9}))["code"] == "not_found"


async def test_render_puts_the_version_into_the_queue_and_tells_what_is_there(
    world: World, client: Client, job_id: str
) -> None:
    await call(client, "PATCH", f"/mcp/storyboard/{job_id}", 200, json={"style": "noir"})
    woken = world.worker.woken
    told = await call(client, "POST", f"/mcp/render/{job_id}", 202, json={"quality": "high"})
    assert (told["status"], told["version"]) == ("accepted", 2)
    assert told["segments"] == {
        "reused": [],
        "rebuilt": [{"kind": "scene", "scene": 1}, {"kind": "scene", "scene": 2}],
    }
    assert world.worker.woken > woken
    job = await world.jobs.get(job_id)
    assert (job.state, job.version) == ("queued", 2)
    assert job.brief == replace(job.brief, style="noir", quality="high"), "as the edit says, and as it is asked for"
    again = await call(client, "POST", f"/mcp/render/{job_id}", 409, json={})
    assert again["code"] == "conflict"


async def test_an_older_version_can_be_rendered_without_a_body_the_newest(
    world: World, client: Client, job_id: str
) -> None:
    await call(client, "PATCH", f"/mcp/storyboard/{job_id}", 200, json={"style": "noir"})
    assert (await call(client, "POST", f"/mcp/render/{job_id}", 404, json={"version": 5}))["code"] == "not_found"
    assert (await call(client, "POST", f"/mcp/render/{job_id}", 202, json={"version": 1}))["version"] == 1
    await world.jobs.request_cancel(job_id)
    assert (await call(client, "POST", f"/mcp/render/{job_id}", 202))["version"] == 2


async def test_while_another_version_is_made_the_video_that_there_is_can_be_had(world: World, client: Client) -> None:
    job, _ = await world.completed()
    await world.storyboards.save(job.id, BOARD)
    assert (await call(client, "GET", f"/mcp/storyboard/{job.id}/versions", 200))["versions"][0]["rendered"] is True
    await call(client, "POST", f"/mcp/render/{job.id}", 202, json={})
    told = await call(client, "GET", f"/mcp/result/{job.id}", 409)
    assert told["code"] == "job_not_finished"
    answer = await client.get(told["previous"]["video_url"].partition(":8080")[2])
    assert answer.status == 200 and await answer.read()


async def test_prefetches_and_unknown_jobs_have_no_storyboard_to_change(world: World, client: Client) -> None:
    prefetch = (await call(client, "POST", "/mcp/prefetch", 202, json={"queries": ["sea"]}))["job_id"]
    for job_id in (prefetch, "job_unknown"):
        await call(client, "PATCH", f"/mcp/storyboard/{job_id}", 404, json={"style": "noir"})
        await call(client, "POST", f"/mcp/storyboard/{job_id}/revert", 404, json={"version": 1})
        await call(client, "POST", f"/mcp/render/{job_id}", 404, json={})
        await call(client, "GET", f"/mcp/storyboard/{job_id}/versions", 404)


async def test_a_job_can_be_asked_to_stop_for_review(world: World, client: Client) -> None:
    job_id = (await call(client, "POST", "/mcp/generate", 202, json={"prompt": "The sea", "review": True}))["job_id"]
    job = await world.jobs.claim()
    assert job is not None and job.id == job_id and job.brief.review is True  # type: ignore[union-attr]
    await world.storyboards.save(job_id, BOARD)
    await world.jobs.await_review(job, progress=20, scenes=2, line="look", event={})
    status = await call(client, "GET", f"/mcp/status/{job_id}", 200)
    assert (status["status"], status["total_scenes"]) == ("awaiting_review", 2)
    assert status["current_step"] == "waiting for the storyboard to be approved"
    await call(client, "POST", f"/mcp/render/{job_id}", 202, json={})
    approved = await world.jobs.claim()
    assert approved is not None and approved.brief.review is False  # type: ignore[union-attr]


async def test_the_language_of_new_words_is_found_out_off_the_loop(
    client: Client, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 200 scenes with 2000 letters each it takes a tenth of a second."""
    threads = []

    def noted(text: str, *, expected: str) -> str | None:
        threads.append(threading.current_thread())
        return text_language(text, expected=expected)

    monkeypatch.setattr(revise, "text_language", noted)
    await call(
        client, "PATCH", f"/mcp/storyboard/{job_id}", 200, json={"scenes": [{"index": 1, "narration": "A gull."}]}
    )
    assert threads and threading.main_thread() not in threads
