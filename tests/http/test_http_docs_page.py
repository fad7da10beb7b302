"""GET /docs and its scripts; and the page about errors as a browser gets it."""

from __future__ import annotations

import gzip
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from vidgend.http.docs_page import FOLDER, _takes_gzip
from vidgend.http.errors_page import errors_html, wants_html

ROOT = Path(__file__).parents[2]
Client = TestClient[Any, Any]
CHROMIUM_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


async def _scripts(client: Client) -> list[str]:
    return re.findall(r'<script src="([^"]+)" defer></script>', await (await client.get("/docs")).text())


async def test_the_page_runs_only_scripts_of_this_server(client: Client) -> None:
    answer = await client.get("/docs")
    assert answer.status == 200
    assert answer.content_type == "text/html"
    page = await answer.text()
    assert len(await _scripts(client)) == page.count("<script") == 2
    assert not re.search(r"https?:|//|\son\w+=", page.replace("<!DOCTYPE html>", ""))
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert "unsafe-eval" not in str(policy)


async def test_scripts_are_sent_packed_and_kept_for_ever(client: Client) -> None:
    for path in await _scripts(client):
        packed = await client.get(path, headers={"Accept-Encoding": "gzip"}, compress=False)
        plain = await client.get(path, headers={"Accept-Encoding": "identity"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in plain.headers
        assert await packed.read() == await plain.read()
        for answer in (packed, plain):
            assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert answer.headers["Vary"] == "Accept-Encoding"
            again = {"If-None-Match": answer.headers["ETag"]}
            encoding = answer.headers.get("Content-Encoding", "identity")
            assert (await client.get(path, headers={**again, "Accept-Encoding": encoding})).status == 304
        assert packed.headers["ETag"] != plain.headers["ETag"]


async def test_what_is_sent_packed_is_as_small_as_on_the_disk(client: Client) -> None:
    sent = await client.get((await _scripts(client))[0], headers={"Accept-Encoding": "gzip"})
    assert sent.content_length == (FOLDER / "scalar.js.gz").stat().st_size < 1_500_000


async def test_a_script_by_another_name_is_not_there(client: Client) -> None:
    for name in ("scalar-0000000000000000.js", "scalar.js", "..%2fscalar.js.gz", "page.js"):
        assert (await client.get(f"/docs/scripts/{name}")).status == 404


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("gzip, deflate, br", True), ("br;q=1.0, gzip;q=0.5", True), ("*", True), ("GZIP", True),
        ("", False), ("br", False), ("gzip;q=0", False), ("gzip; q=0.000", False), ("identity", False),
    ],
)  # fmt: skip
def test_gzip_is_sent_to_whom_takes_it(header: str, taken: bool) -> None:
    assert _takes_gzip(header) is taken


def test_the_shipped_script_is_the_one_that_is_written_down() -> None:
    recipe = runpy.run_path(str(ROOT / "tools" / "vendor_docs.py"))
    recipe["_expect"]("the script", gzip.decompress((FOLDER / "scalar.js.gz").read_bytes()), recipe["SCRIPT_SHA256"])
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
