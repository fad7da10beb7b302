"""The page that the `type` of every problem points into."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from standins.services_standin import World

from vidgend.http import docs_routes

ROOT = Path(__file__).parents[2]
Client = TestClient[Any, Any]


async def test_the_type_of_a_problem_leads_to_its_paragraph(world: World, connect: Any) -> None:
    client = await connect(world.with_api_key())
    told = await (await client.get("/mcp/jobs")).json(content_type=None)
    answer = await client.get(told["type"])
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert f"\n### {told['code']}\n" in await answer.text()


async def test_the_page_of_a_wheel_is_taken_before_that_of_a_checkout(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged = tmp_path / "errors.md"
    monkeypatch.setattr(docs_routes, "PLACES", (packaged, docs_routes.PLACES[1]))
    assert "### prompt_empty" in await (await client.get("/docs/errors.md")).text()
    packaged.write_text("packaged")
    assert await (await client.get("/docs/errors.md")).text() == "packaged"
    monkeypatch.setattr(docs_routes, "PLACES", ())
    assert (await client.get("/docs/errors.md")).status == 404


def test_a_wheel_carries_the_page_where_it_is_looked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    carried = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert {ROOT / source: ROOT / place for source, place in carried.items()} == {
        docs_routes.PLACES[1]: docs_routes.PLACES[0]
    }


async def test_the_document_says_whether_a_key_is_asked_for(world: World, connect: Any) -> None:
    for there, security in ((world, [{"key": []}, {}]), (world.with_api_key(), [{"key": []}])):
        client = await connect(there)
        told = await (await client.get("/openapi.json")).json()
        assert told["paths"]["/mcp/generate"]["post"]["security"] == security
        assert "security" not in told["paths"]["/livez"]["get"]
