"""The OpenAPI document by itself: valid, true to the table of operations, and never less than it was."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from promises import PLACE, promises, published

from vidgend.http.app import OPERATIONS
from vidgend.http.edit_wire import PatchBody
from vidgend.http.openapi import document
from vidgend.http.wire import GenerateBody, PrefetchBody

ID = "0" * 64


def test_the_document_is_valid_openapi() -> None:
    for needs_key in (True, False):
        validate(document(OPERATIONS, version="1.0", needs_key=needs_key), cls=OpenAPIV31SpecValidator)


def test_no_promise_is_broken() -> None:
    """Where this fails on purpose: `python tests/openapi/promises.py`, and a line in CHANGELOG.md."""
    before, now = PLACE.read_text(encoding="utf-8").splitlines(), set(promises(published()))
    assert [line for line in before if line not in now] == []


def test_the_promises_are_written_down() -> None:
    missing = set(promises(published())) - set(PLACE.read_text(encoding="utf-8").splitlines())
    assert not missing, "new promises: python tests/openapi/promises.py"


def test_a_promise_can_be_broken() -> None:
    told = published()
    del told["components"]["schemas"]["GenerateBody"]["properties"]["seed"]
    del told["components"]["schemas"]["StatusView"]["properties"]["eta_s"]
    del told["paths"]["/mcp/cancel/{job_id}"]["post"]["responses"]["409"]
    gone = set(promises(published())) - set(promises(told))
    assert {"POST /mcp/generate takes application/json/seed: integer",
            "POST /mcp/cancel/{job_id} answers 409 application/problem+json"} <= gone  # fmt: skip
    assert any(line.startswith("GET /mcp/status/{job_id} answers 200 with /eta_s: ") for line in gone)


def test_a_server_that_asks_for_a_key_says_so() -> None:
    for needs_key, security in ((True, [{"key": []}]), (False, [{"key": []}, {}])):
        paths = document(OPERATIONS, version="1.0", needs_key=needs_key)["paths"]
        for operation in OPERATIONS:
            told = paths[operation.path][operation.method.lower()].get("security")
            assert told == (security if operation.scope is not None else None)


def test_every_link_leads_to_an_operation_by_its_parameters() -> None:
    by_id = {operation.id: operation for operation in OPERATIONS}
    links = [link for operation in OPERATIONS for link in operation.links]
    assert links
    for link in links:
        query = by_id[link.to].query
        known = {
            *re.findall(r"\{(\w+)\}", by_id[link.to].path),
            *(header.name for header in by_id[link.to].headers),
            *(query.model_fields if query is not None else ()),
        }
        assert set(link.given) <= known


GOOD: list[tuple[type[Any], dict[str, Any]]] = [
    (GenerateBody, {"prompt": "The sea", "seed": 3.0, "fps": "30000/1001", "music": "none", "captions": False}),
    (GenerateBody, {"script": "The sea.", "prompt": "", "scenes": None, "fps": 29.97, "style": "noir"}),
    (GenerateBody, {"scenes": [{"narration": "", "clip": ID}, {"narration": "x", "image": {"asset": ID}}]}),
    (GenerateBody, {"narration_audio": ID, "callback_url": "https://a.example:8080/x?y=z"}),
    (GenerateBody, {"prompt": "海", "callback_url": "http://[::1]:80/", "language": "pt-BR", "fps": "120.0"}),
    (PrefetchBody, {"queries": ["sea", "海"], "orientation": "portrait", "per_query": 20}),
    (PrefetchBody, {"prompt": "The sea", "orientation": None}),
    (PrefetchBody, {"video": {"prompt": "The sea"}}),
    (PrefetchBody, {"storyboard": "job_1"}),
    (PatchBody, {"title": "x", "order": [1, "s2"], "author": "me"}),
    (PatchBody, {"scenes": [{"id": "s1", "remove": True}, {"index": 2, "narration": "x", "clip": None}]}),
    (PatchBody, {"add": [{"after": 0, "narration": "x", "clip": {"asset": ID}}], "music": None}),
]
BAD: list[tuple[type[Any], dict[str, Any]]] = [
    (GenerateBody, {"prompt": "x", "seed": 3.5}), (GenerateBody, {"prompt": "x", "seed": "3"}),
    (GenerateBody, {"prompt": "x", "seed": True}), (GenerateBody, {"prompt": "x", "review": "yes"}),
    (GenerateBody, {"prompt": "x", "review": 1}), (GenerateBody, {"prompt": "x", "duration_target": "16"}),
    (GenerateBody, {"prompt": "x", "duration_target": True}), (GenerateBody, {"prompt": 1}),
    (GenerateBody, {"prompt": "x\0"}), (GenerateBody, {"prompt": "x", "fps": 0.5}),
    (GenerateBody, {"prompt": "x", "fps": "121"}),
    (GenerateBody, {"prompt": "x", "language": "english"}), (GenerateBody, {"prompt": "x", "captions": 1}),
    (GenerateBody, {"script": "x", "scenes": [{"narration": "x"}]}),
    (GenerateBody, {"scenes": [{"narration": "x", "clip": ID, "image": ID}]}),
    (GenerateBody, {"scenes": [{"narration": "x", "clip": ID.upper() + "0"}]}),
    (GenerateBody, {"scenes": [{"narration": "x", "query": " - "}]}),
    (GenerateBody, {"prompt": "x", "music": {"asset": ID, "mood": "calm"}}),
    (GenerateBody, {"prompt": "x", "callback_url": "http://a b/"}), (GenerateBody, {"prompt": "x", "extra": 1}),
    (PrefetchBody, {}), (PrefetchBody, {"queries": ["sea"], "prompt": "x"}), (PrefetchBody, {"queries": []}),
    (PrefetchBody, {"storyboard": "job_1", "orientation": "portrait"}), (PrefetchBody, {"storyboard": "../x"}),
    (PatchBody, {}), (PatchBody, {"author": "me"}), (PatchBody, {"title": "x", "author": " \t"}),
    (PatchBody, {"scenes": [{"narration": "x"}]}), (PatchBody, {"scenes": [{"id": "s1", "index": 1}]}),
    (PatchBody, {"scenes": [{"id": "s1", "remove": True, "narration": "x"}]}), (PatchBody, {"order": [0]}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "body"), GOOD)
def test_what_is_accepted_is_valid_by_the_document(model: type[Any], body: dict[str, Any]) -> None:
    model.model_validate(body)
    _schema(model).validate(body)


@pytest.mark.parametrize(("model", "body"), BAD)
def test_what_is_refused_is_invalid_by_the_document(model: type[Any], body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        model.model_validate(body)
    assert not _schema(model).is_valid(body)


COMPONENTS = published()["components"]


def _schema(model: type[Any]) -> jsonschema.Draft202012Validator:
    reference = {"$ref": f"#/components/schemas/{model.__name__}", "components": COMPONENTS}
    return jsonschema.Draft202012Validator(reference)
