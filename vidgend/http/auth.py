"""Who may call: host names, and signed links to assets."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from urllib.parse import quote, urlsplit

from aiohttp import web

from vidgend.http.caller import Caller
from vidgend.http.problems import HostNotAllowed, SignatureInvalid
from vidgend.http.proxied import FORWARDED_HOST, Networks, scheme_of

LINK_LIFE_S = 24 * 3600
_CLOCK_SLACK_S = 300
"""How far the clock may be set back without ending the links that were given."""
ASSETS_PATH = "/mcp/assets/"
SIGNED_PATHS = re.compile(r"/mcp/assets/.*|/mcp/storyboard/[^/]+/thumbnails/[^/]+")
"""What a signed link may open without the key."""


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
    for called in (name, _target_name(request, name)):
        if called not in names and called != _own_address(request):
            raise HostNotAllowed(f"the host {called[:100]!r} is not in http.allowed_hosts")


def _target_name(request: web.Request, host: str) -> str:
    """The name in a target in absolute form, which counts more than Host (RFC 9112, 3.2.2); of other forms `host`."""
    _, absolute, rest = request.raw_path.partition("://")
    if request.raw_path.startswith("/") or not absolute:
        return host
    return host_name(re.split("[/?#]", rest, maxsplit=1)[0])


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


def sign(url_key: bytes, path: str, *, owner: str, expires: int) -> str:
    """For reading what the path shows, as its owner sees it. Not bound to the key that asked: that may be replaced."""
    message = json.dumps(["GET", path, owner, expires]).encode()
    return hmac.new(url_key, message, hashlib.sha256).hexdigest()


def signed_url(base_url: str, path: str, *, caller: Caller, url_key: bytes, now_s: float) -> str:
    """The address of a path of SIGNED_PATHS, for the caller's owner. Where a key is asked for it opens without one for
    a day."""
    url = f"{base_url}{path}"
    if not caller.keyed:
        return url
    expires = int(now_s) + LINK_LIFE_S
    whose = f"&for={quote(caller.owner, safe='')}" if caller.owner else ""
    return f"{url}?exp={expires}{whose}&sig={sign(url_key, path, owner=caller.owner, expires=expires)}"


def link_owner(request: web.Request, url_key: bytes) -> str:
    """Whose the signed link of a request is. Raises: SignatureInvalid."""
    expires, owner = request.query.get("exp", ""), request.query.get("for", "")
    if not (expires.isascii() and expires.isdigit() and len(expires) < 16):
        raise SignatureInvalid("the link has no time of expiry")
    right = sign(url_key, request.path, owner=owner, expires=int(expires))
    if not hmac.compare_digest(_bytes(request.query["sig"]), _bytes(right)):
        raise SignatureInvalid("the link's signature is wrong")
    if not time.time() <= int(expires) <= time.time() + LINK_LIFE_S + _CLOCK_SLACK_S:
        raise SignatureInvalid("the link has expired")
    return owner


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
