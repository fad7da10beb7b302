"""Files from addresses: good servers, and ones that are made to harm. However it ends, nothing is left behind."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import media
import pytest
from standins.outside import PUBLIC, PUBLIC_NAME, PUBLIC_NETWORK, Outside, open_outside
from standins.services_standin import World

from vidgend.errors import FetchBusy, FetchFailed, MediaRefused, StorageFull, UploadTooLarge, VidgendError
from vidgend.http import fetch_media
from vidgend.http.fetch_media import MediaFetcher
from vidgend.http.problems import InvalidFields
from vidgend.pipeline.executor.slots import Slots
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.file_to_upload import Intake
from vidgend.store.space import Space

SECRET = b"what only the inside may read"
MAX_BYTES = 2_000_000
GOOD_HEAD = (
    b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0\x80\xbb\0\0\0\x77\x01\0\x02\0\x10\0data\xff\xff\xff\xff"
)
"""As a sound begins: what comes after it is taken for one until it ends."""


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    async with open_outside() as outside:
        yield outside


@pytest.fixture
def song(tmp_path: Path) -> bytes:
    return media.tone(tmp_path / "tone.wav", seconds=1.5).read_bytes()


@pytest.fixture
def fetcher(world: World, outside: Outside) -> MediaFetcher:
    return make_fetcher(world, outside)


def make_fetcher(world: World, outside: Outside, *, free_bytes: int = 10**12, **changes: Any) -> MediaFetcher:
    async def no_room(_: int) -> None:
        """There is nothing that could be given up."""

    services = world.services
    intake = Intake(
        uploads=services.uploads,
        assets=services.assets,
        ffmpeg=FfmpegTool(),
        kept_bytes=world.jobs.kept_bytes,
        space=Space(data_dir=world.folder, assets_free_bytes=lambda: free_bytes, ballast=None, min_free_bytes=0),
        slot=Slots(2).hold,
        make_room=no_room,
        max_bytes=MAX_BYTES,
    )
    values = {"allow_networks": PUBLIC_NETWORK, "timeout_s": 30.0, "head_s": 10.0, "stall_s": 10.0, **changes}
    return MediaFetcher(intake=intake, resolve=outside.resolve, **values)


HASTY = {"timeout_s": 3.0, "head_s": 0.6, "stall_s": 0.6}
TIMES = ("bytes came in", "not finished after", "did not answer within")
"""What is said of those that are too slow."""


async def left(world: World) -> list[str]:
    """Files and rows that an upload would have made."""
    rows = await world.database.read("SELECT digest FROM uploads UNION ALL SELECT digest FROM assets")
    files = [path for path in (world.folder / "assets").rglob("*") if path.is_file()]
    return [str(one) for one in (*rows, *files)]


def answering(*parts: bytes, pause_s: float = 0.0, head: bytes = b"HTTP/1.1 200 OK\r\n", hold: bool = False) -> Any:
    """A server that writes these parts, with a pause between them, and then closes or says nothing more."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serve.requests.append(await reader.readuntil(b"\r\n\r\n"))  # type: ignore[attr-defined]
        writer.write(head)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
        if hold:
            await asyncio.sleep(30)

    serve.requests = []  # type: ignore[attr-defined]
    return serve


def whole(content: bytes, *headers: str) -> bytes:
    lines = "".join(f"{header}\r\n" for header in (f"Content-Length: {len(content)}", "Connection: close", *headers))
    return lines.encode("latin-1") + b"\r\n" + content


