"""Every refusal is a documented problem. The cases of single fields are in test_http_generate.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from standins.services_standin import World

from vidgend import errors
from vidgend.errors import ProviderRateLimited, VidgendError
from vidgend.http.problems import HTTP_ERRORS, problem

Client = TestClient[Any, Any]
DOCS = Path(__file__).parents[2] / "docs" / "errors.md"
OUTSIDE_THE_TREE = {"crash_loop"}
"""Given to a job by the store: nobody raises it."""


def tree(root: type[VidgendError]) -> Iterator[type[VidgendError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


def documented() -> dict[str, str]:
    sections = re.split(r"^### ", DOCS.read_text(), flags=re.MULTILINE)[1:]
    return {section.split("\n", 1)[0].strip(): section.split("\n", 1)[1] for section in sections}


def test_every_code_is_documented_and_nothing_else() -> None:
    ours = {error.code for error in tree(VidgendError) if error.__module__.startswith("vidgend.")}
    assert set(documented()) == ours | OUTSIDE_THE_TREE


def test_the_documented_status_is_the_real_one() -> None:
    told = {code: int(match[0]) for code, text in documented().items() if (match := re.match(r"\d{3}\b", text))}
    real = {error.code: error.status for error in tree(VidgendError)}
    assert told == {code: real[code] for code in told}
    assert {error.code for error in HTTP_ERRORS} <= set(told)


def test_every_code_has_a_cure() -> None:
    assert [code for code, text in documented().items() if "Cure: " not in text] == []


def test_the_tree_that_is_drawn_is_the_tree_that_there_is() -> None:
    drawn = re.findall(r"── (\w+) *(\w*)", errors.__doc__ or "")
    real = {error.__name__: error.code for error in tree(VidgendError) if error.__module__ == errors.__name__}
    del real["VidgendError"]
    assert [name for name, _ in drawn] == list(dict.fromkeys(name for name, _ in drawn))
    assert {name for name, _ in drawn} == set(real)
    assert {name: code for name, code in drawn if "_" in code} == {
        name: code for name, code in real.items() if "_" in code and (name, code) in drawn
    }


CASES: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/", {}, 404, "not_found"),
    ("GET", "/mcp", {}, 404, "not_found"),
    ("POST", "/mcp/nonsense", {}, 404, "not_found"),
    ("GET", "/mcp/generate", {}, 405, "method_not_allowed"),
    ("DELETE", "/mcp/jobs", {}, 405, "method_not_allowed"),
    ("OPTIONS", "/mcp/generate", {}, 405, "method_not_allowed"),
    ("PATCH", "/mcp/jobs", {}, 405, "method_not_allowed"),
    ("POST", "/mcp/generate", {}, 415, "unsupported_media_type"),
    ("POST", "/mcp/prefetch", {"data": b"a=1"}, 415, "unsupported_media_type"),
    ("POST", "/mcp/generate", {"json": []}, 400, "bad_json"),
    ("POST", "/mcp/generate", {"json": {}}, 422, "prompt_empty"),
    ("POST", "/mcp/generate", {"json": {"x": 1}}, 422, "invalid_request"),
    ("GET", "/mcp/status/job_1", {}, 404, "not_found"),
    ("GET", "/mcp/result/job_1", {}, 404, "not_found"),
    ("GET", "/mcp/storyboard/job_1", {}, 404, "not_found"),
    ("POST", "/mcp/cancel/job_1", {}, 404, "not_found"),
    ("POST", "/mcp/retry/job_1", {}, 404, "not_found"),
    ("DELETE", "/mcp/jobs/job_1", {}, 404, "not_found"),
    ("GET", "/mcp/webhooks/job_1", {}, 404, "not_found"),
    ("POST", "/mcp/webhooks/job_1/redeliver", {}, 404, "not_found"),
    ("POST", "/mcp/webhooks/job_1/redeliver", {"json": {"id": "x"}}, 422, "invalid_request"),
    ("POST", "/mcp/pause", {"data": b"reason=x"}, 415, "unsupported_media_type"),
    ("POST", "/mcp/pause", {"json": {"reason": "x" * 501}}, 422, "invalid_request"),
    ("GET", "/mcp/queue?x=1", {}, 422, "invalid_request"),
    ("GET", "/mcp/assets/0", {}, 404, "not_found"),
    ("GET", "/mcp/jobs?limit=x", {}, 422, "invalid_request"),
    ("GET", "/livez", {"headers": {"Host": "evil"}}, 421, "host_not_allowed"),
    ("GET", "/livez", {"headers": {"Origin": "http://evil"}}, 403, "origin_not_allowed"),
    ("GET", "/mcp/jobs", {"headers": {"Expect": "a miracle"}}, 417, "expectation_failed"),
]


@pytest.mark.parametrize(("method", "path", "request_", "status", "code"), CASES)
async def test_every_refusal_is_a_problem_with_the_documented_members(
    client: Client, method: str, path: str, request_: dict[str, Any], status: int, code: str
) -> None:
    answer = await client.request(method, path, **request_)
    body = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["status"], body["code"]) == (status, status, code)
    assert body["type"] == f"/docs/errors.md#{code}"
    assert body["title"] and body["detail"]
    assert set(body) <= {"type", "title", "status", "detail", "code", "hint", "errors", "job_status", "error"}
    assert answer.headers["Cache-Control"] == "no-store"
    if status == 405:
        assert answer.headers["Allow"]


async def test_a_bug_says_nothing_but_the_id_that_the_log_has(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("canary-internals")

    monkeypatch.setattr(world.jobs, "look", broken)
    answer = await client.get("/mcp/status/job_1")
    body = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["code"]) == (500, "internal")
    assert "canary" not in await answer.text()
    assert body["request_id"] == answer.headers["X-Request-Id"]
    crash = next(record for record in caplog.records if record.getMessage() == "request_crashed")
    assert crash.request_id == body["request_id"] and crash.exc_info is not None  # type: ignore[attr-defined]


def test_a_wait_is_told_in_whole_seconds_and_never_as_zero() -> None:
    assert problem(ProviderRateLimited(retry_after_s=0.2)).headers["Retry-After"] == "1"


async def test_an_unknown_path_names_the_page_with_all_of_them(client: Client) -> None:
    for path in ("/", "/no/such/path"):
        answer = await client.get(path)
        assert answer.status == 404
        assert "/docs" in (await answer.json(content_type=None))["hint"]
