from __future__ import annotations

import re
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from standins.services_standin import VIDEO, World
from yarl import URL

from vidgend.models import Brief, PrefetchBrief, Scene, Storyboard
from vidgend.pipeline.executor.port import StepSpec
from vidgend.pipeline.forecast import Forecast
from vidgend.pipeline.progress import Progress
from vidgend.store.jobs import Failure

Client = TestClient[Any, Any]


async def get(client: Client, path: str, status: int = 200) -> dict[str, Any]:
    answer = await client.get(path)
    assert answer.status == status, await answer.text()
    body: dict[str, Any] = await answer.json(content_type=None)
    return body


async def test_a_queued_job_tells_its_place(world: World, client: Client) -> None:
    ids = [(await world.jobs.submit(_brief(), metadata={"n": n}))[0] for n in range(3)]
    urgent, _ = await world.jobs.submit(_brief(), priority=5)
    first, last = await get(client, f"/mcp/status/{urgent}"), await get(client, f"/mcp/status/{ids[2]}")
    assert set(last) == {
        "job_id", "status", "overall_progress", "current_step", "scenes_processed", "total_scenes", "logs", "eta_s",
        "kind", "created_at", "started_at", "finished_at", "priority", "queue_position", "queue_paused", "attempt", "failures", "crashes", "retry_at",
        "metadata", "segments",
    }  # fmt: skip
    assert (first["queue_position"], last["queue_position"]) == (1, 4)
    assert (last["status"], last["overall_progress"], last["eta_s"], last["attempt"]) == ("queued", 0, None, 0)
    assert last["current_step"] == "waiting in the queue behind 3 other jobs"
    assert last["metadata"] == {"n": 2}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ accepted", last["logs"][0])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", last["created_at"])
    assert last["started_at"] is None and last["finished_at"] is None


async def test_a_running_job_shows_live_numbers(world: World, client: Client) -> None:
    job = await world.running()
    await world.jobs.move(job, "rendering", progress=40, line="rendering")
    now_s = 100.0
    live = world.worker.live[job.id] = Progress(Forecast(clock=lambda: now_s))
    scenes = tuple(Scene(index=index, narration="The sea", queries=("sea",)) for index in range(8))
    board = Storyboard(title="", language="en", planner="", stretch=False, fps="30", scenes=scenes)
    live.plan_video(_brief(), board, {"width_px": 320, "height_px": 180, "preset": "ultrafast"})
    for _ in range(3):
        live.scene_done()
    spec = StepSpec(key="", kind="sound", args={}, label="ffmpeg")
    live.told(live.asked(spec, None), 0.4)
    now_s += 10
    body = await get(client, f"/mcp/status/{job.id}")
    assert (body["status"], body["overall_progress"]) == ("rendering", round(live.percent, 1))
    assert 0 < body["overall_progress"] < 100
    assert (body["scenes_processed"], body["total_scenes"]) == (3, 8)
    assert body["current_step"] == "rendering the scenes: 3 of 8 are done"
    assert body["eta_s"] == pytest.approx(10 * (100 - live.percent) / live.percent, rel=0.02)
    assert body["segments"] == [{"scene": scene, "state": "waiting", "percent": 0.0} for scene in range(1, 9)]
    assert [line.split(" ", 1)[1] for line in body["logs"]] == ["accepted", "rendering"]
    assert body["started_at"] is not None


async def test_progress_does_not_fall_when_the_live_numbers_begin_late(world: World, client: Client) -> None:
    job = await world.running()
    await world.jobs.move(job, "rendering", progress=40, line="rendering")
    world.worker.live[job.id] = Progress()
    assert (await get(client, f"/mcp/status/{job.id}"))["overall_progress"] == 40


async def test_an_ended_job_does_not_show_what_its_run_left_behind(world: World, client: Client) -> None:
    job, _ = await world.completed()
    world.worker.live[job.id] = Progress(scenes_done=1, scenes_total=9)
    body = await get(client, f"/mcp/status/{job.id}")
    assert (body["status"], body["overall_progress"], body["current_step"]) == ("completed", 100, "done")
    assert (body["scenes_processed"], body["total_scenes"], body["eta_s"]) == (2, 2, None)
    assert body["finished_at"] is not None


