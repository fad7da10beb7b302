"""GET /docs in a real browser: it shows the operations, asks nobody else for anything, breaks none of its own rules,
and sends a request with the key that was typed in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from chromium import PROGRAM, Page, open_page
from standins.services_standin import KEY, World, open_world

from vidgend.http.app import OPERATIONS, make_app

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    folder = tmp_path / "world"
    folder.mkdir()
    async with open_world(folder) as world:
        yield world.with_api_key().with_services(public_url="")


@pytest.fixture
async def url(world: World) -> AsyncIterator[str]:
    async with TestServer(make_app(world.services)) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with open_page(tmp_path / "profile") as page:
        yield page


def _complaints(page: Page) -> list[str]:
    return [*page.errors, *(line for line in page.console if line.startswith(("error", "warning")))]


async def test_the_api_can_be_read_and_tried(world: World, url: str, page: Page) -> None:
    await page.open(f"{url}/docs")
    await page.until("document.body?.innerText.includes('/mcp/generate')")
    for group in {operation.group for operation in OPERATIONS}:
        await page.until(f"document.querySelector('a[href=\"#tag/{group}\"]')")
    await page.until("document.querySelector('input[placeholder=Token]')")
    await page.run("document.querySelector('input[placeholder=Token]').focus()")
    await page.type(KEY)
    # This one needs nothing but the key.
    await page.run("location.hash = '#tag/queue/GET/mcp/queue'")
    button = (
        "[...document.querySelectorAll('button')].find(b => /Test Request.*get \\/mcp\\/queue\\)/s.test(b.innerText))"
    )
    await page.until(button)
    await page.run(f"{button}.click()")
    send = "[...document.querySelectorAll('button')].find(b => /Send get request/.test(b.innerText))"
    await page.until(send)
    await page.run(f"{send}.click()")
    await page.until("document.body?.innerText.includes('200 OK')")
    assert f"{url}/mcp/queue" in page.requests
    assert [asked for asked in page.requests if not asked.startswith((f"{url}/", "data:", "blob:"))] == []
    assert _complaints(page) == []
    assert KEY not in await page.run("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")


async def test_the_errors_can_be_read(url: str, page: Page) -> None:
    await page.open(f"{url}/docs/errors.md#prompt_empty")
    await page.until("document.querySelector(':target')?.innerText === 'prompt_empty'")
    assert await page.run("getComputedStyle(document.querySelector('table')).borderCollapse") == "collapse"
    assert _complaints(page) == []


async def test_a_page_that_breaks_a_rule_is_noticed(url: str, page: Page) -> None:
    """What the tests above rely on."""
    await page.open(f"{url}/docs/errors.md")
    await page.until("document.readyState === 'complete'")
    await page.run("fetch('https://example.com/').catch(() => 0)")
    await page.run("document.body.append(Object.assign(new Image(), {src: 'https://example.com/a.png'})), 0")
    await page.until("new Promise(done => setTimeout(() => done(true), 300))")
    assert any("Content Security Policy" in line for line in _complaints(page))
