from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from standins.services_standin import World

from vidgend.models import Brief, Candidate, Clip, Credit, Rendition, Scene, Speech, Storyboard, Word, Words

Client = TestClient[Any, Any]
CREDIT = Credit(provider="pexels", author="Ada", page_url="https://pexels.com/1")
WORDS = Words(
    source="engine", words=(Word(text="Waves", start_s=0.0, end_s=0.4), Word(text="rise.", start_s=0.4, end_s=1))
)


def board(*, placed: bool) -> Storyboard:
    clip = Clip(
        provider="pexels", id="1", kind="video", description="waves", query="sea", credit=CREDIT, digest="d" * 64,
        width_px=1920, height_px=1080, duration_s=8.0,
    )  # fmt: skip
    other = Candidate(
        provider="pexels", id="2", kind="video", description="beach", duration_s=5.0, credit=CREDIT,
        renditions=(Rendition(url="https://files.example/secret-link"),),
    )  # fmt: skip
    scenes = tuple(
        Scene(
            index=index,
            narration="Waves rise.",
            queries=("sea", "waves"),
            clip=clip,
            candidates=(other,),
            why="best words in common",
            speech=Speech(digest="e" * 64, samples=48_000, engine="kokoro", voice="af_heart"),
            words=WORDS,
            start_frame=90 * index if placed else None,
            frames=90 if placed else None,
        )
        for index in range(2)
    )
    return Storyboard(title="The sea", language="en-US", planner="builtin", stretch=False, fps="30", scenes=scenes)


async def get(client: Client, path: str, status: int = 200) -> dict[str, Any]:
    answer = await client.get(path)
    assert answer.status == status, await answer.text()
    body: dict[str, Any] = await answer.json(content_type=None)
    return body


async def test_a_storyboard_tells_scene_by_scene_what_was_found_and_said(world: World, client: Client) -> None:
    job = await world.running()
    await world.storyboards.save(job.id, board(placed=True))
    body = await get(client, f"/mcp/storyboard/{job.id}")
    assert (body["job_id"], body["version"], body["status"]) == (job.id, 1, "planning")
    assert (body["title"], body["language"], body["planner"]) == ("The sea", "en-US", "builtin")
    first, second = body["scenes"]
    assert (first["index"], second["index"]) == (1, 2)
    assert (second["start"], second["duration"], second["frames"]) == (3.0, 3.0, 90)
    assert second["queries"] == ["sea", "waves"] and second["why"] == "best words in common"
    assert second["clip"]["credit"]["author"] == "Ada" and second["clip"]["query"] == "sea"
    assert second["candidates"][0]["id"] == "2"
    assert second["speech"] == {"engine": "kokoro", "voice": "af_heart"}
    assert "secret-link" not in str(body), "links of providers are theirs"


async def test_words_count_from_the_start_of_the_video_once_that_is_known(world: World, client: Client) -> None:
    job = await world.running()
    await world.storyboards.save(job.id, board(placed=False))
    early = (await get(client, f"/mcp/storyboard/{job.id}"))["scenes"][1]
    assert (early["start"], early["duration"], early["words_from"]) == (None, None, "speech")
    assert early["words"][1] == {"word": "rise.", "start": 0.4, "end": 1.0, "confidence": 1.0}
    await world.storyboards.save(job.id, board(placed=True))
    first, second = (await get(client, f"/mcp/storyboard/{job.id}"))["scenes"]
    assert (second["words_source"], second["words_from"]) == ("engine", "video")
    # 0.7 s and 0.3 s of picture come before the words of the first and of any other scene (timeline.py).
    assert (first["words"][0]["start"], second["words"][0]["start"]) == (0.7, 3.3)


async def test_older_versions_stay_readable(world: World, client: Client) -> None:
    job = await world.running()
    await world.storyboards.save(job.id, board(placed=True))
    await world.jobs.request_cancel(job.id)
    await world.jobs.finish_cancel(job.id)
    changed = replace(board(placed=False), title="Later")
    await world.storyboards.add(job.id, changed, job.brief, author="Ann", based_on=1, newest=1, changes=[])
    assert (await get(client, f"/mcp/storyboard/{job.id}"))["version"] == 2
    old = await get(client, f"/mcp/storyboard/{job.id}?version=1")
    assert (old["version"], old["title"], old["author"]) == (1, "The sea", "planner")
    assert (await get(client, f"/mcp/storyboard/{job.id}?version=3", 404))["code"] == "not_found"


