"""The web application: routes and what surrounds them. It starts nothing and owns nothing."""

from __future__ import annotations

from itertools import chain

from aiohttp import web

from vidgend.http import (
    assets_routes,
    catalogue_routes,
    docs_routes,
    events_routes,
    health_routes,
    jobs_routes,
    queue_routes,
    storyboard_routes,
    thumbnails_routes,
    uploads_routes,
    usage_routes,
    voices_routes,
    webhook_routes,
)
from vidgend.http.auth import allowed_names
from vidgend.http.body import MAX_BODY_BYTES
from vidgend.http.closing import add_closing
from vidgend.http.events_routes import add_bus
from vidgend.http.gate import GATE, Gate, make_gate
from vidgend.http.middlewares import catch, expect, finish_headers, make_guard, tell
from vidgend.http.openapi import DOCUMENT, document_bytes
from vidgend.http.operation import Operation
from vidgend.http.services import SERVICES, Services
from vidgend.http.serving import handler_of

OPERATIONS: tuple[Operation, ...] = tuple(
    chain(
        jobs_routes.operations,
        events_routes.operations,
        queue_routes.operations,
        storyboard_routes.operations,
        thumbnails_routes.operations,
        webhook_routes.operations,
        uploads_routes.operations,
        assets_routes.operations,
        usage_routes.operations,
        voices_routes.operations,
        catalogue_routes.operations,
        docs_routes.operations,
        health_routes.operations,
    )
)
"""All there is to call."""


def make_app(services: Services) -> web.Application:
    """The application over `services`, to be run by `server.Server`."""
    gate = Gate.of(services, allowed_names(services.allowed_hosts, services.public_url))
    app = web.Application(
        middlewares=[tell, catch, make_gate(gate), make_guard(services)],
        client_max_size=MAX_BODY_BYTES,
    )
    app[GATE] = gate
    app[SERVICES] = services
    app[DOCUMENT] = document_bytes(OPERATIONS, version=services.version, needs_key=bool(services.api_key))
    add_closing(app)
    add_bus(app)
    for operation in OPERATIONS:
        handler = handler_of(operation)
        for method in (operation.method, "HEAD") if operation.method == "GET" else (operation.method,):
            app.router.add_route(method, operation.path, handler, expect_handler=operation.expect or expect)
    app.on_response_prepare.append(finish_headers)
    return app
