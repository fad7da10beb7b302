"""What every answer tells browsers not to do with it. A handler that needs something else has set it already."""

from __future__ import annotations

from collections.abc import MutableMapping

_EVERY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_PAGE = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_ONLY_TLS = "max-age=31536000"
"""A year. Without sub-domains, which may be other people's machines."""


def complete(headers: MutableMapping[str, str], *, only_tls: bool = False) -> None:
    """Add what is missing. `only_tls`: tell the browser never to come by plain HTTP again, to no port of this name."""
    headers["Server"] = "vidgend"
    for name, value in _EVERY.items():
        headers.setdefault(name, value)
    if headers.get("Content-Type", "").startswith("text/html"):
        for name, value in _PAGE.items():
            headers.setdefault(name, value)
    if only_tls:
        headers["Strict-Transport-Security"] = _ONLY_TLS