async def test_a_file_from_an_address_is_the_same_upload_as_the_file_itself(
    world: World, outside: Outside, fetcher: MediaFetcher, song: bytes
) -> None:
    outside.serve = answering(whole(song, "Content-Type: text/html", "Set-Cookie: a=b"))
    taken, new = await fetcher.take(outside.url("/music/my%20song.wav?sig=1#part"), owner="")
    assert (new, taken.kind, taken.name, taken.size_bytes) == (True, "audio", "my song.wav", len(song))
    again, new = await fetcher.take(outside.url("/other"), name="another", owner="")
    assert (new, again.digest, again.name) == (False, taken.digest, "my song.wav")
    first, second = outside.serve.requests  # type: ignore[attr-defined]
    assert b"accept-encoding: identity" in first.lower() and first.startswith(
        b"GET /music/my%20song.wav?sig=1 HTTP/1.1"
    )
    for request in (first, second):
        assert b"authorization" not in request.lower() and b"cookie" not in request.lower()


async def test_redirects_are_followed_three_times_and_not_a_fourth(
    world: World, outside: Outside, fetcher: MediaFetcher, song: bytes
) -> None:
    outside.names["other.example"] = [[PUBLIC]]
    hops: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        hops.append(request)
        left = int(request.split()[1].rpartition(b"/")[2])
        if left:
            where = outside.url(f"/{left - 1}", host="other.example")
            writer.write(f"HTTP/1.1 307 Temporary\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode())
        else:
            writer.write(b"HTTP/1.1 200 OK\r\n" + whole(song))
        await writer.drain()

    outside.serve = serve
    taken, _ = await fetcher.take(outside.url("/3"), owner="")
    assert (taken.size_bytes, len(hops)) == (len(song), 4)
    hops.clear()
    with pytest.raises(FetchFailed, match="redirects more than 3 times"):
        await fetcher.take(outside.url("/99"), owner="")
    assert len(hops) == 4


REFUSED = (
    "ftp://public.example/a.mp4", "public.example/a.mp4", "http://", "http://user:word@public.example/a.mp4",
    "http://public.example:0/a.mp4", "http://public.example:99999/", "file:///etc/passwd", "http://exa\nmple/", "",
)  # fmt: skip


@pytest.mark.parametrize("url", REFUSED)
async def test_what_is_no_web_address_is_refused(world: World, fetcher: MediaFetcher, url: str) -> None:
    with pytest.raises(InvalidFields) as refusal:
        await fetcher.take(url, owner="")
    assert refusal.value.errors[0]["pointer"] == "/url"


@pytest.mark.parametrize(
    ("location", "what"),
    [("ftp://public.example/", "no http"), ("http://u:p@public.example/", "password"), ("file:///etc/passwd", "no http"),
     ("http://[::1/", "as a web server does"), ("https://x:99999/", "no http"), ("http:////]", "as a web server does")],
)  # fmt: skip
async def test_a_redirect_to_what_is_no_web_address_is_refused(
    world: World, outside: Outside, fetcher: MediaFetcher, location: str, what: str
) -> None:
    outside.serve = answering(f"Location: {location}\r\nContent-Length: 0\r\n\r\n".encode(), head=b"HTTP/1.1 301 M\r\n")
    with pytest.raises(FetchFailed, match=what):
        await fetcher.take(outside.url("/a"), owner="")
    assert outside.asked == 1


@pytest.mark.parametrize("status", [101, 201, 204, 206, 304, 401, 403, 404, 410, 429, 500, 503])
async def test_other_answers_than_200_are_told_by_their_number_alone(
    world: World, outside: Outside, fetcher: MediaFetcher, status: int
) -> None:
    head = f"HTTP/1.1 {status} {SECRET.decode()}\r\n".encode()
    outside.serve = answering(whole(SECRET, f"X-Secret: {SECRET.decode()}"), head=head)
    with pytest.raises(FetchFailed) as refusal:
        await fetcher.take(outside.url("/a"), owner="")
    if status >= 200:
        assert f"HTTP {status}" in refusal.value.detail
    assert SECRET.decode() not in f"{refusal.value.detail} {refusal.value.hint} {refusal.value.__dict__}"
    assert await left(world) == []


def chunk(content: bytes) -> bytes:
    return f"{len(content):x}\r\n".encode() + content + b"\r\n"


CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
PLAIN = b"Connection: close\r\n\r\n"
SMALL = 64 * 1024
BOMBS: dict[str, tuple[Any, type[VidgendError], str]] = {
    "a body that drips": (answering(PLAIN + GOOD_HEAD, *[b"x"] * 500, pause_s=0.02), FetchFailed, "bytes came in"),
    "a body that stops": (
        answering(b"Content-Length: 900000\r\n\r\n" + GOOD_HEAD, hold=True), FetchFailed, "bytes came in",
    ),
    "a body that comes just fast enough, without end": (
        answering(CHUNKED, chunk(GOOD_HEAD), *[chunk(bytes(80_000))] * 400, pause_s=0.15), FetchFailed, "not finished after",
    ),
    "chunks without end": (
        answering(CHUNKED, chunk(GOOD_HEAD), *[chunk(bytes(SMALL))] * 400), UploadTooLarge, "2,000,000 bytes",
    ),
    "a body without end": (answering(PLAIN + GOOD_HEAD, *[bytes(SMALL)] * 400), UploadTooLarge, "2,000,000 bytes"),
    "a length that is too large": (answering(b"Content-Length: 99999999999\r\n\r\n"), UploadTooLarge, "2,000,000 bytes"),
    "a length that is longer than the body": (
        answering(b"Content-Length: 90000\r\n\r\n" + GOOD_HEAD + bytes(5000)), FetchFailed, "broke off",
    ),
    "two lengths": (
        answering(b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n123456"), FetchFailed, "as a web server does",
    ),
    "a length that is none": (answering(b"Content-Length: -5\r\n\r\n123456"), FetchFailed, "as a web server does"),
    "a broken chunk": (answering(CHUNKED, chunk(GOOD_HEAD), b"zz\r\n"), FetchFailed, "broke off"),
    "chunks that break off": (answering(CHUNKED, chunk(GOOD_HEAD + bytes(999))), FetchFailed, "broke off"),
    "a bomb of gzip": (
        answering(whole(gzip.compress(bytes(50_000_000)), "Content-Encoding: gzip")), FetchFailed, "packed (gzip)",
    ),
    "a bomb that was packed twice": (
        answering(whole(gzip.compress(gzip.compress(bytes(50_000_000))), "Content-Encoding: gzip, br")), FetchFailed,
        "packed (gzip, br)",
    ),
    "a huge header": (answering(b"X: " + b"x" * 5_000_000 + b"\r\n\r\n"), FetchFailed, "as a web server does"),
    "headers without end": (answering(*[b"X-More: 1\r\n"] * 400, pause_s=0.02), FetchFailed, "did not answer within"),
    "a redirect without an end of its headers": (
        answering(*[b"Location: /\r\n"] * 400, pause_s=0.02, head=b"HTTP/1.1 302 F\r\n"), FetchFailed, "did not answer within",
    ),
    "no answer": (answering(head=b"", hold=True), FetchFailed, "did not answer within"),
    "a connection that is closed": (answering(head=b""), FetchFailed, "as a web server does"),
    "no HTTP": (answering(head=b"SSH-2.0-OpenSSH_9.2\r\n"), FetchFailed, "as a web server does"),
    "a web page": (answering(whole(b"<!doctype html>" + SECRET)), MediaRefused, "not a video"),
    "a playlist": (answering(whole(b"#EXTM3U\n#EXTINF:1.0,\nfile:///etc/passwd\n")), MediaRefused, "not a video"),
    "nothing": (answering(whole(b"")), MediaRefused, "empty"),
    "a sound that is cut off": (answering(PLAIN + GOOD_HEAD[:40]), MediaRefused, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_ends_in_time_and_leaves_nothing(world: World, outside: Outside, name: str) -> None:
    outside.serve, error, words = BOMBS[name]
    fetcher = make_fetcher(world, outside, **(HASTY if words in TIMES else {}))
    began_s = time.monotonic()
    with pytest.raises(error) as refusal:
        await fetcher.take(outside.url("/a.wav"), owner="")
    assert time.monotonic() - began_s < 6
    assert words in refusal.value.detail
    assert SECRET.decode() not in refusal.value.detail
    assert await left(world) == []


async def test_a_tls_handshake_that_does_not_come_on_ends_in_time(world: World, outside: Outside) -> None:
    fetcher = make_fetcher(world, outside, **HASTY)

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in b"\x16\x03\x03\x40\x00" + bytes(500):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.02)

    outside.serve = drip
    began_s = time.monotonic()
    with pytest.raises(FetchFailed, match="did not answer within"):
        await fetcher.take(f"https://{PUBLIC_NAME}:{outside.port}/a.mp4", owner="")
    assert time.monotonic() - began_s < 3 and outside.asked == 1
    assert await left(world) == []


async def test_a_name_server_that_hangs_ends_in_time(world: World, outside: Outside) -> None:
    async def hang(host: str, port: int) -> list[str]:
        await asyncio.sleep(30)
        return []

    fetcher = MediaFetcher(intake=world.services.intake, head_s=0.2, resolve=hang)
    with pytest.raises(FetchFailed, match="did not answer within"):
        await fetcher.take("http://slow.example/", owner="")


async def test_from_https_nothing_leads_to_http(
    world: World, outside: Outside, fetcher: MediaFetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={PUBLIC_NAME}"]
    make += ["-addext", f"subjectAltName=DNS:{PUBLIC_NAME}", "-keyout", str(key), "-out", str(certificate)]
    await asyncio.to_thread(subprocess.run, make, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    redirect = answering(
        f"Location: {outside.url('/b')}\r\nContent-Length: 0\r\n\r\n".encode(), head=b"HTTP/1.1 302 F\r\n"
    )
    server = await asyncio.start_server(redirect, PUBLIC, 0, ssl=context)
    async with server:
        url = f"https://{PUBLIC_NAME}:{server.sockets[0].getsockname()[1]}/a"
        with pytest.raises(FetchFailed, match="no connection"):  # a certificate that nobody vouches for
            await fetcher.take(url, owner="")
        monkeypatch.setattr("certifi.where", lambda: str(certificate))
        with pytest.raises(FetchFailed, match="redirects from https to http"):
            await fetcher.take(url, owner="")
    assert outside.asked == 0


async def test_whoever_gives_up_leaves_nothing(world: World, outside: Outside, fetcher: MediaFetcher) -> None:
    outside.serve = answering(CHUNKED, chunk(GOOD_HEAD), *[chunk(bytes(SMALL))] * 400, pause_s=0.1)
    task = asyncio.create_task(fetcher.take(outside.url("/a.wav"), owner=""))
    while not outside.asked:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert await left(world) == []


async def test_a_full_disk_is_told_before_anything_is_written(world: World, outside: Outside, song: bytes) -> None:
    outside.serve = answering(whole(song))
    with pytest.raises(StorageFull):
        await make_fetcher(world, outside, free_bytes=1000).take(outside.url("/a.wav"), owner="")
    assert await left(world) == []


async def test_one_owner_cannot_take_all_the_places(
    world: World, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_media, "MAX_AT_ONCE", 3)
    monkeypatch.setattr(fetch_media, "MAX_PER_OWNER", 2)
    outside.serve = answering(head=b"", hold=True)
    fetcher = make_fetcher(world, outside, **HASTY)

    async def outcome(owner: str) -> type[Exception]:
        with pytest.raises(VidgendError) as refusal:
            await fetcher.take(outside.url("/a"), owner=owner)
        return refusal.type

    ended = await asyncio.gather(*(outcome(owner) for owner in ("a", "a", "a", "b", "c")))
    assert ended == [FetchFailed, FetchFailed, FetchBusy, FetchFailed, FetchBusy]
    assert await outcome("a") is FetchFailed, "places are given back"
