"""docs/errors.md as a page for people who follow the `type` of a problem in a browser."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

_STYLE = """
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
pre, code { font-family: ui-monospace, monospace; font-size: .9em }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8886 }
table { border-collapse: collapse; display: block; overflow-x: auto }
th, td { border: 1px solid #8886; padding: .25rem .5rem; text-align: left; vertical-align: top }
h3 { font-family: ui-monospace, monospace; font-size: 1rem; margin-top: 2rem }
:target { background: #fe83; outline: .3rem solid #fe83 }
"""
_STYLE_SHA256 = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; img-src data:; style-src 'sha256-{_STYLE_SHA256}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>vidgend: errors</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
{body}</body>
</html>
"""


def wants_html(accept: str) -> bool:
    """Whether an Accept header is that of a browser, which names HTML; other programs take whatever they get."""
    return any(part.partition(";")[0].strip().lower() == "text/html" for part in accept.split(","))


@cache
def errors_html(markdown: str) -> str:
    """The page. Every heading can be linked to by its words; links to files that a daemon does not serve are text."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    for token, text in pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", _anchor(text.content))
        if text.children:
            text.children = _without_outside_links(text.children)
    return _PAGE.format(style=_STYLE, body=parser.renderer.render(tokens, parser.options, {}))


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")


def _without_outside_links(tokens: list[Token]) -> list[Token]:
    kept, inside = [], True
    for token in tokens:
        if token.type == "link_open":
            inside = str(token.attrGet("href") or "").startswith("#")
        if inside or token.type not in ("link_open", "link_close"):
            kept.append(token)
    return kept
