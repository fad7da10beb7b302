"""Text that would like to be a command, through a real job to its frames and files: it is shown as text, or refused."""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import media
import numpy as np
import pytest
from workshop import candidate, clips, finished, make, result, settings_for, workshop

from vidgend.http.edit_wire import PatchBody, RenderBody
from vidgend.http.own_media import EditMedia
from vidgend.http.revise import edit_storyboard, render_storyboard
from vidgend.models import Candidate, Credit, Result
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.footage.fake import FakeFootage
from vidgend.runtime import Runtime

WIDTH, HEIGHT, FPS = 320, 180, 6
MARKUP = (
    r"{\pos(0,0)}Alpha {\an8}stays below",
    r"{\alpha&HFF&}Seen{\r} \N\h {\fs200}big",
    r"{\p1}m 0 0 l 300 0 300 180{\p0} shape",
    r"Plain {\c&H0000FF&}ink {\3c&H00FF00&}here",
)
"""What libass would obey."""
TIMING = re.compile(r"(\d\d:)?\d\d:\d\d[.,]\d{3} --> (\d\d:)?\d\d:\d\d[.,]\d{3}")
Frames = np.ndarray


def hostile(secret: Path, canary: Path) -> tuple[str, ...]:
    return (
        *MARKUP,
        *(text.translate(str.maketrans("{}\\", "()+")) for text in MARKUP),
        "':;,[]=%{pts} drawtext=text='x'\\:y",
        f"movie={secret.name}[a];[a]null -vf x",
        f"concat:{secret.name}|b file:{secret.name}",
        f"$(touch {canary.name}) `touch {canary.name}`; x",
        "<b>bold</b> <script>alert(1)</script> & <i>",
        "00:00:00,000 --> 00:00:09,000\n\nWEBVTT\n\nNOTE x",
        "%s %n {0} {x!r} ' OR 1=1 -- DROP TABLE jobs",
        "Odd \u202eevil\u202c \u200b\u2060zero e" + "\u0301" * 40 + " \U0001f600 \U0001d573 end",
        "../../etc/passwd file:///etc/passwd C:\\Win",
        "Long " + "a" * 70,
        "Dialogue: 0,0:00:00.00,0:00:09.00\r\n[Script Info] x",
        "Bell \x07\x1b[31m\x9b\x85 and \ufffe\uffff end",
    )  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a file that nobody may read."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def unread(path: Path) -> None:
    """Give a file a time of access before its time of change, which the first reading moves (relatime)."""
    os.utime(path, (1, path.stat().st_mtime))


def evil_footage(files: dict[str, Path]) -> FakeFootage:
    def evil(name: str) -> Candidate:
        credit = Credit(
            provider="fake",
            author="{\\pos(0,0)}Eve\r\n<b>& --> %s",
            page_url="https://x.example/?a=<b>",
            licence="a\nb",
        )
        return replace(candidate(name), description="'; $(id) {\\an8}", credit=credit)

    return FakeFootage({"*": tuple(evil(name) for name in files)}, files)


async def test_text_is_shown_as_text(ffmpeg: Ffmpeg, tmp_path: Path, here: Path) -> None:
    secret, canary = here / "secret.txt", here / "canary"
    secret.write_text("ffconcat version 1.0\n")
    unread(secret)
    texts = hostile(secret, canary)
    body: dict[str, Any] = {
        "prompt": texts[0], "transitions": "cut", "language": "en", "music": {"mood": "'; {\\an8} ../../x"},
        "scenes": [{"narration": text, "query": f"sea {text}"[:200]} for text in texts], "quality": "draft",
        "metadata": dict(zip(texts, texts, strict=True)), "credits_card": True,
    }  # fmt: skip
    footage = evil_footage(clips(ffmpeg.path, tmp_path / "clips", 5))
    before = seen(tmp_path)
    async with workshop(tmp_path / "data", settings=settings_for(tmp_path / "data"), providers=(footage,)) as runtime:
        captioned = await make(runtime, **body, captions={"position": "bottom", "preset": "classic"})
        plain = await make(runtime, **body, captions=False)
        assert len(captioned.metadata) == len(set(texts))
        found = await runtime.storyboards.get(captioned.id)
        assert found is not None
        spans = [(scene.start_frame or 0, scene.frames or 0) for scene in found.storyboard.scenes]
        drawn = await frames(ffmpeg, runtime, result(captioned), tmp_path)
        bare = await frames(ffmpeg, runtime, result(plain), tmp_path)
        check_pictures(drawn, bare, spans, texts)
        await check_files(runtime, result(captioned), texts)
        await check_title(ffmpeg, runtime, captioned.id, tmp_path)
    assert not canary.exists()
    assert seen(tmp_path) == before, "nothing is written outside the data directory"
    probe = here / "probe"
    probe.write_text("x")
    unread(probe)
    probe.read_text()
    if probe.stat().st_atime != 1:  # this file system tells
        assert secret.stat().st_atime == 1, "the file was read"


