"""A real job, watched."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from observe.scraped import read, value
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from workshop import SMALL, clips, fake_footage, make, result, workshop

from vidgend.observe.metrics import Metrics
from vidgend.observe.scrape import Scrape
from vidgend.observe.tracing import build_tracing
from vidgend.observer import Observers
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.request_context import REQUEST, RequestContext, new_trace

BODY: dict[str, Any] = {**SMALL, "script": "The sea is calm. A boat comes in."}


async def test_a_job_is_counted_told_and_traced(
    ffmpeg: Ffmpeg, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="vidgend")
    metrics, exporter = Metrics("1"), InMemorySpanExporter()
    tracing = build_tracing({}, "1", exporter)
    assert tracing is not None
    footage = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 4))
    async with workshop(tmp_path / "data", providers=(footage,), observer=Observers(metrics, tracing)) as runtime:
        trace = new_trace()
        REQUEST.set(RequestContext(request_id="mine", trace=trace))
        job = await make(runtime, **BODY)
        frames = round(result(job).duration_s * 30)
        REQUEST.set(None)
        again = await make(runtime, **BODY)
        scrape = Scrape(registry=metrics.registry, looked_up=runtime.looked_up())
        page, _ = await scrape("", True)

    seen = read(page)
    assert value(seen, "vidgend_jobs_ended_total", kind="video", state="completed", code="") == 2
    assert value(seen, "vidgend_jobs", state="completed") == 2
    assert value(seen, "vidgend_video_seconds_total") == pytest.approx(2 * result(job).duration_s)
    assert value(seen, "vidgend_encoded_frames_total", encoder="libx264") == frames
    assert value(seen, "vidgend_steps_total", kind="segment", outcome="done") >= 1
    assert value(seen, "vidgend_steps_total", kind="segment", outcome="found") >= 1
    assert value(seen, "vidgend_slots_used", label="ffmpeg") == 0 < value(seen, "vidgend_slots", label="ffmpeg")
    assert value(seen, "vidgend_slot_wait_seconds_count", label="ffmpeg") >= 1
    assert value(seen, "vidgend_assets_bytes") > value(seen, "vidgend_results_bytes") > 10_000

    first, second = (record.__dict__ for record in caplog.records if record.getMessage() == "job_ended")
    assert (first["job"], first["state"], first["code"], first["attempt"]) == (job.id, "completed", "", 1)
    assert first["steps_run"] > 5 and first["stages"]["rendering"] > 0 and first["seconds"] > 0 <= first["queued_s"]
    assert (second["job"], second["steps_run"]) == (again.id, 0) and second["steps_found"] > 5
    assert {record.__dict__["job"] for record in caplog.records if record.getMessage() == "step"} == {job.id}

    spans = [span for span in exporter.get_finished_spans() if f"{span.context.trace_id:032x}" == trace.trace_id]
    whole = next(span for span in spans if span.name == "job video")
    assert whole.parent is not None and f"{whole.parent.span_id:016x}" == trace.span_id
    steps = [span for span in spans if span.name.startswith("step ")]
    assert {"step segment", "step join"} <= {span.name for span in steps}
    assert {span.parent.span_id for span in steps if span.parent} == {whole.context.span_id}
    assert all(whole.start_time <= span.start_time + 10_000_000 and span.end_time <= whole.end_time for span in steps)


async def test_a_job_that_fails_says_why_once(ffmpeg: Ffmpeg, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics("1")
    caplog.set_level(logging.INFO, logger="vidgend")
    async with workshop(tmp_path / "data", providers=(), observer=metrics) as runtime:
        job = await make(runtime, **BODY)
    assert job.state == "failed" and job.error is not None
    line = next(record.__dict__ for record in caplog.records if record.getMessage() == "job_ended")
    assert (line["state"], line["code"], line["levelname"]) == ("failed", job.error.code, "WARNING")
    labels = {"kind": "video", "state": "failed", "code": job.error.code}
    assert metrics.registry.get_sample_value("vidgend_jobs_ended_total", labels) == 1
