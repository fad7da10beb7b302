"""A client for a running daemon, on the standard library alone: `vidgend status` must start fast."""

from __future__ import annotations

import http.client
import json
import secrets
import select
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from vidgend.client.event_stream import MAX_LINE_BYTES, SILENCE_S, NoEvents, StreamEvent, read_events
from vidgend.client.problems import error_of
from vidgend.client.transport import UNIX, UnixSocket
from vidgend.errors import (
    BadInput,
    Conflict,
    DaemonUnreachable,
    NotFound,
    ResultExpired,
    Unauthorized,
    Unavailable,
    VidgendError,
)

CALL_TIMEOUT_S = 15.0
PROBE_TIMEOUT_S = 2.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_BY_STATUS: dict[int, type[VidgendError]] = {
    401: Unauthorized, 403: Unauthorized, 404: NotFound, 409: Conflict, 410: ResultExpired, 421: Unauthorized,
    429: Unavailable, 503: Unavailable, 507: Unavailable,
}  # fmt: skip
"""For codes that this version does not know."""
_CHUNK_BYTES = 256 * 1024
_MAX_JSON_BYTES = 64 * 1024 * 1024
_UPLOAD_TIMEOUT_S = 300.0
"""The daemon looks at a whole file before it answers."""

_FETCH_TIMEOUT_S = 86_400.0
"""The longest that assets.fetch_timeout_s may be."""

_SAMPLE_TIMEOUT_S = 90.0
"""The daemon's own deadline for a sample, and some more."""


def reachable_url(host: str, port: int, *, scheme: str = "http", unix_socket: Path | None = None) -> str:
    """Where a client on this machine finds a daemon that listens on `host`, or on `unix_socket` alone if that is empty:
    a wildcard is reached over loopback."""
    if not host and unix_socket is not None:
        return f"{UNIX}{quote(str(unix_socket))}"
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _field(entry: dict[str, Any]) -> str:
    return str(entry.get("pointer") or entry.get("parameter") or "the body").lstrip("/")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class _Remembered(urllib.request.HTTPHandler):
    """Plain HTTP, by `connect`, whose connection can be looked at while a body is sent."""

    def __init__(self, connect: Callable[..., http.client.HTTPConnection] = http.client.HTTPConnection) -> None:
        super().__init__()
        self._new = connect
        self._connections: list[http.client.HTTPConnection] = []

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connect, request)

    unix_open = http_open

    def _connect(self, host: str, **more: Any) -> http.client.HTTPConnection:
        self._connections.append(self._new(host, **more))
        return self._connections[-1]

    @property
    def answered(self) -> bool:
        """Whether the server has begun to answer, which before the end of a body means no. TLS sends other things."""
        sock = self._connections[-1].sock if self._connections else None
        return sock is not None and not isinstance(sock, ssl.SSLSocket) and bool(select.select([sock], [], [], 0)[0])


