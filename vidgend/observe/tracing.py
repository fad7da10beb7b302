"""Traces for OpenTelemetry: a request, the job that it began, the job's steps, and their calls to services.

Spans are made when the thing has ended; their ids are chosen when it begins, so that what it causes can name it. What
links a job to its request is in memory: after a restart a job begins a trace of its own. Settings are OpenTelemetry's
own variables (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER, ...).
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vidgend.observe import names
from vidgend.observer import JobEnd, Observer, ProviderCall, RequestEnd, StepEnd
from vidgend.pipeline.budget.port import JOB
from vidgend.request_context import REQUEST, Trace, new_trace

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

_log = logging.getLogger(__name__)
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
MOST_JOBS = 10_000
"""So many jobs remember the request that they came with."""
UNTRACED = frozenset({"/livez", "/readyz", "/metrics", "/mcp"})
"""Probes say nothing; the spans of `/mcp` are the protocol library's, which joins the trace of the tool's caller."""

_CHOSEN: ContextVar[Trace | None] = ContextVar("chosen ids", default=None)
_STEP: ContextVar[Trace | None] = ContextVar("step", default=None)


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether somebody has said where traces go."""
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none"
    return not off and any(environ.get(name) for name in _ENDPOINTS)


def build_tracing(environ: Mapping[str, str], version: str, exporter: SpanExporter | None = None) -> Tracing | None:
    """None where no traces are wanted, or the extra `otel` is not installed."""
    if exporter is None and not wanted(environ):
        return None
    try:
        from opentelemetry import trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
        from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator

        if exporter is None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError:
        _log.warning("tracing_not_installed", extra={"hint": 'pip install "vidgend[otel]"'})
        return None

    class ChosenIds(IdGenerator):
        """The ids that were chosen when the thing began."""

        def __init__(self) -> None:
            self._random = RandomIdGenerator()

        def generate_span_id(self) -> int:
            chosen = _CHOSEN.get()
            return int(chosen.span_id, 16) if chosen else self._random.generate_span_id()

        def generate_trace_id(self) -> int:
            chosen = _CHOSEN.get()
            return int(chosen.trace_id, 16) if chosen else self._random.generate_trace_id()

    name = environ.get("OTEL_SERVICE_NAME") or "vidgend"
    resource = Resource.create({"service.name": name, "service.version": version})
    provider = TracerProvider(resource=resource, id_generator=ChosenIds(), shutdown_on_exit=False)
    processor = BatchSpanProcessor(OTLPSpanExporter()) if exporter is None else SimpleSpanProcessor(exporter)
    provider.add_span_processor(processor)
    if exporter is None:
        trace.set_tracer_provider(provider)  # what other libraries say of themselves goes the same way
    return Tracing(provider, version)


