"""No request, however odd, gives a 500 or stops the server."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidgend.http.wire import GenerateBody, PrefetchBody

Client = TestClient[Any, Any]
JSON = {"Content-Type": "application/json"}
POST = b"POST /mcp/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

TEXTS = st.text(max_size=30) | st.sampled_from(
    ["", " ", "p", "sea", "\x00", "\ud800", "\u202e", "16:9", "1920x1080", "30000/1001", "none", "en-US", "cinematic",
     "af_heart", "http://127.0.0.1/", "https://example.com/x", "http://[::1", "http://[fe80::1%25lo]/",
     "https://xn--/", "http://a:99999/"]
)  # fmt: skip
NUMBERS = (
    st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from([0, -1, 1, 30, 10**400, 1e308, -1e308, math.inf, math.nan])
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(TEXTS, below, max_size=4),
    max_leaves=8,
)


def bodies(*names: str) -> st.SearchStrategy[bytes]:
    fields = st.dictionaries(st.sampled_from([*names, "unknown"]), VALUES, max_size=5)
    likely = st.fixed_dictionaries(
        {"prompt": st.just("The sea")}, optional={name: VALUES for name in names if name != "prompt"}
    )
    as_json = (fields | likely | VALUES).map(lambda value: json.dumps(value).encode())
    return as_json | st.binary(max_size=60)


async def judge(answer: Any) -> None:
    if answer.status in (200, 202):
        return
    body = await answer.json(content_type="application/problem+json")
    assert 400 <= answer.status < 500, body
    assert body["status"] == answer.status and body["code"] and body["detail"]


@FUZZ
@given(raw=bodies(*GenerateBody.model_fields))
async def test_no_generate_body_gives_a_server_error(client: Client, raw: bytes) -> None:
    await judge(await client.post("/mcp/generate", data=raw, headers=JSON))


@FUZZ
@given(raw=bodies(*PrefetchBody.model_fields))
async def test_no_prefetch_body_gives_a_server_error(client: Client, raw: bytes) -> None:
    await judge(await client.post("/mcp/prefetch", data=raw, headers=JSON))


@FUZZ
@given(raw=bodies("reason", "webhook_id"))
async def test_no_optional_body_gives_a_server_error(client: Client, raw: bytes) -> None:
    for path in ("/mcp/pause", "/mcp/webhooks/job_1/redeliver"):
        await judge(await client.post(path, data=raw, headers=JSON))


@FUZZ
@given(metadata=st.dictionaries(TEXTS, VALUES, max_size=4))
async def test_metadata_comes_back_as_it_was_sent_or_is_refused(client: Client, metadata: dict[str, Any]) -> None:
    raw = json.dumps({"prompt": "p", "metadata": metadata}).encode()
    answer = await client.post("/mcp/generate", data=raw, headers=JSON)
    await judge(answer)
    if answer.status == 202:
        job_id = (await answer.json())["job_id"]
        status = await client.get(f"/mcp/status/{job_id}")
        assert (await status.json())["metadata"] == json.loads(json.dumps(metadata))


QUERIES = st.text("abz019=&%+;ÿ \x00?#/-_", max_size=30)


@FUZZ
@given(
    path=st.sampled_from(
        ["/mcp/jobs", "/mcp/status/", "/mcp/storyboard/", "/mcp/assets/", "/mcp/result/", "/", "//", "/livez"]
    ),
    rest=st.binary(max_size=12),
    query=QUERIES,
)
async def test_no_path_or_query_gives_a_server_error(client: Client, path: str, rest: bytes, query: str) -> None:
    """Straight onto the socket: a client library would mend what is odd."""
    tail = b"".join(b"%%%02x" % byte if byte % 3 else bytes([byte]) for byte in rest)
    tail = tail.translate(None, b" \r\n\0") + b"?" + query.encode().translate(None, b" \r\n\0")
    status, _ = await raw_request(client, b"GET " + path.encode() + tail + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert 200 <= status < 500


@pytest.mark.parametrize(
    "head",
    [
        b"GET /mcp/jobs?%ff=%zz&limit=%e2%82 HTTP/1.1\r\nHost: localhost\r\n",
        b"GET http://localhost/mcp/jobs HTTP/1.1\r\nHost: localhost\r\n",
        b"GET http://evil.example/mcp/jobs HTTP/1.1\r\nHost: localhost\r\n",
        b"GET //mcp/jobs HTTP/1.1\r\nHost: localhost\r\n",
        b"GET /mcp/../mcp/jobs HTTP/1.1\r\nHost: localhost\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n",
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n",
        b"GET /mcp/jobs HTTP/1.0\r\n",
        b"GET /mcp/jobs HTTP/1.1\r\nHost: \xff\xfe\r\n",
        b"GET /mcp/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \xff\r\n",
        b"GET /mcp/jobs HTTP/1.1\r\nHost: localhost\r\nOrigin: http://\xff\r\n",
        b"GET /mcp/jobs HTTP/1.1\r\nHost: localhost\r\nCookie: \xff=\x01; a\r\n",
        b"GET /mcp/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
        POST + b"application/json; charset=\xff\r\nContent-Length: 0\r\n",
        POST + b";;;\r\nContent-Length: 0\r\n",
        POST + b"application/json\r\nContent-Length: -1\r\n",
        POST + b"application/json\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        POST + b"application/json\r\nContent-Encoding: zip\r\nContent-Length: 0\r\n",
        b"GET /mcp/jobs HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 20_000 + b"\r\n",
        b"GET /" + b"y" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n",
        b"nonsense\r\n",
    ],
)  # fmt: skip
async def test_no_odd_head_gives_a_server_error(client: Client, head: bytes) -> None:
    status, _ = await raw_request(client, head + b"\r\n")
    assert 200 <= status < 500
    assert (await client.get("/livez")).status == 200


async def raw_request(client: Client, request: bytes) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    try:
        writer.write(request)
        line = await asyncio.wait_for(reader.readline(), 5)
        assert line.startswith(b"HTTP/1."), line
        return int(line.split()[1]), line
    finally:
        writer.close()
