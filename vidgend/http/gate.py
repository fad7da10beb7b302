"""What every request passes first, whatever it asks for and whoever asks: names, origins of pages, packed bodies,
headers that may come once.

Preflights of browsers are answered here, since they come without a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.typedefs import Handler, Middleware

from vidgend.http.auth import check_host, host_name
from vidgend.http.cors import Cors, is_preflight, preflight_headers
from vidgend.http.problems import BadRequest, BodyPacked, OriginNotAllowed, problem
from vidgend.http.proxied import FORWARDED_HOST, Networks, forwarded_host, scheme_of
from vidgend.http.security_headers import complete
from vidgend.http.services import Services

_USUAL_PORTS = {"http": 80, "https": 443}
_SAFE = ("GET", "HEAD", "OPTIONS")
_ONCE = ("Authorization", "If-Match")
"""A proxy in front may go by the other of two. Content-Type and Idempotency-Key are looked at where they are read."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """`names` are those that the server goes by. `only_tls`: whether its public name is its own, so that a browser may
    be told never to call any port of it by plain HTTP."""

    names: frozenset[str]
    cors: Cors
    trusted: Networks
    public_url: str
    only_tls: bool

    @classmethod
    def of(cls, services: Services, names: frozenset[str]) -> Gate:
        public = urlsplit(services.public_url.lower())
        return cls(
            names=names,
            cors=Cors(services.cors_origins),
            trusted=services.trusted_proxies,
            public_url=services.public_url,
            only_tls=public.scheme == "https" and public.port in (None, 443),
        )

    def check(self, request: web.Request) -> None:
        """Raises: HostNotAllowed, OriginNotAllowed, BadRequest."""
        if request.version not in (HttpVersion10, HttpVersion11):
            raise BadRequest(f"HTTP/{request.version.major}.{request.version.minor} is not spoken here, but HTTP/1.1")
        check_host(request, self.names)
        twice = next((name for name in _ONCE if len(request.headers.getall(name, ())) > 1), None)
        if twice is not None:
            raise BadRequest(f"the header {twice} is sent more than once")
        told = forwarded_host(request, self.trusted)
        if host_name(told) in self.names:
            request[FORWARDED_HOST] = told
        origins = request.headers.getall("Origin", [])
        if not origins:
            site = request.headers.get("Sec-Fetch-Site", "")
            if request.method not in _SAFE and site in ("cross-site", "same-site"):
                raise OriginNotAllowed("a page of another site sent it, and does not say which")
        elif len(origins) > 1 or not (self.cors.allows(origins[0]) or self._is_own(origins[0], request)):
            raise OriginNotAllowed(f"the origin is {', '.join(origins)[:100]!r}")

    def _is_own(self, origin: str, request: web.Request) -> bool:
        """Name and port are those that the browser called: the same name with another port is another program."""
        place = _place(origin)
        if place is None:
            return False
        called = (request.headers.get("Host", ""), request.get(FORWARDED_HOST, ""))
        return place in (_place(self.public_url), *(_place(f"{place[0]}://{host}") for host in called))

    def finish(self, request: web.BaseRequest, answer: web.StreamResponse) -> None:
        """Give an answer the headers that it lacks."""
        secure = scheme_of(request, self.trusted) == "https"
        complete(answer.headers, only_tls=self.only_tls and secure)
        shared = self.cors.headers(request.headers.get("Origin"))
        if "Vary" in shared:
            shared["Vary"] = ", ".join([*answer.headers.getall("Vary", []), shared["Vary"]])
        answer.headers.update(shared)
        location = answer.headers.get("Location", "")
        if location.startswith("/"):
            answer.headers["Location"] = urlsplit(self.public_url).path.rstrip("/") + location


GATE: web.AppKey[Gate] = web.AppKey("gate", Gate)


def _place(url: str) -> tuple[str, str, int] | None:
    """(scheme, name, port) of an http or https URL; None if it is none."""
    scheme, _, rest = url.partition("://")
    name = host_name(rest.partition("/")[0])
    if scheme.lower() not in _USUAL_PORTS or not name:
        return None
    return scheme.lower(), name, urlsplit(f"//{rest}").port or _USUAL_PORTS[scheme.lower()]


def _is_packed(request: web.Request) -> bool:
    """`Transfer-Encoding: gzip, chunked` packs as well as Content-Encoding does."""
    transfer = ",".join(request.headers.getall("Transfer-Encoding", ())).lower().split(",")
    whole = request.headers.get("Content-Encoding", "identity").strip().lower() == "identity"
    return not whole or any(one.strip() not in ("", "chunked", "identity") for one in transfer)


def make_gate(gate: Gate) -> Middleware:
    """The same as a middleware, for every path there is and every path there is not."""

    @web.middleware
    async def pass_gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        gate.check(request)
        if _is_packed(request) and request.body_exists:
            return problem(BodyPacked(), headers={"Accept-Encoding": "identity"})
        if is_preflight(request.method, request.headers):
            missing = request.match_info.http_exception
            if isinstance(missing, web.HTTPMethodNotAllowed):
                return web.Response(status=204, headers=preflight_headers(request.headers, missing.allowed_methods))
            if missing is not None:
                raise missing
        return await handler(request)

    return pass_gate