async def test_a_failed_job_says_why_in_status_and_result(world: World, client: Client) -> None:
    job = await world.running()
    failure = Failure(code="ffmpeg_failed", detail="ffmpeg ended with 1", hint="Look here.", tail="Error: x")
    await world.jobs.fail(job, failure, progress=33.3)
    body = await get(client, f"/mcp/status/{job.id}")
    assert (body["status"], body["overall_progress"]) == ("failed", 33.3)
    assert body["error"] == {
        "code": "ffmpeg_failed", "detail": "ffmpeg ended with 1", "hint": "Look here.", "tail": "Error: x",
    }  # fmt: skip
    assert body["current_step"] == "failed: ffmpeg ended with 1"
    told = await get(client, f"/mcp/result/{job.id}", 409)
    assert (told["code"], told["job_status"], told["status"]) == ("job_ended", "failed", 409)
    assert (told["error"]["code"], told["detail"], told["hint"]) == (
        "ffmpeg_failed",
        "ffmpeg ended with 1",
        "Look here.",
    )


async def test_a_result_has_everything_the_contract_names(world: World, client: Client) -> None:
    job, result = await world.completed(metadata={"order": 7})
    body = await get(client, f"/mcp/result/{job.id}")
    base = "http://videos.example:8080/mcp/assets/"
    files = result.files
    assert (body["job_id"], body["status"], body["metadata"]) == (job.id, "completed", {"order": 7})
    assert body["video_url"] == base + files["video"].digest
    assert body["thumbnail_url"] == base + files["thumbnail"].digest
    assert body["subtitles"] == {role: base + files[role].digest for role in ("srt", "vtt", "words")}
    assert body["storage_uri"] == files["video"].uri and body["storage_uri"].startswith("file:///")
    assert body["storage_uri"].endswith(f"/{job.id}/output.mp4")
    assert (body["duration"], body["width"], body["height"], body["size_bytes"]) == (12.5, 1920, 1080, len(VIDEO))
    assert body["sha256"] == files["video"].digest
    assert body["credits"][0]["author"] == "Ada" and body["credits"][0]["kind"] == "video"
    for role in ("credits", "description"):
        assert body[f"{role}_url"] == body["outputs"][0][f"{role}_url"] == base + files[role].digest
    assert body["report"] == {"loudness_lufs": -16.0}
    assert body["timings"] == {"rendering": 3.2}
    assert body["degraded"] == [
        {"stage": "retrieving", "wanted": "pexels", "used": "generated", "reason": "no key", "scene": 2, "output": None}
    ]


async def test_a_result_is_refused_until_the_job_has_ended(world: World, client: Client) -> None:
    job_id, _ = await world.jobs.submit(_brief())
    told = await get(client, f"/mcp/result/{job_id}", 409)
    assert (told["code"], told["job_status"]) == ("job_not_finished", "queued")
    await world.jobs.request_cancel(job_id)
    told = await get(client, f"/mcp/result/{job_id}", 409)
    assert (told["code"], told["job_status"]) == ("job_ended", "cancelled")


async def test_a_result_whose_video_was_deleted_is_gone(world: World, client: Client) -> None:
    job, result = await world.completed()
    (await world.assets.local(result.files["video"].digest)).unlink()
    assert (await get(client, f"/mcp/result/{job.id}", 410))["code"] == "result_expired"
    assert (await get(client, f"/mcp/assets/{result.files['video'].digest}", 410))["code"] == "result_expired"


async def test_a_prefetch_job_lives_on_the_same_routes(world: World, client: Client) -> None:
    brief = PrefetchBrief(queries=("sea",), per_query=1, width_px=1920, height_px=1080)
    job = await world.running(brief=brief)
    body = await get(client, f"/mcp/status/{job.id}")
    assert (body["kind"], body["status"]) == ("prefetch", "retrieving")
    clips = {"clips": [{"query": "sea", "provider": "pexels", "id": "1", "asset": "a" * 64}], "failed": []}
    await world.jobs.complete(job, clips, scenes=0, line="done", event={})
    result = await get(client, f"/mcp/result/{job.id}")
    assert (result["status"], result["clips"], result["failed"]) == ("completed", clips["clips"], [])
    assert (await get(client, f"/mcp/storyboard/{job.id}", 404))["code"] == "not_found"


