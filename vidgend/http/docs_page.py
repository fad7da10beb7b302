"""GET /docs: the API to read and to try, drawn by a script that is shipped here. Nothing is fetched from elsewhere."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
from functools import cache
from html import escape
from pathlib import Path

from aiohttp import web

from vidgend.http.answers import JSON_HEADERS

PACKED_SCRIPT = Path(__file__).parents[1] / "data" / "docs" / "scalar.js.gz"
"""See tools/vendor_docs.py."""
SCRIPT_PATH = "/docs/scalar.js"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Scalar writes its styles into the page as it goes along, so they cannot be named beforehand. Scripts can."""
_CONFIGURATION = {
    "telemetry": False,
    "withDefaultFonts": False,
    "agent": {"disabled": True},
    "mcp": {"disabled": True},
    "showDeveloperTools": "never",
    "hideClientButton": True,
    "authentication": {"preferredSecurityScheme": "key"},
    "persistAuth": False,
    "defaultHttpClient": {"targetKey": "shell", "clientKey": "curl"},
}
"""All of Scalar that would call its makers' servers, advertise them or keep the key is switched off."""
# Its addresses are relative: a proxy may have it below a path.
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>vidgend API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
</head>
<body>
<noscript>This page needs JavaScript. What it shows is in <a href="openapi.json">openapi.json</a>.</noscript>
<script id="api-reference" type="application/json" data-url="openapi.json"
  data-configuration="{configuration}"></script>
<script src="{script}"></script>
</body>
</html>
"""


async def docs_page() -> web.Response:
    """The page itself, which only names the document and the script."""
    _, version = await asyncio.to_thread(_script)
    configuration = escape(json.dumps(_CONFIGURATION))
    return web.Response(
        text=_PAGE.format(configuration=configuration, script=f"{SCRIPT_PATH[1:]}?v={version}"),
        content_type="text/html",
        charset="utf-8",
        headers={**JSON_HEADERS, "Content-Security-Policy": POLICY},
    )


async def docs_script(request: web.Request, version: str | None) -> web.Response:
    """The script, packed as it lies on the disk for all who can unpack it. Who names its `version` may keep it."""
    packed, current = await asyncio.to_thread(_script)
    as_is = takes_gzip(request.headers.get("Accept-Encoding", ""))
    etag = f'"{current}{"-gzip" if as_is else ""}"'
    headers = {**JSON_HEADERS, "ETag": etag, "Vary": "Accept-Encoding"}
    if version == current:
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
    if etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    if as_is:
        headers["Content-Encoding"] = "gzip"
    body = packed if as_is else await asyncio.to_thread(gzip.decompress, packed)
    return web.Response(body=body, content_type="text/javascript", charset="utf-8", headers=headers)


@cache
def _script() -> tuple[bytes, str]:
    """The packed script, and a name for this version of it."""
    packed = PACKED_SCRIPT.read_bytes()
    return packed, hashlib.sha256(packed).hexdigest()[:16]


def takes_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding names gzip, and not with the weight 0."""
    for entry in accept_encoding.lower().replace(" ", "").split(","):
        coding, _, weight = entry.partition(";q=")
        if coding in ("gzip", "*"):
            return not weight or bool(weight.strip("0."))
    return False
