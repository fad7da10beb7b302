"""JSON is read as it is: no value is taken for one of another type, and none is left to interpretation."""

from __future__ import annotations

import time
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

Client = TestClient[Any, Any]
JSON = {"Content-Type": "application/json"}


async def _sent(client: Client, raw: str) -> tuple[int, dict[str, Any]]:
    answer = await client.post("/mcp/generate", data=raw, headers=JSON)
    return answer.status, await answer.json(content_type=None)


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        ('{"prompt": "sea", "prompt": "forest"}', "an object has the name 'prompt' twice"),
        ('{"prompt": "sea", "metadata": {"a": 1, "\\u0061": 2}}', "an object has the name 'a' twice"),
        ('{"prompt": "sea", "seed": 1e400}', "the body has a number that is out of range"),
        ('{"prompt": "sea", "seed": NaN}', "NaN is not JSON"),
        ('{"prompt": "sea", "seed": -Infinity}', "-Infinity is not JSON"),
        ('{"prompt": "sea", "seed": ' + "9" * 5000 + "}", "the body has a number that is out of range"),
        ('{"prompt": "sea", "metadata": ' + '{"a":' * 70 + "1" + "}" * 70 + "}", "the body is nested more than 64"),
        ('{"prompt": "sea", "metadata": ' + "[" * 100_000 + "]" * 100_000 + "}", "the body is nested too deeply"),
    ],
)
async def test_what_is_ambiguous_or_no_json_is_refused(client: Client, raw: str, detail: str) -> None:
    status, told = await _sent(client, raw)
    assert (status, told["code"]) == (400, "bad_json")
    assert detail in told["detail"]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("review", ['"yes"', '"true"', "1", "0", "1.0"]),
        ("captions", ["1", '"false"']),
        ("seed", ['"1"', "true", "1.5", "-1", "1e300"]),
        ("priority", ['"1"', "false", "101"]),
        ("duration_target", ['"16"', "true", "1e300"]),
        ("fps", ["true", '"thirty"', "0", "1e-3"]),
        ("prompt", ["1", "true", '["sea"]']),
        ("scenes", ['{"narration": "x"}', '"x"']),
    ],
)
async def test_a_value_of_another_type_is_refused(client: Client, field: str, values: list[str]) -> None:
    for value in values:
        prompt = "" if field == "prompt" else '"prompt": "sea", '
        status, told = await _sent(client, f'{{{prompt}"{field}": {value}}}')
        assert (status, told["code"]) == (422, "invalid_request"), value
        assert told["errors"][0]["pointer"].startswith(f"/{field}")


@pytest.mark.parametrize(
    "field", ['"seed": 3.0', '"seed": -0', '"seed": 2E1', '"duration_target": 16', '"fps": 30', '"priority": -0.0']
)
async def test_a_number_is_a_number_however_it_is_written(client: Client, field: str) -> None:
    status, told = await _sent(client, f'{{"prompt": "sea", {field}}}')
    assert status == 202, told


async def test_a_body_that_is_wrong_in_very_many_places_does_not_hold_up_others(client: Client) -> None:
    raw = "{" + ",".join(f'"x{number}":0' for number in range(20_000)) + "}"
    began = time.thread_time()
    status, told = await _sent(client, raw)
    assert (status, told["code"], told["errors"][0]["pointer"]) == (422, "invalid_request", "/x0")
    assert time.thread_time() - began < 5  # 40 s where each complaint was compared with each