class Tracing(Observer):
    """Call `close` at the end; it sends what is left."""

    tracing = True

    def __init__(self, provider: TracerProvider, version: str, clock: Callable[[], int] = time.time_ns) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("vidgend", version)
        self._clock = clock
        self._requests: OrderedDict[str, Trace] = OrderedDict()
        """By job, the request that it came with."""
        self._jobs: dict[str, Trace] = {}
        self._steps: dict[str, Trace] = {}

    def close(self) -> None:
        """Blocking."""
        self._provider.shutdown()

    def _decided(self, trace: Trace) -> Trace:
        """Whether the sampler will keep the root, so that what is below it is kept or left out with it."""
        if trace.parent_id:
            return trace
        from opentelemetry.sdk.trace.sampling import Decision

        decision = self._provider.sampler.should_sample(None, int(trace.trace_id, 16), "vidgend").decision
        return replace(trace, sampled=decision is Decision.RECORD_AND_SAMPLE)

    def request_ended(self, end: RequestEnd) -> None:
        if end.trace is None or end.route in UNTRACED:
            return
        route = end.route or names.OTHER
        about: dict[str, Any] = {"http.request.method": end.method, "http.route": route}
        if end.status:
            about["http.response.status_code"] = end.status
        self._span(
            f"{names.method(end.method)} {route}", end.trace, end.seconds, about, kind="SERVER",
            failed=end.status >= 500 or not end.status,
        )  # fmt: skip

    def job_accepted(self, job_id: str, kind: str) -> None:
        request = REQUEST.get()
        if request is None or request.trace is None:
            return
        self._requests[job_id] = self._decided(request.trace)
        while len(self._requests) > MOST_JOBS:
            self._requests.popitem(last=False)

    def job_began(self, job_id: str) -> None:
        above = self._requests.get(job_id)
        self._jobs[job_id] = self._decided(new_trace()) if above is None else _below(above)

    def job_ended(self, end: JobEnd) -> None:
        trace = self._jobs.pop(end.job_id, None) or new_trace()
        if end.state in ("completed", "failed", "cancelled"):
            self._requests.pop(end.job_id, None)
        about: dict[str, Any] = {
            "vidgend.job.id": end.job_id, "vidgend.job.kind": end.kind, "vidgend.job.state": end.state,
            "vidgend.job.attempt": end.attempt, "vidgend.steps.run": end.steps_run,
            "vidgend.steps.found": end.steps_found,
        }  # fmt: skip
        if end.code:
            about["error.type"] = end.code
        self._span(f"job {end.kind}", trace, end.seconds, about, failed=end.state == "failed")

    def step_began(self, key: str) -> None:
        trace = self._steps.get(key)  # a second attempt is the same step
        if trace is None:
            trace = self._steps[key] = _below(self._jobs.get(JOB.get()))
        _STEP.set(trace)

    def step_ended(self, end: StepEnd) -> None:
        trace = self._steps.pop(end.key, None)
        if trace is None:
            if end.job_id not in self._jobs:
                return
            trace = _below(self._jobs[end.job_id])
        about: dict[str, Any] = {
            "vidgend.step.kind": end.kind, "vidgend.step.key": end.key[:12], "vidgend.step.outcome": end.outcome,
            "vidgend.step.attempt": end.attempt, "vidgend.slot": end.label, "vidgend.slot.wait_s": end.waited_s,
        }  # fmt: skip
        if end.code:
            about["error.type"] = end.code
        if end.frames:
            about |= {"vidgend.encoder": end.encoder, "vidgend.frames": end.frames}
        self._span(f"step {end.kind}", trace, end.seconds, about, failed=end.outcome == "failed")

    def provider_called(self, call: ProviderCall) -> None:
        about: dict[str, Any] = {"peer.service": call.service, "vidgend.operation": call.operation}
        if call.status is not None:
            about["http.response.status_code"] = call.status
        if call.tokens_in or call.tokens_out:
            about |= {"gen_ai.usage.input_tokens": call.tokens_in, "gen_ai.usage.output_tokens": call.tokens_out}
        trace = _below(_STEP.get() or self._jobs.get(JOB.get()))
        failed = call.status is None or call.status >= 400
        self._span(f"{call.service} {call.operation}", trace, call.seconds, about, kind="CLIENT", failed=failed)

    def _span(
        self,
        name: str,
        trace: Trace,
        seconds: float,
        about: Mapping[str, Any],
        *,
        kind: str = "INTERNAL",
        failed: bool = False,
    ) -> None:
        from opentelemetry import trace as otel
        from opentelemetry.context import Context

        context = Context()
        if trace.parent_id:
            parent = otel.SpanContext(
                int(trace.trace_id, 16), int(trace.parent_id, 16), is_remote=True,
                trace_flags=otel.TraceFlags(otel.TraceFlags.SAMPLED if trace.sampled else otel.TraceFlags.DEFAULT),
            )  # fmt: skip
            context = otel.set_span_in_context(otel.NonRecordingSpan(parent), context)
        now = self._clock()
        chosen = _CHOSEN.set(trace)
        try:
            span = self._tracer.start_span(
                name, context, kind=otel.SpanKind[kind], attributes=dict(about), start_time=now - round(seconds * 1e9)
            )
        finally:
            _CHOSEN.reset(chosen)
        if failed:
            span.set_status(otel.StatusCode.ERROR)
        span.end(now)


def _below(above: Trace | None) -> Trace:
    """A place in the trace of what causes it, or in one of its own."""
    fresh = new_trace()
    if above is None:
        return fresh
    return replace(fresh, trace_id=above.trace_id, parent_id=above.span_id, sampled=above.sampled)
