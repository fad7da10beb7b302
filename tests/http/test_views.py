"""What views show, what they leave out, and that the document tells the truth about both."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import Field
from standins.services_standin import World
from test_http_storyboard import board

from vidgend.errors import NotFound
from vidgend.http.health import Condition, health_of
from vidgend.http.views import catalogue, health, jobs, problem, queue, results, storyboard, uploads, usage, webhooks
from vidgend.http.views.base import View, absent, dump, dump_json, with_members
from vidgend.http.webhook_call import Outcome
from vidgend.http.webhook_tester import SentEvent, told_of
from vidgend.models import Brief
from vidgend.pipeline.foresee import Piece, Reuse
from vidgend.pipeline.progress import Progress
from vidgend.pipeline.styles import STYLES
from vidgend.store.job_reads import JobLook
from vidgend.store.jobs import Pause

ANSWERS: list[type[View]] = [
    jobs.AcceptedView, jobs.StatusView, jobs.JobsView, jobs.CancelledView, results.ResultView,
    storyboard.StoryboardView, storyboard.VersionsView, storyboard.RenderView, queue.QueueView, queue.PauseView,
    webhooks.WebhooksView, webhooks.RedeliverView, uploads.UploadView, uploads.UploadsView, catalogue.VoicesView,
    catalogue.StylesView, usage.UsageView, health.LivezView, health.ReadyzView, problem.ProblemView,
]  # fmt: skip


class Part(View):
    name: str = Field(description="A name.")
    size: int | None = Field(description="Null where nobody knows.")
    why: str | None = absent("Left out.")
    url: str | None = Field(None, description="Left out unless it was given.")


class Whole(View):
    parts: list[Part] = Field(description="Parts.")
    said: dict[str, Any] = Field(description="Anything.")


def schema(view: type[View]) -> dict[str, Any]:
    return view.model_json_schema(mode="serialization")


def check(view: View) -> dict[str, Any]:
    """What it shows, which fits what the document says."""
    shown: dict[str, Any] = json.loads(dump_json(view))
    Draft202012Validator(schema(type(view))).validate(shown)
    assert json.loads(json.dumps(dump(view))) == shown
    assert dump_json(type(view).model_validate(shown)) == dump_json(view), "a client that reads it has the same"
    return shown


def test_a_field_is_null_or_missing_as_its_class_says() -> None:
    bare = Part.model_construct(name="a", size=None, why=None)
    full = Part.model_construct(name="a", size=1, why="b", url=None)
    assert check(Whole.model_construct(parts=[bare, full], said={"why": None})) == {
        "parts": [{"name": "a", "size": None}, {"name": "a", "size": 1, "why": "b", "url": None}],
        "said": {"why": None},
    }
    part = schema(Part)
    assert part["required"] == ["name", "size"]
    assert part["properties"]["why"]["type"] == "string" and "default" not in part["properties"]["why"]
    assert "additionalProperties" not in part, "fields may be added"


def test_half_of_a_surrogate_pair_does_not_fail_an_answer() -> None:
    half = Part.model_construct(name="a\ud800", size=None)
    line = dump_json(Whole.model_construct(parts=[half], said={"\udcff": "\udfff"}))
    assert line == b'{"parts":[{"name":"a\\ud800","size":null}],"said":{"\\udcff":"\\udfff"}}\n'


def test_a_problem_has_members_that_its_class_does_not_know() -> None:
    error = NotFound("no such job", hint="look")
    shown = check(problem.problem_view(error, {"job_status": "queued", "nothing": None}))
    assert (shown["code"], shown["hint"], shown["job_status"]) == ("not_found", "look", "queued")
    assert "nothing" not in shown and "errors" not in shown
    many = problem.problem_view(error, {}, [{"parameter": "limit", "detail": "is wrong"}] * 99)
    assert check(many)["errors"] == [{"parameter": "limit", "detail": "is wrong"}] * problem.MAX_ERRORS
    part = Part.model_construct(name="a", size=None)
    nested = with_members(problem.problem_view(error, {}), {"previous": part})
    assert json.loads(dump_json(nested))["previous"] == {"name": "a", "size": None}


@pytest.mark.parametrize("view", ANSWERS)
def test_every_field_is_explained(view: type[View]) -> None:
    found = schema(view)
    for one in (found, *found.get("$defs", {}).values()):
        assert "additionalProperties" not in one or view is problem.ProblemView
        lacking = [name for name, field in one.get("properties", {}).items() if not field.get("description")]
        assert not lacking, (one["title"], lacking)


async def test_answers_of_a_job_fit_their_schemas(world: World) -> None:
    made, found = await world.completed(brief=Brief(prompt="The sea"))
    live = Progress(scenes_done=1, scenes_total=2)
    look = JobLook(job=made, logs=[(0.0, "accepted")], queue_position=None, pause=None)
    for progress in (None, live):
        assert check(jobs.status_view(look, progress, now_s=0.0))["status"] == "completed"
    check(jobs.jobs_view([jobs.summary_view(made, None)], "next"))
    check(results.result_view(made, {role: f"http://x/{role}" for role in found.files}))
    await world.storyboards.save(made.id, board(placed=True))
    version = await world.storyboards.get(made.id)
    assert version is not None
    assert len(check(storyboard.storyboard_view(made, version, {}))["scenes"]) == 2
    check(storyboard.versions_view(made, await world.storyboards.versions(made.id)))


def test_a_prefetch_has_clips_and_no_video() -> None:
    clip = results.PrefetchedView.model_construct(query="sea", provider="pexels", id="1", asset="d" * 64)
    view = results.ResultView.model_construct(
        job_id="job_1", status="completed", kind="prefetch", clips=[clip], failed=[], finished_at=None, metadata={}
    )
    assert set(check(view)) == {"job_id", "status", "kind", "clips", "failed", "finished_at", "metadata"}


def test_the_others_fit_their_schemas() -> None:
    check(queue.queue_view(Pause(paused_at=0.0, reason=""), {"queued": 2}, 0))
    check(queue.pause_view(None))
    reuse = Reuse(reused=(Piece(kind="scene", scene=1),), rebuilt=(Piece(kind="card", scene=2),))
    assert check(storyboard.render_view("job_1", 3, reuse)) == {
        "job_id": "job_1", "status": "accepted", "message": "Version 3 will be rendered.", "version": 3,
        "segments": {"reused": [{"kind": "scene", "scene": 1}], "rebuilt": [{"kind": "card", "scene": 2}]},
    }  # fmt: skip
    check(jobs.accepted_view("job_1", "The job is accepted."))
    check(jobs.cancelled_view("job_1", "cancelled"))
    check(webhooks.redeliver_view("job_1", ["msg_1"]))
    outcome = Outcome(reason="HTTP 500", status=500, duration_ms=12)
    tested = SentEvent(outcome=outcome, headers={"webhook-id": "msg_1"}, body="{}", own_secret=True)
    assert not check(webhooks.tested_view(told_of("https://x.example/", tested)))["delivered"]
    check(catalogue.styles_view(STYLES.values(), "cinematic"))
    shown = check(health.readyz_view("1", health_of(Condition(ffmpeg_missing=False, lag_s=1))))
    assert shown["warnings"] == ["loop_lag"] and {one["code"] for one in shown["checks"]} > {"draining", "storage_full"}
    day = usage.UsageEntryView.model_construct(day="2026-11-25", calls=1, failed=0, tokens_in=0, tokens_out=0, cost=0.1)
    assert set(check(day)) == {"day", "calls", "failed", "tokens_in", "tokens_out", "cost"}
