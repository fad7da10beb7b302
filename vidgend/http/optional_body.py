"""A body that may be left out."""

from __future__ import annotations

from aiohttp import web

from vidgend.http.body import Body, read_body


async def read_optional_body(request: web.Request, model: type[Body]) -> Body:
    """The checked body; the model's defaults where there is none. Raises: as read_body."""
    if not request.can_read_body:
        return model()
    body, _ = await read_body(request, model)
    return body