async def test_cancel_is_idempotent_and_never_undoes_an_end(world: World, client: Client) -> None:
    queued, _ = await world.jobs.submit(_brief())
    for body in (None, b"", b"{}", b"not json at all"):
        answer = await client.post(f"/mcp/cancel/{queued}", data=body)
        assert (answer.status, await answer.json()) == (200, {"job_id": queued, "status": "cancelled"})
    job = await world.running()
    answer = await client.post(f"/mcp/cancel/{job.id}")
    assert (answer.status, await answer.json()) == (200, {"job_id": job.id, "status": "cancelled"})
    done, _ = await world.completed()
    answer = await client.post(f"/mcp/cancel/{done.id}")
    told = await answer.json(content_type="application/problem+json")
    assert (answer.status, told["code"], told["job_status"]) == (409, "conflict", "completed")
    assert (await get(client, f"/mcp/status/{done.id}"))["status"] == "completed"


@pytest.mark.parametrize("route", ["status", "result", "storyboard", "webhooks", "cancel", "retry"])
@pytest.mark.parametrize(
    "job_id",
    [
        "job_00000000000000000000",
        "x",
        "..",
        "%2e%2e",
        "%2F",
        "a%00b",
        "%ff",
        "%ed%a0%80",
        "%F0%9F%8E%AC",
        "';--",
        "x" * 3000,
    ],
)
async def test_an_unknown_id_of_any_shape_is_not_found(client: Client, route: str, job_id: str) -> None:
    url = URL(f"/mcp/{route}/{job_id}", encoded=True)
    answer = await client.post(url) if route in ("cancel", "retry") else await client.get(url)
    body = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["code"]) == (404, "not_found")


async def test_the_list_pages_newest_first_without_gaps_or_repeats(world: World, client: Client) -> None:
    ids = [(await world.jobs.submit(_brief(f"prompt {n} " + "long " * 50)))[0] for n in range(7)]
    seen: list[str] = []
    path = "/mcp/jobs?limit=3"
    sizes = []
    while path:
        page = await get(client, path)
        sizes.append(len(page["jobs"]))
        seen += [job["job_id"] for job in page["jobs"]]
        path = f"/mcp/jobs?limit=3&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert sizes == [3, 3, 1]
    assert seen == ids[::-1]
    newest = (await get(client, "/mcp/jobs?limit=1"))["jobs"][0]
    assert newest["prompt"].startswith("prompt 6 long") and len(newest["prompt"]) == 120
    assert (newest["kind"], newest["status"], newest["error"]) == ("video", "queued", None)


async def test_the_list_is_filtered_by_state(world: World, client: Client) -> None:
    done, _ = await world.completed()
    waiting, _ = await world.jobs.submit(_brief())
    assert [job["job_id"] for job in (await get(client, "/mcp/jobs?state=completed"))["jobs"]] == [done.id]
    assert [job["job_id"] for job in (await get(client, "/mcp/jobs?state=queued"))["jobs"]] == [waiting]
    assert (await get(client, "/mcp/jobs?state=failed")) == {"jobs": [], "next_cursor": None}


@pytest.mark.parametrize(
    "query",
    [
        "state=done", "state=", "limit=0", "limit=201", "limit=ten", "limit=-1", "limit=" + "9" * 50, "limit=٣",
        "cursor=", "cursor=!!!", "cursor=AAAA", "cursor=%ff", "cursor=é", "sort=asc", "limit=1&limit=2",
        "cursor=" + "A" * 400,
    ],
)  # fmt: skip
async def test_wrong_parameters_are_named(client: Client, query: str) -> None:
    body = await get(client, f"/mcp/jobs?{query}", 422)
    assert body["code"] == "invalid_request"
    assert body["errors"][0]["parameter"] == query.split("=")[0]


async def test_styles_are_listed_with_their_default(client: Client) -> None:
    assert (await client.get("/mcp/styles?x=1")).status == 422
    styles = await get(client, "/mcp/styles")
    assert styles["default"] in [style["name"] for style in styles["styles"]]
    assert all(set(style) == {"name", "description", "mood", "captions", "transition"} for style in styles["styles"])


def _brief(prompt: str = "p") -> Brief:
    return Brief(prompt=prompt)
