"""How tools answer: the view that the API answers with, the same as text for the model, links and small pictures."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolResult,
    ContentBlock,
    ImageContent,
    ResourceLink,
    TextContent,
)

from vidgend.errors import VidgendError
from vidgend.http.problems import view_of
from vidgend.http.views.base import dump
from vidgend.mcp.backend import Picture

_NOT_FOR_THE_MODEL = frozenset(
    {"files", "frames", "metadata", "ranking", "report", "segments", "sha256", "size_bytes", "storage_uri", "timings"}
    | {"words", "words_from", "words_source"}
)
"""What `structuredContent` has and the text has not: long, and of no use in a conversation."""


def done(view: Mapping[str, Any], *more: ContentBlock) -> CallToolResult:
    """What a tool did or found."""
    told = sayable(view)
    return CallToolResult(content=[text_of(told), *more], structured_content=told)


def sayable(view: Mapping[str, Any]) -> dict[str, Any]:
    """Without halves of surrogate pairs, which the SDK cannot put into JSON. A file's name may have some."""
    told: dict[str, Any] = json.loads(json.dumps(view, ensure_ascii=False).encode("utf-8", "replace"))
    return told


def failed(error: VidgendError) -> CallToolResult:
    """What went wrong, in a form that the model can act on."""
    problem = sayable(dump(view_of(error)))
    entries = problem.get("errors") or ()
    lines = [f"{error.code}: {error.detail if len(entries) < 2 else error.title}"]  # of one, `detail` says it all
    lines += [
        f"- {entry.get('pointer') or entry.get('parameter') or 'the arguments'}: {entry.get('detail')}"
        for entry in (entries if len(entries) > 1 else ())
    ]
    lines += [error.hint] if error.hint else []
    return CallToolResult(content=[TextContent(text="\n".join(lines))], structured_content=problem, is_error=True)


def protocol_error(error: VidgendError) -> MCPError:
    """The same where there is no tool that could have failed: resources, prompts, tasks."""
    mistaken = 400 <= error.status < 500
    return MCPError(
        code=INVALID_PARAMS if mistaken else INTERNAL_ERROR,
        message=f"{error.code}: {error.detail}",
        data=sayable(dump(view_of(error))),
    )


def text_of(view: Mapping[str, Any]) -> TextContent:
    return TextContent(text=json.dumps(_short(view), ensure_ascii=False, separators=(",", ":")))


def _short(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _short(one)
            for name, one in value.items()
            if name not in _NOT_FOR_THE_MODEL and one is not None and one != [] and one != {}
        }
    return [_short(one) for one in value] if isinstance(value, list | tuple) else value


def image(picture: Picture) -> ImageContent:
    return ImageContent(data=base64.b64encode(picture.content).decode(), mime_type=picture.content_type)


def link(url: str, name: str, mime_type: str, *, title: str, size: int | None = None) -> ResourceLink:
    return ResourceLink(uri=url, name=name, title=title, mime_type=mime_type, size=size)
