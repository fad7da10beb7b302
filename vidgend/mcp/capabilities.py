"""What the client of a request can do: each says so, once or with every request."""

from __future__ import annotations

from typing import Any

from mcp.server.context import ServerRequestContext
from mcp_types.version import is_version_at_least

TASKS = "io.modelcontextprotocol/tasks"
SINCE = "2026-07-28"
"""The revision that extensions came with, and questions as answers."""


def modern(request: ServerRequestContext[Any, Any]) -> bool:
    return is_version_at_least(request.protocol_version, SINCE)


def wants_tasks(request: ServerRequestContext[Any, Any]) -> bool:
    """Whether a long call may be answered with a task."""
    told = request.session.client_capabilities
    return modern(request) and told is not None and TASKS in (told.extensions or {})


def can_ask(request: ServerRequestContext[Any, Any]) -> bool:
    """Whether its user can be asked something in a form, and the question has a way to the client."""
    told = request.session.client_capabilities
    ask = told.elicitation if told is not None else None
    if ask is None or (ask.form is None and ask.url is not None):
        return False
    return modern(request) or request.session.can_send_request