class Daemon:
    """The daemon at `url`. Every call raises DaemonUnreachable, or the error that the daemon's problem names."""

    def __init__(
        self, url: str, *, api_key: str = "", timeout_s: float = CALL_TIMEOUT_S, tls: ssl.SSLContext | None = None
    ) -> None:
        """`tls`: how to tell that it is the right one; None: as the system does, which `SSL_CERT_FILE` can change."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        try:
            local = parts.scheme == "unix" and not parts.netloc and len(parts.path) > 1
            usable = local or (parts.scheme in ("http", "https") and bool(parts.hostname))
            _ = parts.port  # raises for what is no port number
        except ValueError:
            usable = False
        if not usable:
            raise BadInput(
                f"not an address of a daemon: {url!r}",
                hint="Write it like http://127.0.0.1:8080 or unix:///run/vidgend/vidgend.sock.",
            )
        if not (api_key.isascii() and api_key.isprintable()):
            raise BadInput("not a key: it has characters that no header takes", hint="A key begins with vg_.")
        self.url = (f"{UNIX}{parts.path}" if local else parts.geturl()).rstrip("/")
        self.tls = tls
        self._key = api_key
        self._timeout_s = timeout_s
        self._handlers: list[Any] = [_NoRedirects(), urllib.request.HTTPSHandler(context=tls)]
        self._connect: Callable[..., http.client.HTTPConnection] = http.client.HTTPConnection
        if local:
            unix = UnixSocket(self.url)
            self._handlers.append(unix)
            self._connect = unix.connect
        if parts.hostname in _LOOPBACK:
            self._handlers.append(urllib.request.ProxyHandler({}))  # http_proxy is not meant for this machine
        self._opener = urllib.request.build_opener(*self._handlers)

    def alive(self) -> bool:
        """Whether a vidgend answers there, quickly."""
        try:
            return self.call("GET", "/livez", timeout_s=PROBE_TIMEOUT_S).get("status") == "alive"
        except DaemonUnreachable:
            return False

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        given = {name: value for name, value in query.items() if value is not None}
        return self.call("GET", f"{path}?{urlencode(given)}" if given else path)

    def of_job(self, route: str, job_id: str, **query: Any) -> dict[str, Any]:
        return self.get(f"/mcp/{route}/{quote(job_id, safe='')}", **query)

    def cancel(self, job_id: str) -> dict[str, Any]:
        return self.post_job("cancel/{}", job_id)

    def post_job(self, route: str, job_id: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self.call("POST", f"/mcp/{route.format(quote(job_id, safe=''))}", body)

    def delete(self, job_id: str) -> None:
        self.call("DELETE", f"/mcp/jobs/{quote(job_id, safe='')}")

    def delete_upload(self, asset_id: str) -> None:
        self.call("DELETE", f"/mcp/assets/{quote(asset_id, safe='')}")

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *,
        headers: dict[str, str] | None = None, timeout_s: float | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """One request and its JSON answer; empty for 204."""
        data = None if body is None else json.dumps(body).encode()
        request = self._request(self.url + path, method, data, headers or {})
        return self._answer(self._opener, request, timeout_s or self._timeout_s)

    def submit(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Hand in a job, once more if the connection breaks. The Idempotency-Key makes that harmless if it was the
        answer that got lost."""
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        try:
            return self.call("POST", path, body, headers=headers)
        except DaemonUnreachable:
            return self.call("POST", path, body, headers=headers)

    def events(self, job_id: str | None = None, *, last_id: str = "") -> Generator[StreamEvent, None, None]:
        """What happens to a job, or to all of one's jobs, until the stream ends; after event `last_id` if given.

        Raises: NoEvents where the answer is none, or falls silent; and as every call does.
        """
        path = "/mcp/events" if job_id is None else f"/mcp/events/{quote(job_id, safe='')}"
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
        request = self._request(self.url + path, "GET", None, headers)
        with self._errors(), self._opener.open(request, timeout=SILENCE_S) as answer:
            if answer.status == 204:
                return
            if answer.headers.get_content_type() != "text/event-stream":
                raise NoEvents(f"what answers at {self.url} sends no events")
            try:
                yield from read_events(iter(lambda: answer.readline(MAX_LINE_BYTES), b""))
            except (ValueError, TimeoutError) as error:
                raise NoEvents(f"the events of {self.url} do not get through: {error}") from None

    def upload(
        self, path: Path, *, name: str, size_bytes: int, on_bytes: Callable[[int], None] = lambda count: None
    ) -> dict[str, Any]:
        """Send a file as an upload; `on_bytes` is told how many more have gone. Raises: OSError where it cannot be
        read, and as every call does."""
        connection = _Remembered(self._connect)
        with path.open("rb") as file:

            def pieces() -> Iterator[bytes]:
                while not connection.answered and (piece := file.read(_CHUNK_BYTES)):
                    yield piece
                    on_bytes(len(piece))

            headers = {"Content-Length": str(size_bytes), "Content-Type": "application/octet-stream"}
            request = self._request(f"{self.url}/mcp/assets?{urlencode({'name': name})}", "POST", pieces(), headers)
            opener = urllib.request.build_opener(connection, *self._handlers)
            return self._answer(opener, request, _UPLOAD_TIMEOUT_S)

    def upload_address(self, url: str) -> dict[str, Any]:
        """Have the daemon fetch a file, which ends by its own assets.fetch_timeout_s."""
        return self.call("POST", "/mcp/assets", {"url": url}, timeout_s=_FETCH_TIMEOUT_S)

    def _answer(
        self, opener: urllib.request.OpenerDirector, request: urllib.request.Request, timeout_s: float
    ) -> dict[str, Any]:
        with self._errors(), opener.open(request, timeout=timeout_s) as answer:
            raw = answer.read(_MAX_JSON_BYTES)
            empty = answer.status == 204
        try:
            value = {} if empty else json.loads(raw)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise DaemonUnreachable(f"what answers at {self.url} is not vidgend")
        return value

    def download_sample(self, voice: str, path: Path) -> None:
        """Write the sample of a voice to `path`; the daemon may have to make it first."""
        self.download(f"{self.url}/mcp/voices/{quote(voice, safe='')}/sample", path, timeout_s=_SAMPLE_TIMEOUT_S)

    def download(
        self, url: str, path: Path, on_bytes: Callable[[int], None] | None = None, *, timeout_s: float = 60
    ) -> None:
        """Write a file of the daemon to `path`, which is created.

        The daemon names its files by its public address; they are fetched from the address that already answers.
        """
        _, found, tail = url.partition("/mcp/assets/")
        request = self._request(f"{self.url}/mcp/assets/{tail}" if found else url, "GET", None, {})
        with self._errors(), self._opener.open(request, timeout=timeout_s) as answer, path.open("wb") as file:
            expected = answer.headers.get("Content-Length")
            written = 0
            while chunk := answer.read(_CHUNK_BYTES):
                file.write(chunk)
                written += len(chunk)
                if on_bytes is not None:
                    on_bytes(written)
        if expected is not None and written != int(expected):
            raise DaemonUnreachable(f"the download of {path.name} was cut off after {written} of {expected} bytes")

    def _request(
        self, url: str, method: str, data: bytes | Iterator[bytes] | None, extra: dict[str, str]
    ) -> urllib.request.Request:
        headers = {"Accept": "application/json", "User-Agent": "vidgend-client", **extra}
        if isinstance(data, bytes):
            headers["Content-Type"] = "application/json"
        if self._key and url.startswith(self.url + "/"):
            headers["Authorization"] = f"Bearer {self._key}"
        return urllib.request.Request(url, data=data, headers=headers, method=method)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except urllib.error.HTTPError as error:
            with error:
                told = error.headers.get("Retry-After", "")
                raise self._problem(error.code, error.read(_MAX_JSON_BYTES), retry_after=told) from None
        except TimeoutError:
            raise DaemonUnreachable(f"the daemon at {self.url} does not answer in time") from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                raise DaemonUnreachable(
                    f"{self.url} is not trusted: certificate verify failed, {error.reason.verify_message}",
                    hint="SSL_CERT_FILE=/path/ca.pem makes a private authority known; the name called must be in it.",
                ) from None
            reason = getattr(error.reason, "strerror", None) or error.reason
            raise DaemonUnreachable(f"no daemon answers at {self.url}: {reason}") from None
        except (http.client.HTTPException, ConnectionError) as error:
            raise DaemonUnreachable(f"the daemon at {self.url} broke off: {error or type(error).__name__}") from None

    def _problem(self, status: int, raw: bytes, *, retry_after: str) -> VidgendError:
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        if not isinstance(body, dict) or "code" not in body:
            return DaemonUnreachable(f"what answers at {self.url} is not vidgend (HTTP {status})")
        detail = str(body.get("detail") or body.get("title") or f"HTTP {status}")
        entries = [entry for entry in body.get("errors") or () if isinstance(entry, dict)]
        if entries:
            detail = "; ".join(f"{_field(entry)}: {entry.get('detail')}" for entry in entries)
        otherwise = _BY_STATUS.get(status, BadInput if 400 <= status < 500 else VidgendError)
        error = error_of(str(body["code"]), detail, hint=str(body.get("hint") or ""), otherwise=otherwise)
        error.status = status
        if retry_after.isascii() and retry_after.isdigit():
            error.retry_after_s = float(retry_after[:9])
        return error
