"""The thumbnails that a storyboard shows: there for whoever may see the storyboard, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiohttp.test_utils import TestClient
from standins.services_standin import KEY, World

from vidgend.models import Candidate, Choice, Clip, Credit, Scene, Storyboard, Thumbnail
from vidgend.store.steps import StepStore
from vidgend.store.storyboards import THUMBNAIL_STEP

Client = TestClient[Any, Any]
JPEG = b"\xff\xd8\xff\xe0 a small picture"
CREDIT = Credit(provider="pexels")
ONE, TWO, THREE = (
    Candidate(
        provider="pexels", id=name, kind="video", description=name, credit=CREDIT, preview_url=f"https://x/{name}"
    )
    for name in "123"
)


async def made(world: World, job_id: str, content: bytes, *, kind: str = THUMBNAIL_STEP) -> str:
    """The digest of what a step of the job gave."""
    digest = await world.store(content)
    steps = StepStore(world.database, world.assets, boot_id="boot")
    lease = await steps.begin(f"key of {digest}", kind=kind, label="io", job_id=job_id)
    await steps.finish(lease, {"digest": digest}, (digest,), seconds=0.1)
    return digest


async def reviewed(world: World, **submit: Any) -> tuple[str, str]:
    """A job whose storyboard shows the thumbnail of the second of three candidates, and its digest."""
    job = await world.running(**submit)
    digest = await made(world, job.id, JPEG)
    clip = Clip(provider="pexels", id="2", kind="video", description="", query="", credit=CREDIT, digest="d" * 64)
    scene = Scene(
        index=0, narration="Waves.", queries=("sea",), clip=clip, candidates=(TWO, ONE, THREE),
        thumbnails=(
            Thumbnail(provider="pexels", id="2", digest=digest),
            Thumbnail(provider="pexels", id="1", digest="e" * 64),  # deleted since
        ),
    )  # fmt: skip
    board = Storyboard(title="", language="en", planner="builtin", stretch=False, fps="30", scenes=(scene,))
    await world.storyboards.save(job.id, board)
    return job.id, digest


async def shown(client: Client, job_id: str, **headers: str) -> dict[str, Any]:
    answer = await client.get(f"/mcp/storyboard/{job_id}", headers=headers)
    assert answer.status == 200, await answer.text()
    body: dict[str, Any] = await answer.json()
    return dict(body["scenes"][0])


async def test_each_candidate_tells_whether_it_is_the_one_and_how_it_looks(world: World, client: Client) -> None:
    job_id, digest = await reviewed(world)
    scene = await shown(client, job_id)
    assert [(one["id"], one["chosen"]) for one in scene["candidates"]] == [("2", True), ("1", False), ("3", False)]
    url = f"http://videos.example:8080/mcp/storyboard/{job_id}/thumbnails/{digest}"
    assert [one["thumbnail_url"] for one in scene["candidates"]] == [url, None, None]
    assert scene["clip"]["thumbnail_url"] == url
    assert "https://x/" not in str(scene), "links of providers are theirs"


async def test_a_picture_that_was_chosen_but_is_not_fetched_yet_is_the_one(world: World, client: Client) -> None:
    job_id, _ = await reviewed(world)
    found = await world.storyboards.get(job_id)
    assert found is not None
    scene = replace(found.storyboard.scenes[0], clip=None, choice=Choice(candidate=THREE))
    await world.storyboards.save(job_id, replace(found.storyboard, scenes=(scene,)))
    told = await shown(client, job_id)
    assert [one["id"] for one in told["candidates"] if one["chosen"]] == ["3"]
    assert (told["clip"], told["choice"]["id"], told["choice"]["thumbnail_url"]) == (None, "3", None)


async def test_a_thumbnail_is_a_jpeg_that_may_be_kept_for_ever(world: World, client: Client) -> None:
    job_id, digest = await reviewed(world)
    answer = await client.get(f"/mcp/storyboard/{job_id}/thumbnails/{digest}")
    assert (answer.status, await answer.read(), answer.headers["Content-Type"]) == (200, JPEG, "image/jpeg")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    again = await client.get(answer.url.path, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304


async def test_nothing_but_the_thumbnails_of_that_storyboard_is_served(world: World, client: Client) -> None:
    job_id, digest = await reviewed(world)
    other = (await world.running()).id
    clip = await made(world, job_id, b"a fetched clip", kind="fetch")
    cached = await world.store(b"a file of nobody")
    for path in (
        f"{other}/thumbnails/{digest}", f"{job_id}/thumbnails/{clip}", f"{job_id}/thumbnails/{cached}",
        f"{job_id}/thumbnails/{digest.upper()}", f"{job_id}/thumbnails/..%2f{digest}", f"{job_id}/thumbnails/",
        f"job_unknown/thumbnails/{digest}", f"..%2f{job_id}/thumbnails/{digest}",
    ):  # fmt: skip
        answer = await client.get(f"/mcp/storyboard/{path}")
        assert answer.status == 404, path
    assert (await client.get(f"/mcp/assets/{digest}")).status == 404, "it was not published"


async def test_with_a_key_set_the_link_opens_that_thumbnail_and_nothing_else(world: World, connect: Any) -> None:
    client: Client = await connect(world.with_api_key())
    job_id, digest = await reviewed(world)
    second = await made(world, job_id, JPEG + b"another")
    url = (await shown(client, job_id, Authorization=f"Bearer {KEY}"))["candidates"][0]["thumbnail_url"]
    path, _, signature = url.removeprefix("http://videos.example:8080").partition("?")
    answer = await client.get(f"{path}?{signature}")
    assert (answer.status, await answer.read()) == (200, JPEG)
    assert answer.headers["Cache-Control"].startswith("private")
    for other in (path.replace(digest, second), f"/mcp/storyboard/{job_id}", f"/mcp/assets/{digest}"):
        assert (await client.get(f"{other}?{signature}")).status in (401, 403), other
    assert (await client.get(path)).status == 401
    assert (await client.post(f"{path}?{signature}")).status == 401


async def test_thumbnails_stay_until_the_job_has_ended_and_are_then_shown_no_more_once_they_went(
    world: World, client: Client
) -> None:
    job_id, digest = await reviewed(world)
    later = world.database.clock() + 1e6
    assert not await world.assets.discard([digest], later), "the job still needs it"
    assert (await client.get(f"/mcp/storyboard/{job_id}/thumbnails/{digest}")).status == 200
    await world.jobs.request_cancel(job_id)
    await world.jobs.finish_cancel(job_id)
    assert (await shown(client, job_id))["clip"]["thumbnail_url"] is not None
    assert await world.assets.discard([digest], later) == len(JPEG)
    scene = await shown(client, job_id)
    assert [one["thumbnail_url"] for one in (scene["clip"], *scene["candidates"])] == [None] * 4
    assert (await client.get(f"/mcp/storyboard/{job_id}/thumbnails/{digest}")).status == 404