def seen(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "data" not in path.relative_to(folder).parts}


async def frames(ffmpeg: Ffmpeg, runtime: Runtime, made: Result, folder: Path) -> Frames:
    """FPS pictures for each second of the video."""
    video = await runtime.assets.local(made.files["video"].digest)
    args = ["-i", str(video), "-vf", f"fps={FPS}", "-pix_fmt", "rgb24", "-f", "rawvideo"]
    raw = await asyncio.to_thread(media.make, ffmpeg.path, args, folder / "data" / "frames.raw")
    return np.fromfile(raw, np.uint8).reshape(-1, HEIGHT, WIDTH, 3)


def check_pictures(drawn: Frames, bare: Frames, spans: Sequence[tuple[int, int]], texts: Sequence[str]) -> None:
    assert drawn.shape == bare.shape
    boxes = []
    for (start, count), text in zip(spans, texts, strict=True):
        shown = slice(-(-start * FPS // 30) + 1, (start + count) * FPS // 30 - 1)
        differs = np.abs(drawn[shown].astype(int) - bare[shown]).max(axis=-1) > 90
        ink = differs.any(axis=0)
        assert ink.sum() > 150, f"{text!r} is not drawn"
        # A few pixels differ anywhere, since the encoder has other bits to spend.
        rows, columns = np.flatnonzero(ink.sum(axis=1) > 2), np.flatnonzero(ink.sum(axis=0) > 1)
        assert rows[0] > HEIGHT * 0.6, f"{text!r} leaves its place"
        boxes.append(np.array([rows[0], rows[-1], columns[0], columns[-1]]))
        coloured = drawn[shown][differs].astype(int)
        red = (coloured[:, 0] > 200) & (coloured[:, 1:].max(axis=1) < 90)
        assert red.mean() < 0.02, f"{text!r} has its own colour"
    for number, text in enumerate(MARKUP):
        twin = boxes[number + len(MARKUP)]
        assert np.abs(boxes[number] - twin).max() <= 12, f"{text!r} is not drawn like other brackets and signs"


def letters(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


async def check_files(runtime: Runtime, made: Result, texts: Sequence[str]) -> None:
    files = {role: (await runtime.assets.local(file.digest)).read_bytes().decode() for role, file in made.files.items()
             if role in ("srt", "vtt", "words", "credits", "description")}  # fmt: skip
    wanted = letters("".join(texts))
    srt = ["\n".join(lines) for lines in cues(files["srt"].split("\n\n"), head=2)]
    assert letters("".join(srt)) == wanted
    assert not re.search(r"</?(b|i|u|s|font)\b|\{\\|-->", "".join(srt)), "a player would take it for a command"
    head, *blocks = files["vtt"].split("\n\n")
    assert head == "WEBVTT"
    vtt = ["\n".join(lines) for lines in cues(blocks, head=1)]
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", "".join(vtt))
    assert letters(html.unescape("".join(vtt))) == wanted
    assert json.loads(files["words"]) and json.loads(files["credits"])
    for name in ("srt", "vtt", "description"):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", files[name]), name


def cues(blocks: Sequence[str], *, head: int) -> Iterator[list[str]]:
    """The text of each cue. Every block is one, so no text has made a block or a timing of its own."""
    for block in blocks:
        lines = block.strip("\n").split("\n")
        if lines == [""]:
            continue
        assert TIMING.fullmatch(lines[head - 1]), block
        assert not any(TIMING.search(line) for line in lines[head:]), block
        yield lines[head:]


async def check_title(ffmpeg: Ffmpeg, runtime: Runtime, job_id: str, folder: Path) -> None:
    """A new title and author, which cost no encode; the title is in the file's metadata as it is."""
    title = "title=x;\\ # [a]'\"\r\n{\\pos(0,0)} %s\u202e 'end'"
    patch = PatchBody(title=title, author="' OR 1=1 --\x1b[31m")
    await edit_storyboard(runtime, job_id, patch, if_match=None, media=EditMedia())
    await render_storyboard(runtime, job_id, RenderBody())
    runtime.worker.wake()
    made = result(await finished(runtime, job_id))
    video = await runtime.assets.local(made.files["video"].digest)
    told = (await ffmpeg.capture(["-i", str(video), "-f", "ffmetadata", "pipe:1"], cwd=folder)).stdout.decode()
    assert letters(title) in letters(re.sub(r"\\(.)", r"\1", told, flags=re.DOTALL))
    assert "[CHAPTER]" not in told and "[STREAM]" not in told
