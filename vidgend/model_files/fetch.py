"""One file over HTTPS into a `.part`: goes on where an earlier try stopped, and is checked before it counts.

What the hub does, by its own client (huggingface_hub, file_download.py): `resolve` answers small files itself and sends
the client on to another host for large ones, with the SHA-256 of the content in `X-Linked-Etag`. Which of the tags
that a later host gives is the content's hash is not told anywhere, so the tag is only used to ask for the rest of the
same bytes (RFC 9110, If-Range), and the bytes are hashed.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.request import getproxies

import httpx

from vidgend.errors import ModelNotFetched, SettingsInvalid
from vidgend.model_files.hashing import Tell, is_whole, silent
from vidgend.model_files.model import ModelFile
from vidgend.pipeline.provider_http import retry_after_s, transport_error

TRIES = 4
"""So many in a row may bring nothing new; one that gets further than any before begins the count anew."""
_HOPS = 10
"""The hub sends its clients on once or twice."""
_LONGEST_WAIT_S = 60.0
_TRANSIENT = frozenset((408, 425, 429, 500, 502, 503, 504))
_SHA256 = re.compile(r"[0-9a-f]{64}")
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class _Again(Exception):
    """Another try may do better. `wait_s` is what the server asks for."""

    def __init__(self, detail: str, *, wait_s: float | None = None) -> None:
        super().__init__(detail)
        self.wait_s = wait_s


@dataclass(frozen=True, kw_only=True)
class Part:
    """What there is of a file, and beside it the tag of the server's copy that it is the beginning of.

    A link in its place is none of ours: it counts for nothing, is never followed, and is removed.
    """

    path: Path

    @property
    def _mark(self) -> Path:
        return self.path.with_name(f"{self.path.name}.etag")

    @property
    def size_bytes(self) -> int:
        return self.path.lstat().st_size if _is_file(self.path) else 0

    @property
    def tag(self) -> str:
        return self._mark.read_text(encoding="ascii", errors="replace") if _is_file(self._mark) else ""

    def begin(self, tag: str) -> None:
        """Start from nothing. A weak tag is not kept: it may not be used for ranges."""
        self.discard()
        if tag.startswith('"') and tag.isascii():
            with _open(self._mark) as file:
                file.write(tag.encode("ascii"))

    def open(self) -> BinaryIO:
        """To write on where it ends."""
        return _open(self.path)

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._mark.unlink(missing_ok=True)

    def done(self) -> None:
        self._mark.unlink(missing_ok=True)


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _open(path: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o666), "ab")


def new_client() -> httpx.Client:
    """One that uses the proxy of the environment. Raises: SettingsInvalid if it cannot."""
    try:
        return httpx.Client(timeout=httpx.Timeout(30.0, connect=10.0))
    except (ImportError, ValueError, httpx.InvalidURL):  # httpx's text may hold the proxy's password
        names = [f"{scheme}_proxy".upper() for scheme in getproxies() if scheme in ("http", "https", "all")]
        raise SettingsInvalid(
            f"the proxy of the environment ({', '.join(names)}) cannot be used",
            hint="Name one by http://HOST:PORT; SOCKS takes the package socksio: pip install 'httpx[socks]'.",
        ) from None


def fetch(
    client: httpx.Client,
    url: str,
    part: Part,
    file: ModelFile,
    *,
    what: str,
    tell: Tell = silent,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Bring all of `file` into `part`. Errors of servers and connections are tried again, with longer and longer waits.

    If this fails for want of a connection the part stays, for the next pull. Raises: ModelNotFetched, OSError.
    """
    fruitless, afresh, most = 0, False, part.size_bytes
    while True:
        before = part.size_bytes
        try:
            _attempt(client, url, part, file, what=what, tell=tell)
        except _Again as again:
            fruitless = 1 if part.size_bytes > most else fruitless + 1
            most = max(most, part.size_bytes)
            if fruitless >= TRIES:
                raise ModelNotFetched(f"{what}: {again}") from None
            sleep(min(2.0 ** (fruitless - 1) if again.wait_s is None else again.wait_s, _LONGEST_WAIT_S))
            continue
        if is_whole(part.path, file, what=what, tell=tell):
            part.done()
            return
        part.discard()
        if not before or afresh:
            raise ModelNotFetched(
                f"{what}: what {httpx.URL(url).host} sent is not what was published (another SHA-256); it was deleted"
            )
        # The beginning came from an earlier try, so that may be what is wrong: once more, from nothing.
        afresh, most = True, 0


