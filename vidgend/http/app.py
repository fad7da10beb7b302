"""The web application: routes and what surrounds them. It starts nothing and owns nothing."""

from __future__ import annotations

from aiohttp import web

from vidgend.http import (
    assets_routes,
    catalogue_routes,
    docs_routes,
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
from vidgend.http.middlewares import catch, expect, finish_headers, make_guard, tell
from vidgend.http.services import SERVICES, Services

_GROUPS = (
    jobs_routes,
    queue_routes,
    storyboard_routes,
    thumbnails_routes,
    webhook_routes,
    assets_routes,
    uploads_routes,
    usage_routes,
    voices_routes,
    catalogue_routes,
    docs_routes,
    health_routes,
)
IDLE_TIMEOUT_S = 15.0
"""For AppRunner's `keepalive_timeout`. aiohttp closes a connection that has not sent a whole request head in this
time, the first one included, so it is the deadline against slow clients as well."""


def make_app(services: Services) -> web.Application:
    """The application over `services`.

    To be run with `AppRunner(app, keepalive_timeout=IDLE_TIMEOUT_S, access_log=None)`.
    """
    names = allowed_names(services.allowed_hosts, services.public_url)
    app = web.Application(
        middlewares=[tell, catch, make_guard(services, names)],
        client_max_size=MAX_BODY_BYTES,
    )
    app[SERVICES] = services
    for group in _GROUPS:
        for route in group.routes:
            assert isinstance(route, web.RouteDef)
            more = {"expect_handler": expect, **route.kwargs}
            app.add_routes([web.RouteDef(route.method, route.path, route.handler, more)])
    app.on_response_prepare.append(finish_headers)
    return app
