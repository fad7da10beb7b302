"""What was asked of the providers, what is left, and what it cost."""

from __future__ import annotations

from aiohttp import web

from vidgend.http.answers import json_answer
from vidgend.http.body import parameters, whole_number
from vidgend.http.services import SERVICES
from vidgend.http.usage_view import MAX_PAGE, read_query, usage_view

routes = web.RouteTableDef()
OWNER = ""
"""Whose calls are shown: there is one owner until there are keys."""


@routes.get("/mcp/usage")
async def usage(request: web.Request) -> web.Response:
    """`cursor` is the `next_cursor` of the page before."""
    services = request.app[SERVICES]
    given = parameters(request, "from", "to", "by", "limit", "cursor")
    limit = whole_number(given, "limit", least=1, most=MAX_PAGE)
    query = read_query(given, now=services.ledger.now, limit=limit)
    return json_answer(await usage_view(services.ledger, services.accounts, query, owner=OWNER))