@pytest.mark.parametrize("query", ["version=0", "version=x", "version=-1", "version=" + "9" * 40, "scene=1"])
async def test_a_wrong_version_is_refused(world: World, client: Client, query: str) -> None:
    job = await world.running()
    body = await get(client, f"/mcp/storyboard/{job.id}?{query}", 422)
    assert body["errors"][0]["parameter"] == query.split("=")[0]


async def test_before_the_plan_is_written_the_storyboard_is_not_ready(world: World, client: Client) -> None:
    job = await world.running()
    told = await get(client, f"/mcp/storyboard/{job.id}", 409)
    assert (told["code"], told["job_status"]) == ("storyboard_not_ready", "planning")
    await world.jobs.request_cancel(job.id)
    await world.jobs.finish_cancel(job.id)
    told = await get(client, f"/mcp/storyboard/{job.id}", 409)
    assert (told["code"], told["job_status"]) == ("conflict", "cancelled"), "it will never be ready"


@pytest.fixture
async def cancelled(world: World) -> str:
    """A job that is not being made, with a storyboard."""
    job_id, _ = await world.jobs.submit(Brief(prompt="sea"))
    await world.storyboards.save(job_id, board(placed=True))
    await world.jobs.request_cancel(job_id)
    return job_id


async def patch(client: Client, job_id: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = await client.patch(f"/mcp/storyboard/{job_id}", json=body)
    assert answer.status == status, await answer.text()
    found: dict[str, Any] = await answer.json(content_type=None)
    return found


async def test_music_is_switched_off_as_in_a_request(client: Client, cancelled: str) -> None:
    assert (await patch(client, cancelled, {"music": "none"}))["request"]["music"]["none"] is True
    assert (await patch(client, cancelled, {"music": {"mood": "calm"}}))["request"]["music"]["none"] is False
    assert (await patch(client, cancelled, {"music": {"none": True}}))["request"]["music"]["none"] is True


@pytest.mark.parametrize("body", [{"title": "The sea"}, {"scenes": [{"index": 1}]}, {"add": []}, {"music": {}}])
async def test_an_edit_that_changes_nothing_makes_no_version(
    client: Client, cancelled: str, body: dict[str, Any]
) -> None:
    assert (await patch(client, cancelled, body))["version"] == 1


async def test_of_many_that_edit_at_once_without_a_version_nobody_is_turned_away(
    client: Client, cancelled: str
) -> None:
    made = await asyncio.gather(*(patch(client, cancelled, {"title": f"Title {number}"}) for number in range(20)))
    assert sorted(one["version"] for one in made) == list(range(2, 22))


@pytest.mark.parametrize(
    "body",
    [
        {"scenes": [{"index": 1, "remove": "yes"}]}, {"scenes": [{"index": True, "remove": True}]},
        {"scenes": [{"index": "1", "remove": True}]}, {"scenes": [{"index": 1, "in_point": True}]},
        {"scenes": [{"index": 1, "duration": "5"}]},
    ],
)  # fmt: skip
async def test_what_only_looks_like_a_yes_or_a_number_removes_nothing(
    client: Client, cancelled: str, body: dict[str, Any]
) -> None:
    await patch(client, cancelled, body, status=422)


async def test_a_voice_that_nobody_here_has_is_refused_in_an_edit_as_well(client: Client, cancelled: str) -> None:
    assert (await patch(client, cancelled, {"voice": "zu-ZA-female"}, status=422))["code"] == "voice_unknown"


async def test_new_words_in_another_language_than_the_video_are_refused(client: Client, cancelled: str) -> None:
    french = "Le soleil se couche sur la mer et les vagues sont belles."
    told = await patch(client, cancelled, {"scenes": [{"index": 1, "narration": french}]}, status=422)
    assert told["code"] == "language_unsupported" and "in fr" in told["detail"]
    await patch(
        client, cancelled, {"scenes": [{"index": 1, "narration": "The sea at La Rochelle, Le Havre, Les Sables."}]}
    )