def _attempt(client: httpx.Client, url: str, part: Part, file: ModelFile, *, what: str, tell: Tell) -> None:
    have = part.size_bytes
    if have > file.size_bytes:
        part.discard()
        have = 0
    if have == file.size_bytes:
        return
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if part.tag:
            headers["If-Range"] = part.tag
    host = httpx.URL(url).host
    try:
        with _answer(client, url, headers, file, what) as response:
            _check_status(response, part, what)
            _check_length(response, file, what)
            if response.status_code == 206:
                _check_range(response, part, file, have)
            else:
                have = 0
            if not have:
                part.begin(response.headers.get("etag", ""))
            _save(response, part, file, have, what=what, tell=tell)
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.DecodingError) as error:
        raise ModelNotFetched(f"{what}: {host} sends the client astray ({type(error).__name__})") from None
    except httpx.TransportError as error:
        raise _Again(transport_error(error, name=host).detail) from None


def _save(response: httpx.Response, part: Part, file: ModelFile, have: int, *, what: str, tell: Tell) -> None:
    done = have
    with part.open() as out:
        try:
            # As it comes: a size here would keep what a broken connection had brought.
            for chunk in response.iter_raw():
                done += len(chunk)
                if done > file.size_bytes:
                    break
                out.write(chunk)
                tell(what, done, file.size_bytes)
        finally:
            out.flush()
            os.fsync(out.fileno())
    if done > file.size_bytes:
        part.discard()
        raise ModelNotFetched(f"{what}: more than the {file.size_bytes} bytes that were published came; it was deleted")
    if done < file.size_bytes:
        raise _Again(f"the connection to {response.url.host} broke off")


@contextmanager
def _answer(
    client: httpx.Client, url: str, headers: dict[str, str], file: ModelFile, what: str
) -> Iterator[httpx.Response]:
    """The answer behind the redirects, its content still to come. Nothing is asked in the open after https, nor for
    another file than the published one. Raises: ModelNotFetched, httpx.HTTPError, httpx.InvalidURL."""
    request = client.build_request("GET", url, headers=headers)
    for _ in range(_HOPS):
        response = client.send(request, stream=True, follow_redirects=False)
        try:
            _check_linked(response, file, what)
            if response.next_request is None:
                yield response
                return
        finally:
            response.close()
        if request.url.scheme == "https" != response.next_request.url.scheme:
            raise ModelNotFetched(f"{what}: {request.url.host} sends the client on to an address without https")
        request = response.next_request
    raise ModelNotFetched(f"{what}: {httpx.URL(url).host} sends the client on more than {_HOPS - 1} times")


def _check_status(response: httpx.Response, part: Part, what: str) -> None:
    status, host = response.status_code, response.url.host
    if status in (200, 206):
        return
    if status == 416:  # there is no such rest: it is another file by now
        part.discard()
        raise _Again(f"{host} has no such part of the file")
    if status in _TRANSIENT:
        raise _Again(f"{host} answered HTTP {status}", wait_s=retry_after_s(response.headers, now_s=time.time()))
    if status == 404:
        raise ModelNotFetched(f"{what}: {host} has no such file (HTTP 404)")
    raise ModelNotFetched(f"{what}: {host} answered HTTP {status}")


def _check_linked(response: httpx.Response, file: ModelFile, what: str) -> None:
    """Not to fetch gigabytes for nothing: the hub tells the hash beforehand."""
    linked = response.headers.get("x-linked-etag", "").strip('"')
    if _SHA256.fullmatch(linked) and linked != file.sha256:
        raise ModelNotFetched(f"{what}: {response.url.host} has another file than the published one (another SHA-256)")


def _check_length(response: httpx.Response, file: ModelFile, what: str) -> None:
    """Nor where the server tells the length."""
    length = response.headers.get("content-length", "")
    if response.status_code == 200 and length.isdecimal() and int(length) != file.size_bytes:
        raise ModelNotFetched(
            f"{what}: {response.url.host} has another file than the published one: {length} bytes instead of "
            f"{file.size_bytes}"
        )


def _check_range(response: httpx.Response, part: Part, file: ModelFile, have: int) -> None:
    told = _RANGE.fullmatch(response.headers.get("content-range", "").strip())
    fits = told is not None and int(told[1]) == have and (told[2] == "*" or int(told[2]) == file.size_bytes)
    if not fits:
        part.discard()
        raise _Again(f"{response.url.host} sent another part of the file than was asked for")
