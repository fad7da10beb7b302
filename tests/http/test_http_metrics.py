"""/metrics, and what requests leave behind: counts, log lines, ids."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from observe.scraped import looked_up, read, value
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from standins.services_standin import World

from vidgend.http.problems import NotReady
from vidgend.observe.metrics import Metrics
from vidgend.observe.scrape import Scrape
from vidgend.observe.tracing import build_tracing
from vidgend.observer import Observers

Client = TestClient[Any, Any]
Connect = Callable[..., Awaitable[Client]]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1.2.3")


@pytest.fixture
async def measured(world: World, metrics: Metrics) -> World:
    scrape = Scrape(registry=metrics.registry, looked_up=looked_up(world.database, world.folder))
    return world.with_services(observer=metrics, scrape=scrape)


@pytest.fixture
async def client(measured: World, connect: Connect) -> Client:
    return await connect(measured)


async def test_prometheus_gets_what_it_asks_for(client: Client) -> None:
    answer = await client.get("/metrics", headers={"Accept": "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"})
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=")
    assert value(read(await answer.read()), "vidgend_ready") == 1
    answer = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert (await answer.read()).endswith(b"# EOF\n")
    assert value(read(await answer.read(), open_metrics=True), "vidgend_jobs", state="queued") == 0
    assert (await client.head("/metrics")).status == 200


async def test_what_is_not_measured_is_not_found(world: World, connect: Connect) -> None:
    answer = await (await connect(world)).get("/metrics")
    assert answer.status == 404


async def test_readiness_is_measured_too(client: Client, measured: World) -> None:
    measured.worker.draining = True
    assert value(read(await (await client.get("/metrics")).read()), "vidgend_ready") == 0


async def test_five_ids_are_one_series(client: Client, metrics: Metrics) -> None:
    for number in range(5):
        await client.get(f"/mcp/status/job_{number}")
        await client.get(f"/no/such/{number}")
        await client.request("PROPFIND", f"/mcp/{number}")
    get = metrics.registry.get_sample_value
    assert get("vidgend_http_requests_total", {"route": "/mcp/status/{job_id}", "method": "GET", "status": "4xx"}) == 5
    assert get("vidgend_http_requests_total", {"route": "other", "method": "GET", "status": "4xx"}) == 5
    assert get("vidgend_http_requests_total", {"route": "other", "method": "other", "status": "4xx"}) == 5
    assert get("vidgend_http_request_duration_seconds_count", {"route": "/mcp/status/{job_id}"}) == 5
    assert get("vidgend_http_requests_in_flight", {"route": "/mcp/status/{job_id}"}) == 0


async def test_no_text_of_a_user_becomes_a_label(client: Client) -> None:
    evil = 'evil_w0rd"} x{a="'
    await client.post(
        "/mcp/generate",
        json={"prompt": evil, "voice": evil, "style": evil, "metadata": {evil: evil}, "callback_url": f"http://{evil}"},
        headers={"Idempotency-Key": evil, "X-Request-Id": evil, "User-Agent": evil, "traceparent": evil},
    )
    await client.post("/mcp/generate", json={"prompt": evil, "metadata": {"evil_w0rd": evil}})
    await client.get("/mcp/status/evil_w0rd", params={"evil_w0rd": evil})
    await client.get("/evil_w0rd/evil_w0rd")
    page = await (await client.get("/metrics")).text()
    assert "evil_w0rd" not in page


async def test_one_line_tells_everything_of_a_request(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="vidgend")
    await client.get("/mcp/status/job_1?sig=abc", headers={"X-Request-Id": "mine"})
    line = next(record.__dict__ for record in caplog.records if record.getMessage() == "request")
    expected = {"request_id": "mine", "method": "GET", "route": "/mcp/status/{job_id}", "status": 422, "owner": ""}
    assert expected.items() <= line.items() and line["ms"] >= 0 and line["client"] == "127.0.0.1"
    assert "key_id" in line and "abc" not in json.dumps({name: str(value) for name, value in line.items()})


async def test_a_failure_is_answered_with_the_id_under_which_the_log_has_it(client: Client, measured: World) -> None:
    measured.worker.draining = True
    answer = await client.get("/readyz", headers={"X-Request-Id": "mine"})
    body = await answer.json(content_type=None)
    assert (body["code"], body["request_id"], answer.headers["X-Request-Id"]) == (NotReady.code, "mine", "mine")
    answer = await client.get("/mcp/status/job_1")
    assert "request_id" not in await answer.json(content_type=None)


async def test_what_a_request_causes_has_its_id(
    client: Client, measured: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vidgend.request_context import REQUEST

    seen = []

    async def counts() -> dict[str, int]:
        def look() -> None:
            context = REQUEST.get()
            seen.append(context.request_id if context else None)

        await asyncio.gather(asyncio.to_thread(look), asyncio.create_task(asyncio.to_thread(look)))
        return {}

    monkeypatch.setattr(measured.jobs, "counts", counts)
    await client.get("/readyz", headers={"X-Request-Id": "mine"})
    assert seen == ["mine", "mine"]
    assert REQUEST.get() is None


async def test_a_request_joins_the_trace_of_its_sender(world: World, connect: Connect, metrics: Metrics) -> None:
    exporter = InMemorySpanExporter()
    tracing = build_tracing({}, "1", exporter)
    assert tracing is not None
    client = await connect(world.with_services(observer=Observers(metrics, tracing)))
    trace_id, parent_id = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    await client.get("/mcp/jobs", headers={"traceparent": f"00-{trace_id}-{parent_id}-01"})
    await client.get("/mcp/styles")
    joined, own = exporter.get_finished_spans()
    assert (joined.name, f"{joined.context.trace_id:032x}") == ("GET /mcp/jobs", trace_id)
    assert joined.parent is not None and f"{joined.parent.span_id:016x}" == parent_id
    assert own.parent is None and own.attributes["http.response.status_code"] == 200


async def test_ready_says_of_each_thing_how_it_is(client: Client, measured: World) -> None:
    body = await (await client.get("/readyz")).json()
    assert body["warnings"] == [] and {check["state"] for check in body["checks"]} == {"ok"}
    measured.worker.space = False
    body = await (await client.get("/readyz")).json(content_type=None)
    assert body["reasons"] == ["storage_full"]
    check = next(one for one in body["checks"] if one["code"] == "storage_full")
    assert check["state"] == "failed" and check["values"]["lacking_bytes"] == 5_000_000 and check["hint"]
    measured.worker.space = True
    await measured.jobs.pause("for a new disk")
    answer = await client.get("/readyz")
    body = await answer.json()
    assert answer.status == 200 and body["warnings"] == ["queue_paused"]
    assert "new disk" not in json.dumps(body), "a probe is open to everybody"


DOCUMENTED = Path(__file__).parents[2] / "docs" / "monitoring.md"


async def test_the_page_of_metrics_names_each_and_no_other(client: Client) -> None:
    families = read(
        await (await client.get("/metrics", headers={"Accept": "application/openmetrics-text"})).read(),
        open_metrics=True,
    )
    rows = dict(re.findall(r"^\| `(vidgend_\w+)` \| (\w+) \|", DOCUMENTED.read_text(), re.M))
    kinds = {f"{name}_total" if family.type == "counter" else name: family.type for name, family in families.items()}
    assert rows == kinds


async def test_a_stream_is_counted_while_it_is_open_and_its_length_is_no_answer_time(
    client: Client, measured: World, metrics: Metrics
) -> None:
    job = await measured.running()
    route = {"route": "/mcp/events/{job_id}"}
    get = metrics.registry.get_sample_value
    async with client.get(f"/mcp/events/{job.id}") as answer:
        assert answer.status == 200 and answer.content_type == "text/event-stream"
        await answer.content.readany()
        assert get("vidgend_http_requests_in_flight", route) == 1
        await measured.jobs.finish_cancel(job.id)
        await answer.content.read()
    await asyncio.sleep(0.05)
    assert get("vidgend_http_requests_in_flight", route) == 0
    assert get("vidgend_http_requests_total", {**route, "method": "GET", "status": "2xx"}) == 1
    assert get("vidgend_http_request_duration_seconds_count", route) == 0
