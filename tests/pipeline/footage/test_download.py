"""Files from a server that breaks off, hangs, lies and changes its mind: the right bytes, or a reason and nothing left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from standins.pexels_standin import PexelsStandin
from standins.stock_standin import StandinClip

from vidgend.errors import ProviderError, ProviderGarbage, ProviderRateLimited
from vidgend.pipeline.footage.download import CHUNK_BYTES, download
from vidgend.pipeline.media_kind import MediaType

MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 12_000  # 3 MB
Get = Callable[..., Awaitable[MediaType]]


@pytest.fixture
async def standin(tmp_path: Path) -> AsyncIterator[PexelsStandin]:
    path = tmp_path / "sea.mp4"
    path.write_bytes(MP4)
    async with PexelsStandin(clips=[StandinClip(path=path, width=1920, height=1080)]) as standin:
        yield standin


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "clip.mp4"


@pytest.fixture
async def get(standin: PexelsStandin, target: Path) -> AsyncIterator[Get]:
    async with httpx.AsyncClient() as client:

        async def fetch(**options: Any) -> MediaType:
            url = standin.file_url(1_000_001, (1920, 1080), "hd")
            options = {"timeout_s": 20.0, "retry_wait_s": 0.0, "told_bytes": len(MP4), **options}
            return await download(client, url, target, name="Pexels", trusted=httpx.URL(standin.base_url), **options)

        yield fetch


def ranges(standin: PexelsStandin) -> list[str | None]:
    return [item.range for item in standin.downloads]


def nothing_left(target: Path) -> bool:
    return list(target.parent.iterdir()) == []


async def test_what_broke_off_goes_on_where_it_was(standin: PexelsStandin, get: Get, target: Path) -> None:
    standin.mode, standin.times = "truncated", 2
    found = await get()
    assert found.demuxer == "mov" and target.read_bytes() == MP4
    half = len(MP4) // 2
    assert ranges(standin) == [None, f"bytes={half}-", f"bytes={half + (len(MP4) - half) // 2}-"]
    assert [item.status for item in standin.downloads] == [200, 206, 206]
    assert standin.downloads[1].if_range is not None
    assert sum(item.sent_bytes for item in standin.downloads) == len(MP4), "nothing was sent twice"
    assert [path.name for path in target.parent.iterdir()] == ["clip.mp4"]


async def test_a_connection_that_says_nothing_is_given_up_and_the_rest_comes_on_another(
    standin: PexelsStandin, get: Get, target: Path
) -> None:
    standin.mode, standin.times = "slow_file", 1
    await get(stall_s=0.3)
    assert target.read_bytes() == MP4
    assert ranges(standin) == [None, f"bytes={len(MP4) // 2}-"]


async def test_it_goes_on_as_long_as_each_connection_brings_a_good_piece(
    standin: PexelsStandin, get: Get, target: Path
) -> None:
    content = MP4 * 5
    standin.clips[0].path.write_bytes(content)
    served = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A piece of a little more than a MiB, then the end of the connection."""
        nonlocal served
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        first = int(head.partition("range: bytes=")[2].partition("-")[0] or 0)
        piece = content[first : first + CHUNK_BYTES + 1000]
        status = f"206 Partial Content\r\nContent-Range: bytes {first}-{len(content) - 1}/{len(content)}"
        line = status if first else "200 OK"
        lines = f'HTTP/1.1 {line}\r\nETag: "a"\r\nContent-Length: {len(content) - first}\r\n\r\n'
        writer.write(lines.encode() + piece)
        await writer.drain()
        writer.close()
        served += 1

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a.mp4"
        await download(client, url, target, name="Pexels", trusted=httpx.URL(url), timeout_s=20.0, retry_wait_s=0.0)
    assert target.read_bytes() == content
    assert served == -(-len(content) // (CHUNK_BYTES + 1000)) > 10


async def test_a_connection_that_breaks_off_before_it_is_known_what_comes_is_tried_again(target: Path) -> None:
    """Too little to tell what it is, even the four bytes that every MP4 begins with, is no reason to refuse the file."""
    served = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        await reader.readuntil(b"\r\n\r\n")
        served += 1
        head = f'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: {len(MP4)}\r\n\r\n'
        writer.write(head.encode() + (MP4[:4] if served == 1 else MP4))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a.mp4"
        await download(client, url, target, name="Pexels", trusted=httpx.URL(url), timeout_s=20.0, retry_wait_s=0.0)
    assert target.read_bytes() == MP4 and served == 2


async def test_small_pieces_are_tried_three_times_and_no_more(standin: PexelsStandin, get: Get, target: Path) -> None:
    standin.mode = "cut_small"
    with pytest.raises(ProviderError, match="broke off"):
        await get()
    assert ranges(standin) == [None, "bytes=100000-", "bytes=200000-"]
    assert nothing_left(target)


@pytest.mark.parametrize("validator", ["weak", ""])
async def test_without_a_sure_sign_that_it_is_the_same_file_it_is_fetched_anew(
    standin: PexelsStandin, get: Get, target: Path, validator: Any
) -> None:
    standin.validator = validator
    standin.mode, standin.times = "truncated", 1
    await get()
    assert target.read_bytes() == MP4
    assert ranges(standin) == [None, None]


async def test_a_date_is_a_sure_sign_if_it_is_long_past(standin: PexelsStandin, get: Get, target: Path) -> None:
    standin.validator = "date"
    standin.mode, standin.times = "truncated", 1
    await get()
    assert target.read_bytes() == MP4
    assert standin.downloads[1].if_range == "Mon, 02 Jan 2023 03:04:05 GMT"


class _Then:
    """The stand-in breaks off once, and then behaves in another way."""

    def __init__(self, standin: PexelsStandin, modes: list[str]) -> None:
        self._modes = modes
        spoil = standin.spoil

        def next_mode(asked: str | None, among: Any) -> str:
            return self._modes.pop(0) if self._modes else spoil(asked, among)

        standin.spoil = next_mode  # type: ignore[method-assign]


@pytest.mark.parametrize("later", ["no_part", "changed", "wrong_part"])
async def test_a_rest_that_does_not_belong_is_not_glued_on(
    standin: PexelsStandin, get: Get, target: Path, later: str
) -> None:
    _Then(standin, ["truncated", later])
    await get()
    changed = MP4[:-1] + bytes([MP4[-1] ^ 0xFF])
    assert target.read_bytes() == (changed if later == "changed" else MP4)
    assert [item.status for item in standin.downloads] == ([200, 206, 200] if later == "wrong_part" else [200, 200])


async def test_a_file_that_became_shorter_is_fetched_anew(standin: PexelsStandin, get: Get, target: Path) -> None:
    standin.validator = "date"  # the same one for both
    _Then(standin, ["truncated"])
    shorter = MP4[: len(MP4) // 2]

    async def shrink() -> None:
        while not standin.downloads:
            await standin.arrived.wait()
            standin.arrived.clear()
        while not standin.downloads[0].sent_bytes:
            await asyncio.sleep(0)
        await asyncio.to_thread(standin.clips[0].path.write_bytes, shorter)

    _, found = await asyncio.gather(shrink(), get(told_bytes=0, retry_wait_s=0.2))
    assert found.kind == "video" and target.read_bytes() == shorter
    assert [item.status for item in standin.downloads] == [200, 416, 200]


@pytest.mark.parametrize("header", ["repr-digest", "digest", "content-md5"])
async def test_a_checksum_is_held_against_the_file(standin: PexelsStandin, get: Get, target: Path, header: Any) -> None:
    standin.digest = header
    standin.mode, standin.times = "truncated", 1
    await get()
    assert target.read_bytes() == MP4 and len(standin.downloads) == 2, "a file in two parts as well"
    standin.mode, standin.times = "bad_checksum", 1
    await get()
    assert len(standin.downloads) == 4, "once more from the start"
    standin.mode, standin.times = "bad_checksum", None
    target.unlink()
    with pytest.raises(ProviderGarbage, match="checksum"):
        await get()
    assert len(standin.downloads) == 7 and nothing_left(target)


async def test_a_body_without_an_end_of_its_own_is_held_against_the_size_that_was_told(
    standin: PexelsStandin, get: Get, target: Path
) -> None:
    standin.mode, standin.times = "short", 1
    await get()
    assert target.read_bytes() == MP4 and ranges(standin) == [None, f"bytes={len(MP4) // 2}-"]
    standin.mode, standin.times, standin.validator = "short", None, ""
    target.unlink()
    with pytest.raises(ProviderError, match=f"{len(MP4) // 2} of {len(MP4)} bytes"):
        await get()
    assert nothing_left(target)


@pytest.mark.parametrize(
    ("told", "taken"), [(2 * len(MP4), True), (2 * len(MP4) + 9, False), (len(MP4) // 2 - 9, False), (0, True)]
)
async def test_a_file_may_be_half_or_twice_as_large_as_is_told_but_no_other_one(
    standin: PexelsStandin, get: Get, target: Path, told: int, taken: bool
) -> None:
    if taken:
        await get(told_bytes=told)
        assert target.read_bytes() == MP4
    else:
        with pytest.raises(ProviderGarbage, match=f"of {len(MP4)} bytes and says that it has {told}"):
            await get(told_bytes=told)
        assert nothing_left(target) and len(standin.downloads) == 1


async def test_the_size_that_a_search_tells_is_held_against_the_file(
    standin: PexelsStandin, tmp_path: Path, target: Path
) -> None:
    from standins.stock_services import adapter

    from vidgend.pipeline.footage.port import FootageQuery

    standin.mode = "wrong_size"
    async with httpx.AsyncClient() as client:
        pexels = adapter("pexels", standin, client)
        (found,) = await pexels.search(FootageQuery(text="sea", width_px=640, height_px=360))
        with pytest.raises(ProviderGarbage, match="says that it has"):
            await pexels.fetch(found, width_px=640, height_px=360, path=target)
    assert nothing_left(target)


@pytest.mark.parametrize(
    ("mode", "why"), [("file_html", "a web page where a video"), ("file_garbage", "neither a video nor a photo")]
)
async def test_something_else_under_the_name_of_a_video_is_refused_with_what_it_is(
    standin: PexelsStandin, get: Get, target: Path, mode: Any, why: str
) -> None:
    standin.mode = mode
    with pytest.raises(ProviderGarbage, match=why):
        await get(kind="video")
    assert nothing_left(target) and len(standin.downloads) == 1


async def test_a_photo_is_no_video(standin: PexelsStandin, get: Get, target: Path) -> None:
    standin.clips[0].path.write_bytes(b"\xff\xd8\xff\xe0" + b"j" * 900)
    with pytest.raises(ProviderGarbage, match="sent a photo where a video should be"):
        await get(kind="video", told_bytes=0)
    assert nothing_left(target)
    assert (await get(kind="photo", told_bytes=0)).kind == "photo"


async def test_an_empty_file_is_none(standin: PexelsStandin, get: Get, target: Path) -> None:
    standin.clips[0].path.write_bytes(b"")
    with pytest.raises(ProviderGarbage, match="empty"):
        await get()
    assert nothing_left(target)


async def test_a_file_that_drips_ends_with_the_time_that_it_has(standin: PexelsStandin, get: Get, target: Path) -> None:
    standin.mode = "drip_file"
    with pytest.raises(ProviderError, match=r"not finished after 0\.4 s"):
        await get(timeout_s=0.4, stall_s=5.0)
    assert nothing_left(target)


async def test_a_server_that_hangs_is_left_long_before_the_time_that_the_file_has(
    standin: PexelsStandin, get: Get, target: Path
) -> None:
    standin.mode = "slow_file"
    standin.clips[0].path.write_bytes(MP4[:5000])
    with pytest.raises(ProviderError, match="did not answer in time"):
        await get(stall_s=0.05, told_bytes=0)
    assert len(standin.downloads) == 3 and nothing_left(target)


async def test_a_file_server_that_refuses_is_not_about_the_key(standin: PexelsStandin, get: Get, target: Path) -> None:
    standin.mode = "file_gone"
    with pytest.raises(ProviderError, match="does not give the file away") as caught:
        await get()
    assert type(caught.value) is ProviderError and not caught.value.retryable
    assert len(standin.downloads) == 1 and nothing_left(target)


async def test_a_file_server_that_has_had_enough_names_its_time(target: Path) -> None:
    async def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(429, headers={"Retry-After": "33"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        with pytest.raises(ProviderRateLimited) as caught:
            await download(
                client, "https://a.example/b", target, name="Pexels", trusted=httpx.URL("https://x/"), timeout_s=5.0
            )
    assert caught.value.retry_after_s == 33
    assert nothing_left(target)
