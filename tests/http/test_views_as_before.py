"""The views say to the byte what the answers said before there were any."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest
from aiohttp.test_utils import TestClient
from standins.services_standin import World
from test_http_storyboard import board
from test_http_usage import metered, noted

from vidgend.http import job_views, problems, storyboard_routes, uploads_routes, voices_routes
from vidgend.http.answers import json_bytes
from vidgend.http.asset_links import own_url
from vidgend.http.usage_query import By, read_query
from vidgend.http.views.base import dump, dump_json
from vidgend.http.views.catalogue import styles_view, voice_view, voices_view
from vidgend.http.views.health import livez_view, readyz_view
from vidgend.http.views.jobs import jobs_view, status_view, summary_view
from vidgend.http.views.problem import problem_view
from vidgend.http.views.queue import pause_view, queue_view
from vidgend.http.views.results import result_view
from vidgend.http.views.storyboard import storyboard_view, versions_view
from vidgend.http.views.uploads import upload_view, uploads_view
from vidgend.http.views.usage import usage_view
from vidgend.http.views.webhooks import webhooks_view
from vidgend.models import (
    Brief,
    Choice,
    JobState,
    MediaCredit,
    Output,
    OutputResult,
    PrefetchBrief,
    RankedClip,
    Result,
    Scene,
    Storyboard,
    Substitution,
    Thumbnail,
    Transition,
)
from vidgend.pipeline.forecast import Forecast
from vidgend.pipeline.progress import Progress
from vidgend.pipeline.styles import STYLES
from vidgend.store.jobs import Failure, Job, Pause
from vidgend.store.outbox import events_of
from vidgend.store.uploads import Upload

NOW = 1_700_000_000.0
Client = TestClient[Any, Any]


def job(**changes: Any) -> Job:
    values: dict[str, Any] = {
        "id": "job_1", "kind": "video", "state": "queued", "priority": 1, "brief": Brief(prompt="the sea " * 30),
        "metadata": {"n": 1, "half": "\ud800", "deep": {"a": [1, None]}}, "callback_url": None, "created_at": NOW,
        "updated_at": NOW, "started_at": None, "finished_at": None, "attempt": 0, "crashes": 0,
        "cancel_requested": False, "progress": 41.26, "scenes_done": 1, "scenes_total": 3, "error": None,
        "result": None,
    }  # fmt: skip
    return Job(**(values | changes))


def progress() -> Progress:
    live = Progress(Forecast(clock=lambda: 100.0))
    scenes = tuple(Scene(index=index, narration="The sea", queries=("sea",)) for index in range(3))
    plan = Storyboard(title="", language="en", planner="", stretch=False, fps="30", scenes=scenes)
    for output in (0, 1):
        encoding = {"width_px": 320, "height_px": 180, "preset": "ultrafast"}
        live.plan_video(Brief(prompt="the sea"), plan, encoding, output=output)
    live.scene_done()
    return live


def of_all_kinds() -> Iterator[tuple[Job, Progress | None, dict[str, Any]]]:
    error = Failure(code="no_footage", detail="nothing \udcff", hint="look")
    for state in get_args(JobState):
        one = job(state=state, started_at=NOW, finished_at=NOW)
        for live in (None, progress()):
            yield one, live, {}
            yield replace(one, error=error), live, {}
            yield replace(one, error=replace(error, hint="", tail="the end")), live, {}
    for position in (1, 2, 9, 5000):
        yield job(), None, {"queue_position": position}
    yield job(), None, {"pause": Pause(paused_at=NOW, reason="night"), "queue_position": 3}
    yield job(), None, {"lacking_bytes": 5_000_000}
    yield job(ready=False, run_at=NOW + 500, error=error), None, {"pause": Pause(paused_at=NOW, reason="")}
    yield job(ready=False, run_at=NOW - 5), None, {}
    yield job(kind="prefetch", brief=PrefetchBrief(queries=("a", "b"), per_query=1, width_px=1, height_px=1)), None, {}


def test_status_and_summary() -> None:
    logs = [(NOW, "accepted"), (NOW + 1, "half \ud800")]
    for one, live, more in of_all_kinds():
        old = job_views.status_view(one, live, logs=logs, now_s=NOW, **more)
        assert dump_json(status_view(one, live, logs=logs, now_s=NOW, **more)) == json_bytes(old)
        assert dump_json(summary_view(one, live)) == json_bytes(job_views.summary_view(one, live))
        page = {"jobs": [job_views.summary_view(one, live)], "next_cursor": None}
        assert dump_json(jobs_view([summary_view(one, live)], None)) == json_bytes(page)


async def test_results(world: World) -> None:
    made, found = await world.completed()
    files = found.files | {f"{role}:tall": file for role, file in found.files.items()}
    credit = MediaCredit(provider="pexels", author="Ada", kind="video", scenes=(1, 2), seconds=((0.0, 1.5), (2.0, 3)))
    several = replace(
        found,
        files=files,
        credits=(credit, MediaCredit(provider="music", title="Song")),
        degraded=(Substitution(stage="a", wanted="b", used="c", reason="d", scene=1, output="tall"),),
        outputs=(
            OutputResult(name="wide", language="en", width_px=1920, height_px=1080, duration_s=12.5),
            OutputResult(name="tall", language="de", width_px=1080, height_px=1920, duration_s=13, report={"a": 1}),
        ),
    )
    urls = {role: f"http://x/{role}" for role in files}
    fetched = {
        "clips": [{"query": "sea", "provider": "pexels", "id": "1", "asset": "d" * 64}], "failed": ["'x': nothing"],
    }  # fmt: skip
    results: list[tuple[Result | dict[str, Any] | None, dict[str, str]]] = [
        (found, urls), (found, {}), (several, urls), (fetched, {}), ({"clips": [], "failed": []}, {}),
    ]  # fmt: skip
    for result, known in results:
        one = replace(made, result=result)
        assert dump_json(result_view(one, known)) == json_bytes(job_views.result_view(one, known))


async def body(client: Client, path: str, **parameters: str) -> bytes:
    answer = await client.get(path, params=parameters)
    assert answer.status == 200, await answer.text()
    return await answer.read()


@pytest.mark.parametrize("placed", [True, False])
async def test_storyboards(world: World, client: Client, placed: bool) -> None:
    brief = Brief(
        prompt="the sea",
        transitions=Transition(kind="fade", duration_s=0.7),
        outputs=(Output(name="tall", width_px=1080, height_px=1920, language="de"),),
    )
    made = await world.running(brief=brief)
    plan = board(placed=placed)
    first, second = plan.scenes
    ranked = RankedClip(
        provider="pexels", id="1", description="d", query="q", fit=0.5, score=1.25, parts=(("fit", 1.0), ("size", 0.25))
    )
    chosen = first.candidates[0]
    digest = await world.store(b"jpeg")
    first = replace(
        first,
        ranking=(ranked,),
        choice=Choice(candidate=chosen, in_point_s=1.5),
        thumbnails=(Thumbnail(provider=chosen.provider, id=chosen.id, digest=digest),),
    )
    plan = replace(plan, scenes=(first, replace(second, clip=None, speech=None, words=None)))
    await world.storyboards.save(made.id, plan)
    version = await world.storyboards.get(made.id)
    assert version is not None
    shown = await body(client, f"/mcp/storyboard/{made.id}")
    found = await world.jobs.get(made.id)
    assert dump_json(storyboard_view(found, version, {})) == shown
    urls = {digest: "http://x/thumbnail"}
    old = storyboard_routes._view(version.storyboard, urls)["scenes"]
    assert b"http://x/thumbnail" in json_bytes(old)
    assert json_bytes(dump(storyboard_view(found, version, urls))["scenes"]) == json_bytes(old)
    lines = await world.storyboards.versions(made.id)
    assert dump_json(versions_view(found, lines)) == await body(client, f"/mcp/storyboard/{made.id}/versions")


async def test_usage(world: World, connect: Any) -> None:
    world, _ = await metered(world)
    for days_ago in range(3):
        await noted(world, days_ago=days_ago, job=f"job_{days_ago}")
    client = await connect(world)
    for by in get_args(By):
        for limit in ("2", "50"):
            query = read_query({"by": by}, now=time.time(), limit=int(limit))
            services = world.services
            shown = dump_json(await usage_view(services.ledger, services.accounts, query, owner=""))
            assert shown == await body(client, "/mcp/usage", by=by, limit=limit)


async def test_the_others(world: World, client: Client) -> None:
    services = world.services
    counts = await world.jobs.counts()
    assert dump_json(queue_view(None, counts, services.worker.lacking_bytes)) == await body(client, "/mcp/queue")
    answer = await client.post("/mcp/pause", json={"reason": "night"})
    assert dump_json(pause_view(await world.jobs.paused())) == await answer.read()
    assert dump_json(livez_view(services.version)) == await body(client, "/livez")
    assert dump_json(readyz_view(services.version)) == await body(client, "/readyz")
    assert dump_json(styles_view(STYLES.values(), "cinematic")) == await body(client, "/mcp/styles")
    base = services.public_url or f"http://{client.host}:{client.port}"
    voices = dump_json(voices_view(services.voices, services.defaults.voice, base))
    assert voices == await body(client, "/mcp/voices", all="true")
    for one in services.voices:
        assert dump_json(voice_view(one, "")) == json_bytes(voices_routes.voice_view(one, ""))
    await world.jobs.resume()
    made, _ = await world.completed(callback_url="http://example.com/hook")
    events = await events_of(world.database, made.id)
    assert events and dump_json(webhooks_view(made.id, events)) == await body(client, f"/mcp/webhooks/{made.id}")


def test_uploads(world: World) -> None:
    for kind, facts in [
        ("video", {"width_px": 2, "height_px": 4, "fps": 29.97, "duration_s": 1.23456}),
        ("photo", {"width_px": 2, "height_px": 4, "fps": 0.0}),
        ("audio", {"sample_rate_hz": 48_000, "channels": 2, "duration_s": 9.0}),
    ]:
        one = Upload(digest="d" * 64, kind=kind, name="a", content_type="b", size_bytes=1, facts=facts, created_at=NOW)
        view = upload_view(one, own_url(world.services, one.digest, base_url="http://x", now_s=NOW))
        old = uploads_routes._view(world.services, one, "http://x")
        assert dump_json(view) == json_bytes(old)
        page = {"assets": [old], "next_cursor": "x"}
        assert dump_json(uploads_view([view], "x")) == json_bytes(page)


def test_problems() -> None:
    wrong = problems.InvalidFields([{"pointer": "/a", "detail": "x"}, {"parameter": "b", "detail": "\ud800"}] * 40)
    for error, members in [
        (problems.NotReady("not ready"), {"reasons": ["quota"], "nothing": None}),
        (wrong, {"previous": {"subtitles": {"srt": None}}}),
    ]:
        errors = getattr(error, "errors", None)
        assert dump_json(problem_view(error, members, errors)) == problems.problem(error, **members).body
