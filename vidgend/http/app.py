"""The web application: routes and what surrounds them. It starts nothing and owns nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import chain
from urllib.parse import urlsplit

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
from vidgend.http.admission import Admission
from vidgend.http.auth import allowed_names
from vidgend.http.body import MAX_BODY_BYTES
from vidgend.http.closing import add_closing
from vidgend.http.events_routes import add_bus
from vidgend.http.expect import expect
from vidgend.http.gate import GATE, Gate, make_gate
from vidgend.http.middlewares import catch, finish_headers, make_guard, tell
from vidgend.http.open_requests import OpenRequests
from vidgend.http.openapi import DOCUMENTS, both_documents
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
    handlers = [(operation, handler_of(operation)) for operation in OPERATIONS]
    admission = Admission(
        keyring=services.keyring,
        limits=services.limits,
        url_key=services.url_key,
        trusted=services.trusted_proxies,
        scopes={handler: operation.scope for operation, handler in handlers},
        open_paths=[operation.path for operation in OPERATIONS if operation.scope is None],
    )
    open_requests = OpenRequests(services.keyring)
    app = web.Application(
        middlewares=[tell, catch, make_gate(gate), make_guard(admission, open_requests)],
        client_max_size=MAX_BODY_BYTES,
    )
    app[GATE] = gate
    app[SERVICES] = services
    app.cleanup_ctx.append(open_requests.watched)
    app[DOCUMENTS] = _documents(services.version, urlsplit(services.public_url).path.rstrip("/"))
    add_closing(app)
    add_bus(app)
    for operation, handler in handlers:
        for method in (operation.method, "HEAD") if operation.method == "GET" else (operation.method,):
            app.router.add_route(method, operation.path, handler, expect_handler=operation.expect or expect)
    app.on_response_prepare.append(finish_headers)
    return app


@cache
def _documents(version: str, path: str) -> Mapping[bool, bytes]:
    return both_documents(OPERATIONS, version=version, path=path)
