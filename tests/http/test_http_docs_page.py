"""GET /docs and its scripts; and the page about errors as a browser gets it."""

from __future__ import annotations

import gzip
import re
import runpy
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from aiohttp.test_utils import TestClient
from standins.services_standin import World

from vidgend.http.docs_page import PACKED_SCRIPT, takes_gzip
from vidgend.http.errors_page import errors_html, wants_html

ROOT = Path(__file__).parents[2]
Client = TestClient[Any, Any]
CHROMIUM_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


async def _script(client: Client) -> str:
    found = re.search(r'<script src="([^"]+)"></script>', await (await client.get("/docs")).text())
    assert found
    return urljoin("/docs", found[1])


async def test_the_page_runs_only_a_script_of_this_server(world: World, connect: Any) -> None:
    client = await connect(world.with_api_key())
    answer = await client.get("/docs")
    assert answer.status == 200
    assert answer.content_type == "text/html"
    page = await answer.text()
    assert re.findall(r"<script [^>]*>[^<]+<", page) == []
    assert not re.search(r"https?:|//|\son\w+=", page)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert "unsafe-eval" not in str(policy)
    assert (await client.get(await _script(client))).status == 200


async def test_the_page_works_below_a_path_of_a_proxy(world: World, connect: Any) -> None:
    client = await connect(world.with_services(public_url="https://example.com/video/"))
    page = await (await client.get("/docs")).text()
    for address in re.findall(r'(?:src|href|data-url)="([^"]+)"', page):
        if not address.startswith("data:"):
            assert urljoin("https://example.com/video/docs", address).startswith("https://example.com/video/")
    assert (await (await client.get("/openapi.json")).json())["servers"] == [{"url": "/video"}]


async def test_the_script_is_sent_packed_and_kept_for_ever(client: Client) -> None:
    path = await _script(client)
    plain = await client.get(path, headers={"Accept-Encoding": "identity"})
    packed = await client.get(path, headers={"Accept-Encoding": "br, gzip"})
    assert (packed.headers["Content-Encoding"], "Content-Encoding" in plain.headers) == ("gzip", False)
    assert packed.content_length == PACKED_SCRIPT.stat().st_size < 1_500_000
    assert await packed.read() == await plain.read() == gzip.decompress(PACKED_SCRIPT.read_bytes())
    assert packed.headers["ETag"] != plain.headers["ETag"]
    for answer, encoding in ((packed, "gzip"), (plain, "identity")):
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Vary"] == "Accept-Encoding"
        again = {"If-None-Match": answer.headers["ETag"], "Accept-Encoding": encoding}
        assert (await client.get(path, headers=again)).status == 304


async def test_another_version_of_the_script_is_not_kept(client: Client) -> None:
    for path in ("/docs/scalar.js", "/docs/scalar.js?v=0000000000000000"):
        assert (await client.get(path)).headers["Cache-Control"] == "no-store"
    assert (await client.get("/docs/scalar.js?w=1")).status == 422
    assert (await client.get("/docs/page.js")).status == 404


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("gzip, deflate, br", True), ("br;q=1.0, gzip;q=0.5", True), ("*", True), ("GZIP", True),
        ("", False), ("br", False), ("gzip;q=0", False), ("gzip; q=0.000", False), ("identity", False),
    ],
)  # fmt: skip
def test_gzip_is_sent_to_whom_takes_it(header: str, taken: bool) -> None:
    assert takes_gzip(header) is taken


def test_the_shipped_script_is_the_one_that_is_written_down() -> None:
    recipe = runpy.run_path(str(ROOT / "tools" / "vendor_docs.py"))
    recipe["_expect"]("the script", gzip.decompress(PACKED_SCRIPT.read_bytes()), recipe["SCRIPT_SHA256"])
    told = (ROOT / "docs" / "third-party.md").read_text()
    for fact in ("PACKAGE", "VERSION", "LICENCE", "SCRIPT_SHA256"):
        assert recipe[fact] in told


async def test_a_browser_gets_the_errors_as_a_page(client: Client) -> None:
    answer = await client.get("/docs/errors.md", headers={"Accept": CHROMIUM_ACCEPT})
    assert answer.content_type == "text/html"
    page = await answer.text()
    assert '<h3 id="prompt_empty">prompt_empty</h3>' in page
    assert "<table>" in page
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    for accept in ("*/*", "text/markdown", "application/json"):
        other = await client.get("/docs/errors.md", headers={"Accept": accept})
        assert (other.content_type, other.headers["Vary"]) == ("text/markdown", "Accept")


def test_every_link_of_the_page_about_errors_leads_somewhere() -> None:
    page = errors_html((ROOT / "docs" / "errors.md").read_text())
    anchors = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors
    assert not re.search(r'href="(?!#|data:)', page)
    assert "docs/captions.md describes" in page


def test_html_is_for_those_who_name_it() -> None:
    assert wants_html(CHROMIUM_ACCEPT)
    assert not wants_html("*/*")
    assert not wants_html("")
