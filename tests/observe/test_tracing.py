from __future__ import annotations

import asyncio
import itertools
import time

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from vidgend.observe.tracing import Tracing, build_tracing, wanted
from vidgend.observer import JobEnd, ProviderCall, RequestEnd, StepEnd
from vidgend.pipeline.budget.port import JOB
from vidgend.request_context import REQUEST, RequestContext, Trace, new_trace, trace_of

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracing(exporter: InMemorySpanExporter) -> Tracing:
    tracing = build_tracing({}, "1.2.3", exporter)
    assert tracing is not None
    return tracing


def end_of_job(**more: object) -> JobEnd:
    usual: dict[str, object] = {
        "job_id": "job_1", "kind": "video", "state": "completed", "seconds": 2.0, "waited_s": 0.0, "attempt": 1,
        "steps_run": 1, "steps_found": 0,
    }  # fmt: skip
    return JobEnd(**(usual | more))  # type: ignore[arg-type]


async def request(tracing: Tracing, trace: Trace | None) -> None:
    """One that begins job_1, in a context of its own."""

    async def answer() -> None:
        REQUEST.set(RequestContext(request_id="r", trace=trace))
        tracing.job_accepted("job_1", "video")
        tracing.request_ended(RequestEnd(route="/mcp/generate", method="POST", status=202, seconds=0.01, trace=trace))

    await asyncio.create_task(answer())


async def run(tracing: Tracing) -> None:
    """job_1 with one step that asks a service."""
    tracing.job_began("job_1")

    async def work() -> None:
        JOB.set("job_1")
        tracing.step_began("key")
        tracing.provider_called(ProviderCall(service="pexels", operation="video_search", status=401, seconds=0.1))

    await asyncio.create_task(work())
    tracing.step_ended(
        StepEnd(key="key", kind="search", label="search", job_id="job_1", outcome="failed", code="x", seconds=1.0)
    )
    tracing.job_ended(end_of_job())


def by_name(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


async def test_a_job_goes_on_with_the_trace_of_the_request_that_sent_it(
    tracing: Tracing, exporter: InMemorySpanExporter
) -> None:
    await request(tracing, trace_of(TRACEPARENT))
    await run(tracing)
    spans = by_name(exporter)
    assert set(spans) == {"POST /mcp/generate", "job video", "step search", "pexels video_search"}
    assert {f"{span.context.trace_id:032x}" for span in spans.values()} == {TRACEPARENT[3:35]}
    chain = ["POST /mcp/generate", "job video", "step search", "pexels video_search"]
    assert f"{spans[chain[0]].parent.span_id:016x}" == TRACEPARENT[36:52]
    for above, below in itertools.pairwise(chain):
        assert spans[below].parent.span_id == spans[above].context.span_id
    failed = {name for name, span in spans.items() if not span.status.is_ok and span.status.status_code.name == "ERROR"}
    assert failed == {"step search", "pexels video_search"}
    step = spans["step search"]
    assert step.end_time - step.start_time == pytest.approx(1e9, rel=1e-6)
    assert abs(step.end_time - time.time_ns()) < 10e9
    assert step.attributes["error.type"] == "x"


async def test_a_job_without_a_request_has_a_trace_of_its_own(tracing: Tracing, exporter: InMemorySpanExporter) -> None:
    await run(tracing)
    spans = by_name(exporter)
    assert spans["job video"].parent is None
    assert len({span.context.trace_id for span in spans.values()}) == 1


async def test_who_is_not_to_be_sampled_is_not(tracing: Tracing, exporter: InMemorySpanExporter) -> None:
    await request(tracing, trace_of(TRACEPARENT[:-2] + "00"))
    await run(tracing)
    assert exporter.get_finished_spans() == ()


async def test_the_sampler_keeps_a_trace_whole_or_leaves_all_of_it_out(
    exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    tracing = build_tracing({}, "1", exporter)
    assert tracing is not None
    counts = []
    for _ in range(40):
        await request(tracing, new_trace())
        await run(tracing)
        counts.append(len(exporter.get_finished_spans()))
        exporter.clear()
    assert set(counts) == {0, 4}


async def test_probes_and_mcp_have_no_span_of_ours(tracing: Tracing, exporter: InMemorySpanExporter) -> None:
    for route in ("/livez", "/readyz", "/metrics", "/mcp"):
        tracing.request_ended(RequestEnd(route=route, method="GET", status=200, seconds=0.1, trace=new_trace()))
    assert exporter.get_finished_spans() == ()


async def test_nothing_is_kept_of_what_has_ended(tracing: Tracing) -> None:
    for _ in range(50):
        await request(tracing, new_trace())
        await run(tracing)
    assert not tracing._jobs and not tracing._steps and not tracing._requests


def test_it_is_on_only_where_an_endpoint_is_named() -> None:
    assert not wanted({})
    assert wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})
    assert not wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"})
    assert build_tracing({}, "1") is None


@pytest.mark.parametrize(
    "header",
    [
        "", "00", "zz-" + TRACEPARENT[3:], "ff" + TRACEPARENT[2:], TRACEPARENT + "-more", "00-" + "0" * 32 + TRACEPARENT[35:],
        TRACEPARENT[:36] + "0" * 16 + "-01", TRACEPARENT.upper(), "x" * 10_000, TRACEPARENT[:-1] + "\n",
    ],
)  # fmt: skip
def test_a_header_that_is_none_is_not_believed(header: str) -> None:
    assert trace_of(header) is None


def test_a_later_version_may_say_more() -> None:
    trace = trace_of("01" + TRACEPARENT[2:] + "-more")
    assert trace is not None and trace.parent_id == TRACEPARENT[36:52] and trace.sampled
