"""GET /docs: the API to read and to try, drawn by a script that is shipped here. Nothing is fetched from elsewhere."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from functools import cache
from pathlib import Path

from aiohttp import web

from vidgend.errors import NotFound

FOLDER = Path(__file__).parents[1] / "data" / "docs"
DOCS_PAGE_PATH = "/docs"
SCRIPTS_PATH = "/docs/scripts/"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Scalar writes its styles into the page as it goes along, so they cannot be named beforehand. Scripts can."""
_SCRIPTS = ("scalar", "page")
"""In the order in which the page loads them."""
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>vidgend API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
{scripts}
</head>
<body>
<noscript>This page needs JavaScript. What it shows is in <a href="/openapi.json">/openapi.json</a>.</noscript>
<div id="reference"></div>
</body>
</html>
"""


async def docs_page(_: web.Request) -> web.Response:
    """The page itself, which only names its scripts."""
    scripts = await asyncio.to_thread(_scripts)
    tags = "\n".join(f'<script src="{SCRIPTS_PATH}{name}" defer></script>' for name in scripts)
    return web.Response(
        text=_PAGE.format(scripts=tags),
        content_type="text/html",
        charset="utf-8",
        headers={
            "Cache-Control": "no-cache",
            "Content-Security-Policy": POLICY,
            "Cross-Origin-Resource-Policy": "same-origin",
        },
    )


async def docs_script(request: web.Request) -> web.Response:
    """A script of the page, packed as it lies on the disk for all who can unpack it. Raises: NotFound."""
    name = request.match_info["name"]
    packed = (await asyncio.to_thread(_scripts)).get(name)
    if packed is None:
        raise NotFound("no such script")
    as_is = _takes_gzip(request.headers.get("Accept-Encoding", ""))
    etag = f'"{name}{"-gzip" if as_is else ""}"'
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "ETag": etag,
        "Vary": "Accept-Encoding",
    }
    if etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    if as_is:
        headers["Content-Encoding"] = "gzip"
    body = packed if as_is else await asyncio.to_thread(gzip.decompress, packed)
    return web.Response(body=body, content_type="text/javascript", charset="utf-8", headers=headers)


@cache
def _scripts() -> dict[str, bytes]:
    """The scripts, packed, under names that change with their content."""
    found = {}
    for name in _SCRIPTS:
        path = FOLDER / f"{name}.js"
        packed = (
            gzip.compress(path.read_bytes(), mtime=0) if path.is_file() else path.with_suffix(".js.gz").read_bytes()
        )
        found[f"{name}-{hashlib.sha256(packed).hexdigest()[:16]}.js"] = packed
    return found


def _takes_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding names gzip, and not with the weight 0."""
    for entry in accept_encoding.lower().replace(" ", "").split(","):
        coding, _, weight = entry.partition(";q=")
        if coding in ("gzip", "*"):
            return not weight or bool(weight.strip("0."))
    return False
