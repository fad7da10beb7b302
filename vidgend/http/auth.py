"""Who may call: host names, the bearer key, and signed links to assets."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from aiohttp import web

from vidgend.errors import Unauthorized
from vidgend.http.problems import HostNotAllowed, SignatureInvalid
from vidgend.http.proxied import FORWARDED_HOST, Networks, scheme_of
from vidgend.http.views.problem import DOCS_PATH

LINK_LIFE_S = 24 * 3600
ASSETS_PATH = "/mcp/assets/"
_SIGNED_PATHS = re.compile(r"/mcp/assets/.*|/mcp/storyboard/[^/]+/thumbnails/[^/]+")
"""What a signed link may open without the key."""
OPEN_PATHS = ("/livez", "/readyz", "/openapi.json", DOCS_PATH)


def host_name(netloc: str) -> str:
    """The name in `name:port` or `[::1]:port`, in lower case; "" if it is none."""
    try:
        parts = urlsplit(f"//{netloc}")
        _ = parts.port
    except ValueError:
        return ""
    if parts.path or parts.query or parts.fragment or "@" in netloc:
        return ""
    return (parts.hostname or "").rstrip(".").lower()


def allowed_names(names: Iterable[str], public_url: str) -> frozenset[str]:
    """The names that this server goes by, without ports."""
    known = {"localhost", "127.0.0.1", "::1", (urlsplit(public_url).hostname or "").lower()}
    for name in names:
        known.add(host_name(name) or name.strip("[]").lower())
    return frozenset(known - {"", "0.0.0.0", "::"})


def check_host(request: web.Request, names: frozenset[str]) -> None:
    """Stops DNS rebinding: a page whose name was pointed at this machine still sends its own name.

    The address that the connection came in on is always right: a page can only use it if it is that address's own.
    Raises: HostNotAllowed.
    """
    values = request.headers.getall("Host", [])
    name = host_name(values[0]) if len(values) == 1 else ""
    if not name:
        raise HostNotAllowed("the request has no usable Host header")
    if name not in names and name != _own_address(request):
        raise HostNotAllowed(f"the host {name[:100]!r} is not in http.allowed_hosts")


def _own_address(request: web.Request) -> str:
    name = request.transport.get_extra_info("sockname") if request.transport else None
    if not isinstance(name, tuple):
        return ""
    address = ip_address(str(name[0]).partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def base_url(request: web.Request, public_url: str, trusted: Networks) -> str:
    """How the client reaches this server: `public_url`, or where that is empty the way that its request took.

    Its Host has passed the gate. A trusted proxy says which scheme and name the client used.
    """
    if public_url:
        return public_url.rstrip("/")
    host = request.get(FORWARDED_HOST) or request.host
    return urlsplit(f"{scheme_of(request, trusted)}://{host}").geturl()


def sign(url_key: bytes, path: str, expires: int) -> str:
    message = f"{path}\n{expires}".encode("utf-8", "backslashreplace")
    return hmac.new(url_key, message, hashlib.sha256).hexdigest()


def asset_url(base_url: str, digest: str, *, url_key: bytes | None, now_s: float) -> str:
    """The address of an asset; with a key it opens without the bearer key for a day."""
    return signed_url(base_url, f"{ASSETS_PATH}{digest}", url_key=url_key, now_s=now_s)


def signed_url(base_url: str, path: str, *, url_key: bytes | None, now_s: float) -> str:
    """The address of a path that signed links may open; without a key it needs none."""
    url = f"{base_url}{path}"
    if url_key is None:
        return url
    expires = int(now_s) + LINK_LIFE_S
    return f"{url}?exp={expires}&sig={sign(url_key, path, expires)}"


def check_key(request: web.Request, api_key: str, url_key: bytes) -> None:
    """Let a request in that carries the key, or a valid signature where one will do.

    Raises: Unauthorized, SignatureInvalid.
    """
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and hmac.compare_digest(_bytes(given.strip()), _bytes(api_key)):
        return
    if scheme:
        raise Unauthorized("the key is not right")
    if request.method in ("GET", "HEAD") and "sig" in request.query and _SIGNED_PATHS.fullmatch(request.path):
        _check_signature(request, url_key)
        return
    raise Unauthorized("no key was sent")


def _check_signature(request: web.Request, url_key: bytes) -> None:
    expires = request.query.get("exp", "")
    if not (expires.isascii() and expires.isdigit() and len(expires) < 16):
        raise SignatureInvalid("the link has no time of expiry")
    right = sign(url_key, request.path, int(expires))
    if not hmac.compare_digest(_bytes(request.query["sig"]), _bytes(right)):
        raise SignatureInvalid("the link's signature is wrong")
    if int(expires) < time.time():
        raise SignatureInvalid("the link has expired")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
