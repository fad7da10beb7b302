"""What happens, counted for Prometheus. What is rather looked up when somebody asks is in `looked_up.py`."""

from __future__ import annotations

from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from vidgend.models import TERMINAL_STATES
from vidgend.observe import names
from vidgend.observer import Commit, JobEnd, Observer, ProviderCall, RequestEnd, StepEnd

_JOB_KINDS = ("video", "prefetch")
_HTTP_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_CALL_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
_STEP_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
_WAIT_S = (0.01, 0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0)
_JOB_S = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 7200.0)
_DB_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5)
_LAG_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_SPEEDS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
_Route = tuple[Gauge, Histogram, dict[tuple[str, str], Counter]]


class Metrics(Observer):
    """Everything in a registry of its own, so that two vidgends in one process do not mix."""

    def __init__(self, version: str) -> None:
        self.registry = registry = CollectorRegistry(auto_describe=True)
        self._kinds, self._labels, self._codes, self._routes = (
            names.Words(),
            names.Words(),
            names.Words(),
            names.routes(),
        )
        self._states = names.Words()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"vidgend_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"vidgend_{name}", text, labels, buckets=buckets, registry=registry)

        build = Gauge("vidgend_build_info", "Which vidgend this is; the value is 1.", ("version",), registry=registry)
        build.labels(version).set(1)

        self._requests = counter("http_requests", "Requests that were answered.", "route", "method", "status")
        self._request_s = histogram(
            "http_request_duration_seconds", "Seconds from a request to the end of its answer; streams not included.",
            _HTTP_S, "route",
        )  # fmt: skip
        self._in_flight = Gauge(
            "vidgend_http_requests_in_flight", "Requests that are being answered, open event streams included.",
            ("route",), registry=registry,
        )  # fmt: skip

        self._by_route: dict[str, _Route] = {}

        self._accepted = counter("jobs_accepted", "Jobs that were accepted.", "kind")
        self._job_ends = counter(
            "jobs_ended",
            "Runs of jobs that came to an end, by what they came to and the code of their error (empty: none).",
            "kind", "state", "code",
        )  # fmt: skip
        self._job_s = histogram("job_run_seconds", "Seconds of one run of a job.", _JOB_S, "kind", "state")
        for kind, state in product(_JOB_KINDS, TERMINAL_STATES):
            self._job_s.labels(self._kinds(kind), self._states(state))  # from the start, as those of the webhooks are
        self._video_s = counter("video_seconds", "Seconds of video that were made.")

        self._step_ends = counter("steps", "Steps that came to an end, by outcome.", "kind", "outcome")
        self._step_s = histogram("step_duration_seconds", "Seconds that steps ran.", _STEP_S, "kind", "outcome")
        self._cache_hits = counter("steps_found", "Steps that were found done (cache hits).")
        self._cache_misses = counter("steps_run", "Steps that had to be run (cache misses).")
        self._slot_wait_s = histogram(
            "slot_wait_seconds", "Seconds that steps waited for their slot.", _WAIT_S, "label"
        )
        self._frames = counter("encoded_frames", "Frames that were encoded.", "encoder")
        self._encode_s = counter("encode_seconds", "Seconds that encodes ran.", "encoder")
        self._speed = histogram(
            "encode_realtime_ratio", "Seconds of video that an encode makes in a second.", _SPEEDS, "encoder"
        )

        self._calls = counter(
            "provider_calls", "Requests to services, by the class of the status.", "service", "status"
        )
        self._call_s = histogram("provider_call_seconds", "Seconds until a service answered.", _CALL_S, "service")
        self._tokens = counter("llm_tokens", "Tokens that language models read and wrote.", "direction")
        self._cost = counter("provider_cost", "What services have cost, in usage.currency.", "service")

        self._webhooks = counter("webhook_attempts", "Attempts to deliver a webhook.", "outcome")
        for outcome in (
            "delivered",
            "failed",
            "given_up",
        ):  # there from the start, so that the first one is an increase
            self._webhooks.labels(self._states(outcome))
        self._webhook_s = histogram("webhook_attempt_seconds", "Seconds that an attempt took.", _CALL_S)

        self._db_wait_s = histogram("db_write_wait_seconds", "Seconds that a write waited for the writer.", _DB_S)
        self._db_run_s = histogram("db_transaction_seconds", "Seconds that the statements of a commit took.", _DB_S)
        self._db_commit_s = histogram("db_commit_seconds", "Seconds that COMMIT took, the sync included.", _DB_S)
        self._db_read_s = histogram("db_read_seconds", "Seconds of a read, the wait for the reader included.", _DB_S)
        self._db_writes = counter("db_transactions", "Transactions that were committed.")
        self._db_failures = counter("db_io_errors", "Commits that failed with an I/O error.")

        self._lag_s = histogram("event_loop_lag_seconds", "How late the event loop runs what is due.", _LAG_S)

    # --- HTTP

    def request_began(self, route: str, method: str) -> None:
        self._of_route(route)[0].inc()

    def request_ended(self, end: RequestEnd) -> None:
        in_flight, seconds, by_status = self._of_route(end.route)
        in_flight.dec()
        what = names.method(end.method), names.status_class(end.status or None)
        counted = by_status.get(what)
        if counted is None:
            counted = by_status[what] = self._requests.labels(self._routes(end.route), *what)
        counted.inc()
        if not end.stream:
            seconds.observe(end.seconds)

    def _of_route(self, route: str) -> _Route:
        """Looked up once: finding a series by its labels costs more than counting does."""
        route = self._routes(route)
        found = self._by_route.get(route)
        if found is None:
            found = self._by_route[route] = (self._in_flight.labels(route), self._request_s.labels(route), {})
        return found

    # --- jobs and steps

    def job_accepted(self, job_id: str, kind: str) -> None:
        self._accepted.labels(self._kinds(kind)).inc()

    def job_ended(self, end: JobEnd) -> None:
        kind, state = self._kinds(end.kind), self._states(end.state)
        self._job_ends.labels(kind, state, self._codes(end.code) if end.code else "").inc()
        self._job_s.labels(kind, state).observe(end.seconds)
        if end.video_s:
            self._video_s.inc(end.video_s)

    def step_ended(self, end: StepEnd) -> None:
        kind, outcome = self._kinds(end.kind), self._states(end.outcome)
        self._step_ends.labels(kind, outcome).inc()
        if end.outcome == "found":
            self._cache_hits.inc()
            return
        self._cache_misses.inc()
        self._step_s.labels(kind, outcome).observe(end.seconds)
        self._slot_wait_s.labels(self._labels(end.label)).observe(end.waited_s)
        if end.frames and end.seconds > 0:
            encoder = names.encoder(end.encoder)
            self._frames.labels(encoder).inc(end.frames)
            self._encode_s.labels(encoder).inc(end.seconds)
            self._speed.labels(encoder).observe(end.frames / end.fps / end.seconds)

    # --- services and webhooks

    def provider_called(self, call: ProviderCall) -> None:
        service = names.service(call.service)
        self._calls.labels(service, names.status_class(call.status)).inc()
        self._call_s.labels(service).observe(call.seconds)
        if call.tokens_in or call.tokens_out:
            self._tokens.labels("in").inc(call.tokens_in)
            self._tokens.labels("out").inc(call.tokens_out)
        if call.cost > 0:
            self._cost.labels(service).inc(call.cost)

    def webhook_tried(self, outcome: str, seconds: float) -> None:
        self._webhooks.labels(self._states(outcome)).inc()
        self._webhook_s.observe(seconds)

    # --- the machine

    def committed(self, commit: Commit) -> None:
        self._db_writes.inc(commit.transactions)
        self._db_wait_s.observe(commit.waited_s)
        self._db_run_s.observe(commit.run_s)
        self._db_commit_s.observe(commit.commit_s)

    def commit_failed(self) -> None:
        self._db_failures.inc()

    def has_read(self, seconds: float) -> None:
        self._db_read_s.observe(seconds)

    def loop_lagged(self, seconds: float) -> None:
        self._lag_s.observe(seconds)
