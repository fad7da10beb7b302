"""Pages of other origins: which may call this server, and what browsers are told about it.

A browser says where a page is from and no page can make it lie, so a wrong origin is refused, not only left without the
headers that would let the page read the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

ANY = "*"
_MAX_AGE_S = 600
_TAKEN = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Range, Last-Event-ID, Range, "
    "Mcp-Session-Id, Mcp-Protocol-Version, Mcp-Method, Mcp-Name"
)
"""Headers that pages may send."""
_SHOWN = (
    "Location, ETag, Retry-After, X-Request-Id, Accept-Ranges, Content-Range, Content-Disposition, WWW-Authenticate, "
    "Mcp-Session-Id, Mcp-Protocol-Version"
)
"""Headers of answers that pages may read, besides those that they always may."""


class Cors:
    """The origins of the settings, as browsers write them; `*` stands for all."""

    def __init__(self, origins: Iterable[str] = ()) -> None:
        self._origins = frozenset(origins)

    def allows(self, origin: str) -> bool:
        return origin in self._origins or ANY in self._origins

    def headers(self, origin: str | None) -> dict[str, str]:
        """For every answer. Nothing ever depends on cookies, so credentials in the sense of CORS are not allowed."""
        if not self._origins:
            return {}
        anybody = ANY in self._origins
        headers = {} if anybody else {"Vary": "Origin"}
        if anybody or (origin is not None and origin in self._origins):
            headers |= {
                "Access-Control-Allow-Origin": ANY if anybody else str(origin),
                "Access-Control-Expose-Headers": _SHOWN,
                "Cross-Origin-Resource-Policy": "cross-origin",
            }
        return headers


def is_preflight(method: str, headers: Mapping[str, str]) -> bool:
    return method == "OPTIONS" and "Origin" in headers and "Access-Control-Request-Method" in headers


def preflight_headers(headers: Mapping[str, str], methods: Iterable[str]) -> dict[str, str]:
    """What a page from an allowed origin may do with a path that has `methods`, besides `Cors.headers`."""
    answer = {
        "Access-Control-Allow-Methods": ", ".join(sorted(methods)),
        "Access-Control-Allow-Headers": _TAKEN,
        "Access-Control-Max-Age": str(_MAX_AGE_S),
    }
    if headers.get("Access-Control-Request-Private-Network") == "true":
        answer["Access-Control-Allow-Private-Network"] = "true"
    return answer
