"""Ways to a daemon besides plain TCP: a unix socket, and TLS with a certificate that this machine knows."""

from __future__ import annotations

import http.client
import socket
import ssl
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import unquote

UNIX = "unix://"
_PEM_END = "-----END CERTIFICATE-----"


class UnixConnection(http.client.HTTPConnection):
    """HTTP over the unix socket at `path`."""

    def __init__(self, path: str, **more: Any) -> None:
        super().__init__("localhost", **more)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        if isinstance(self.timeout, int | float):
            self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class UnixSocket(urllib.request.AbstractHTTPHandler, urllib.request.HTTPErrorProcessor):
    """Opens `unix:///path/of.sock/path/of/request` for one socket, whose address `url` is."""

    handler_order = 500
    unix_response = urllib.request.HTTPErrorProcessor.http_response
    http_response = https_response = None  # type: ignore[assignment]  # left to the opener's own

    def __init__(self, url: str) -> None:
        super().__init__()
        self._place = url.removeprefix(UNIX)
        self._path = unquote(self._place)

    def unix_request(self, request: urllib.request.Request) -> urllib.request.Request:
        request.host = "localhost"
        request.selector = request.selector.removeprefix(self._place) or "/"
        return self.do_request_(request)

    def unix_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self.connect, request)

    def connect(self, host: str, **more: Any) -> http.client.HTTPConnection:
        return UnixConnection(self._path, **more)


def pinned(cert: Path) -> ssl.SSLContext:
    """TLS with whoever has the first certificate in a PEM file, whatever its name.

    For the daemon of this machine, which is called by its address. Raises: OSError, ValueError.
    """
    first, end, _ = cert.read_text(encoding="ascii").partition(_PEM_END)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=first + end)
    return context
