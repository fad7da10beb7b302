"""Files made to harm: refused, or shown; never followed elsewhere, never a hang, never a full memory."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import struct
import subprocess
import zlib
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import get_args

import media
import pytest
from screening import clip_of, outcome, rgb, show_clip

from vidgend.errors import MediaUnreadable, VidgendError
from vidgend.pipeline.clip_facts import examine
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.media_kind import Demuxer, sniff
from vidgend.pipeline.probe import DECODERS, probe

NAMES = (
    "a.mp4",
    "a.mov",
    "a.mkv",
    "a.webm",
    "a.gif",
    "a.png",
    "a.jpg",
    "a.webp",
    "a.mp3",
    "a.ts",
    "a.m3u8",
    "a.svg",
    "a",
)


def texts(secret: Path) -> dict[str, bytes]:
    """Formats that name other files, pointing at `secret` and at a server."""
    url, path = "http://127.0.0.1:9/secret.ts", str(secret)
    uuid = "urn:uuid:0eb3d1b9-b77b-4d3f-bbe5-7c69b15dca85"
    return {
        "hls": f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1.0,\nfile://{path}\n#EXTINF:1.0,\n{url}\n#EXT-X-ENDLIST\n".encode(),
        "hls with a byte order mark": b"\xef\xbb\xbf#EXTM3U\n#EXTINF:1,\n" + path.encode(),
        "hls master": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nfile://{path}\n".encode(),
        "dash": f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S">'
        f"<Period><AdaptationSet><Representation id='1' bandwidth='1'><BaseURL>file://{path}</BaseURL></Representation>"
        f"</AdaptationSet></Period></MPD>".encode(),
        "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "ffconcat": f"ffconcat version 1.0\nfile '{path}'\nfile '{secret.name}'\n".encode(),
        "concat": f"file '{path}'\n".encode(),
        "svg": f"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><image href='file://{path}'/></svg>".encode(),
        "html": f"<!doctype html><html><img src='{url}'></html>".encode(),
        "imf": f'<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"><Id>{uuid}</Id>'
        f"</CompositionPlaylist>".encode(),
        "imf assets": f'<?xml version="1.0"?><AssetMap xmlns="http://www.smpte-ra.org/schemas/429-9/2007/AM"><Id>{uuid}</Id>'
        f"<AssetList><Asset><Id>{uuid}</Id><ChunkList><Chunk><Path>{path}</Path></Chunk></ChunkList></Asset></AssetList>"
        f"</AssetMap>".encode(),
        "filter graph": f"movie={path}\n".encode(),
        "metadata": f";FFMETADATA1\ntitle={path}\n".encode(),
        "rtsp": b"rtsptext\nrtsp://127.0.0.1:9/x\n",
        "smil": f"<smil><body><video src='{url}'/></body></smil>".encode(),
        "asx": f"<asx version='3.0'><entry><ref href='{url}'/></entry></asx>".encode(),
        "pls": f"[playlist]\nFile1={url}\n".encode(),
        "text": b"just words\n" * 200,
        "nothing": b"",
    }  # fmt: skip


def disguised(secret: Path) -> dict[str, bytes]:
    """The same behind the first bytes of a real format, so that sniffing alone lets them pass."""
    heads = {
        "mp4": b"\0\0\0\x18ftypisom\0\0\x02\0isommp42", "mkv": b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska\x42\x87\x81\x04",
        "gif": b"GIF89a\x10\0\x10\0\0\0\0", "png": b"\x89PNG\r\n\x1a\n", "jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
        "webp": b"RIFF\x40\0\0\0WEBPVP8 ",
    }  # fmt: skip
    bodies = texts(secret)
    return {
        f"{kind} then {name}": head + b"\n" + bodies[name]
        for kind, head in heads.items()
        for name in ("hls", "ffconcat", "sdp", "dash")
    }


@pytest.fixture
def secret(ffmpeg: Ffmpeg, tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return media.make(ffmpeg.path, ["-f", "lavfi", "-i", "color=red:s=64x64:d=1", "-f", "mpegts"], folder / "secret.ts")


async def test_what_names_other_files_is_refused_under_every_name(ffmpeg: Ffmpeg, tmp_path: Path, secret: Path) -> None:
    for kind, content in texts(secret).items():
        assert sniff(content[:4096]) is None, kind
        for name in NAMES:
            path = tmp_path / name
            path.write_bytes(content)
            with pytest.raises(MediaUnreadable):
                await examine(ffmpeg, path)


async def test_a_disguised_one_is_refused_too(ffmpeg: Ffmpeg, tmp_path: Path, secret: Path) -> None:
    for content in disguised(secret).values():
        path = tmp_path / "a.mp4"
        path.write_bytes(content)
        with pytest.raises(MediaUnreadable):
            await examine(ffmpeg, path)


def png(width: int, height: int, rows: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b"\0" * (width * 3 + 1)) for _ in range(rows)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@cache
def bombs() -> dict[str, bytes]:
    huge = struct.pack("<HH", 65535, 65535)
    jpeg = b"\xff\xd8\xff\xc0\0\x11\x08\xff\xdc\xff\xdc\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xff\xda\0\x0c\x03\x01\0\x02\x11\x03\x11\0\x3f\0"
    return {
        "a 190 kB PNG of 14000 x 14000": png(14_000, 14_000, 14_000),
        "a PNG of 200 000 x 300": png(200_000, 300, 10),
        "a GIF of 65535 x 65535": b"GIF89a" + huge + b"\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0" + huge + b"\0\x02\x02\x44\x01\0;",
        "a JPEG of 65500 x 65500": jpeg + b"\0" * 500 + b"\xff\xd9",
        "a WebP of 16383 x 16383": b"RIFF\x2a\0\0\0WEBPVP8L\x1e\0\0\0\x2f\xfe\xff\xff\x0f" + b"\x07\x10\xfd\x8f\xfe\x07\x22" * 4,
    }  # fmt: skip


BOMBS = (
    "a 190 kB PNG of 14000 x 14000", "a PNG of 200 000 x 300", "a GIF of 65535 x 65535", "a JPEG of 65500 x 65500",
    "a WebP of 16383 x 16383",
)  # fmt: skip
"""Known without making them, which takes seconds of each process that collects the tests."""


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_takes_memory_or_time(ffmpeg: Ffmpeg, tmp_path: Path, name: str) -> None:
    path = tmp_path / "bomb"
    assert bombs().keys() == set(BOMBS)
    path.write_bytes(bombs()[name])
    word, megabytes = outcome(ffmpeg, path, within_s=15)
    assert word == "refused"
    assert megabytes < 150


@pytest.mark.parametrize("pixels", ["yuvj420p", "rgb24", "rgba64be"])
def test_the_largest_photo_that_is_allowed_takes_a_bounded_memory(ffmpeg: Ffmpeg, tmp_path: Path, pixels: str) -> None:
    codec = ("-c:v", "mjpeg") if pixels == "yuvj420p" else ("-c:v", "png", "-compression_level", "1")
    photo = media.make(
        ffmpeg.path,
        ["-f", "lavfi", "-i", "testsrc2=s=8640x5760:r=1", "-frames:v", "1", "-pix_fmt", pixels, *codec, "-f", "image2", "-update", "1"],
        tmp_path / "photo",
    )  # fmt: skip
    word, megabytes = outcome(ffmpeg, photo, within_s=120)
    assert word == "shown"
    assert megabytes < (1100 if pixels == "rgba64be" else 400)


async def test_a_file_of_too_many_streams_is_refused(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    maps = ["-map", "0"] * 70
    path = media.make(
        ffmpeg.path, ["-f", "lavfi", "-i", "color=s=16x16:d=0.2", *maps, "-c:v", "ffv1"], tmp_path / "a.mkv"
    )
    with pytest.raises(MediaUnreadable, match="64 streams"):
        await examine(ffmpeg, path)


async def test_a_decoder_that_is_not_on_the_list_is_not_opened(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    assert "roqvideo" not in DECODERS and "flv" not in DECODERS
    path = media.make(ffmpeg.path, ["-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-c:v", "flv1"], tmp_path / "a.mkv")
    with pytest.raises(MediaUnreadable):
        await examine(ffmpeg, path)


def samples(ffmpeg: Ffmpeg, folder: Path) -> list[Path]:
    """Small files of every kind that is read."""
    source = ["-f", "lavfi", "-i", "testsrc2=s=96x64:r=15:d=1"]
    sound = ["-f", "lavfi", "-i", "sine=d=1"]
    one = ["-frames:v", "1", "-f", "image2", "-update", "1"]
    recipes: dict[str, list[str]] = {
        "a.mp4": [*sound, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "2", "-g", "8"],
        "fast.mp4": ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart"],
        "a.mov": ["-c:v", "prores_ks"],
        "a.mkv": [*sound, "-c:v", "mpeg2video"],
        "a.webm": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"],
        "a.gif": [],
        "a.png": one,
        "a.jpg": one,
        "a.webp": ["-c:v", "libwebp", *one],
    }
    return [media.make(ffmpeg.path, [*source, *more], folder / name) for name, more in recipes.items()]


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Damaged in one of the ways that files are damaged, or that someone damages them."""
    data = bytearray(content)
    way = chance.randrange(6)
    if way == 0:
        del data[chance.randrange(1, len(data)) :]
    elif way in (1, 2):
        # The head is where formats keep sizes and counts.
        reach = min(len(data), 400) if way == 1 else len(data)
        for _ in range(chance.choice((1, 4, 32, 256))):
            data[chance.randrange(reach)] ^= 1 << chance.randrange(8)
    elif way == 3:
        at, size = chance.randrange(len(data)), chance.randrange(1, 600)
        data[at : at + size] = chance.choice((b"\0", b"\xff")) * size
    elif way == 4:
        at = chance.randrange(len(data))
        data[at:at] = data[chance.randrange(len(data)) :][: chance.randrange(1, 900)]
    else:
        at = chance.randrange(max(1, len(data) - 4))
        data[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0"))
    return bytes(data)


async def test_a_hundred_damaged_files_are_each_shown_whole_or_refused(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    chance = random.Random(20_261)
    originals = [path.read_bytes() for path in samples(ffmpeg, tmp_path)]
    turns = asyncio.Semaphore(3)
    outcomes: list[str] = []

    async def one(number: int, content: bytes) -> None:
        path = tmp_path / f"mutant{number}"
        path.write_bytes(content)
        async with turns, asyncio.timeout(60):
            try:
                clip = clip_of(await examine(ffmpeg, path))
                segment = await show_clip(ffmpeg, clip, path, tmp_path, frames=8, size="64x36", fps="30", timeout_s=45)
                assert len(await asyncio.to_thread(rgb, ffmpeg.path, segment, "64x36")) == 8
                outcomes.append("shown")
            except VidgendError as error:
                assert error.code in ("media_unreadable", "ffmpeg_failed"), error
                outcomes.append(error.code)

    mutants = [mutated(chance.choice(originals), chance) for _ in range(108)]
    await asyncio.gather(*(one(number, content) for number, content in enumerate(mutants)))
    assert len(outcomes) == 108
    assert outcomes.count("shown") >= 15 and outcomes.count("media_unreadable") >= 15, outcomes
    # What passed the first look and then failed is told apart by the step, which decodes the clip alone.
    assert outcomes.count("ffmpeg_failed") <= 10, outcomes


ALLOWED = (
    "/lib", "/usr/lib", "/etc/ld.so", "/proc/", "/sys/", "/dev/null", "/dev/urandom", "/dev/shm", "/usr/share/fonts", "/etc/fonts",
    "/usr/local/share/fonts", "/var/cache/fontconfig", "/usr/share/fontconfig", "/etc/localtime", "/usr/share/zoneinfo",
)  # fmt: skip


def traced(ffmpeg: Ffmpeg, folder: Path) -> tuple[Ffmpeg, Path]:
    """The same ffmpeg under strace, and the folder of its logs. Skips where processes cannot be traced."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    if (
        subprocess.run(
            [strace, "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "true"], capture_output=True
        ).returncode
        != 0
    ):
        pytest.skip("processes cannot be traced here (ptrace is not allowed)")
    logs = folder / "logs"
    logs.mkdir()
    wrapper = folder / "ffmpeg"
    calls = "trace=open,openat,openat2,creat,connect,socket,execve,unlink,rename,link,symlink"
    wrapper.write_text(
        f'#!/bin/sh\nexec {strace} -f --seccomp-bpf -qq -y -s 4096 -e {calls} -o "{logs}/$$" {ffmpeg.path} "$@"\n'
    )
    wrapper.chmod(0o755)
    return replace(ffmpeg, path=str(wrapper)), logs


async def test_nothing_foreign_is_opened_and_nobody_is_called(ffmpeg: Ffmpeg, tmp_path: Path, secret: Path) -> None:
    tool, logs = traced(ffmpeg, tmp_path)
    corpus = tmp_path / "assets"
    corpus.mkdir()
    (corpus / secret.name).symlink_to(secret)  # what a relative name would find
    # The trap must be a trap: without our options ffmpeg falls into it, and the trace shows that.
    bait = corpus / "bait.mp4"
    bait.write_bytes(f"ffconcat version 1.0\nfile '{secret.name}'\n".encode())
    await tool.look(["-i", str(bait)], cwd=corpus, timeout_s=20)
    assert any(secret.name in log.read_text() for log in logs.iterdir())
    for log in logs.iterdir():
        log.unlink()
    contents = {**texts(secret), **disguised(secret)}
    shown = 0
    for number, content in enumerate(contents.values()):
        path = corpus / f"hostile{number}"
        path.write_bytes(content)
        with pytest.raises(MediaUnreadable):
            await examine(tool, path)
        # Even if someone believed the name: with each demuxer that is ever forced.
        for demuxer in get_args(Demuxer):
            with suppress(MediaUnreadable):
                await probe(tool, path, demuxer)
    chance = random.Random(4)
    for path in samples(ffmpeg, corpus):
        for content in (path.read_bytes(), mutated(path.read_bytes(), chance)):
            path.write_bytes(content)
            with suppress(VidgendError):
                clip = clip_of(await examine(tool, path))
                await show_clip(tool, clip, path, tmp_path, frames=8, size="64x36", fps="30")
                shown += 1
    assert shown >= 9
    opened: set[str] = set()
    calls = 0
    for log in logs.iterdir():
        for line in log.read_text(errors="replace").splitlines():
            calls += "open" in line
            assert not re.search(r"\bconnect\(|\bsocket\(AF_INET", line), line
            assert line.count("execve(") <= 1
            opened |= set(re.findall(r'(?:open|openat|openat2|creat)\((?:AT_FDCWD<[^>]*>, )?"([^"]+)"', line))
    assert calls > 500 and any("source.media" in name for name in opened), "nothing was traced"
    allowed = (*ALLOWED, str(corpus), str(tmp_path / "show"), str(Path(ffmpeg.path).parent))
    foreign = {name for name in opened if name.startswith("/") and not name.startswith(allowed)}
    assert not foreign
    assert not any("secret" in name for name in opened)
    assert {name for name in opened if not name.startswith("/")} <= {
        "source.media",
        "segment.mp4",
        "poster.jpg",
        "scan.raw",
        "source.media.yuv",
    }
