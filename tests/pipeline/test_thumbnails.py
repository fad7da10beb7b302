"""Thumbnails for a review: what is in them is measured in their pixels."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import media
import numpy as np
import pytest
from ready_database import ready
from standins.pexels_standin import PexelsStandin, StandinClip

from vidgend.errors import ProviderError
from vidgend.models import Brief, Candidate, Clip, Credit, Scene, Storyboard
from vidgend.pipeline.candidate_to_thumbnail import KIND, CandidateThumbnailStep
from vidgend.pipeline.clip_facts import examine
from vidgend.pipeline.executor.local import LocalExecutor
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.footage.fake import FakeFootage
from vidgend.pipeline.footage.generated import GeneratedFootage
from vidgend.pipeline.footage.library import LibraryFootage
from vidgend.pipeline.footage.pexels import PexelsFootage
from vidgend.pipeline.footage.port import FootageProvider, FootageQuery
from vidgend.pipeline.progress import Progress
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.storyboard_to_thumbnails import make_thumbnails
from vidgend.pipeline.thumbnail_args import thumbnail_size
from vidgend.store.assets.select import open_filesystem_assets
from vidgend.store.assets.store import AssetStore
from vidgend.store.database import Database
from vidgend.store.steps import StepStore
from vidgend.store.storyboards import STORYBOARD

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def jpeg_pixels(ffmpeg: str, content: bytes) -> np.ndarray:
    """uint8[height, width, 3], as a browser takes the file: JFIF, which says nothing about its colours."""
    assert content.startswith(b"\xff\xd8\xff") and b"CS=" not in content
    at = content.index(b"\xff\xc0")  # the frame header: precision, height, width
    height, width = (int.from_bytes(content[at + here : at + here + 2], "big") for here in (5, 7))
    raw = output_of(
        [ffmpeg, "-v", "error", "-f", "jpeg_pipe", "-i", "pipe:0", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"], content
    )
    return np.frombuffer(raw, np.uint8).reshape(height, width, 3)


def output_of(argv: list[str], given: bytes = b"") -> bytes:
    return subprocess.run(argv, input=given, check=True, capture_output=True).stdout


@dataclass(kw_only=True)
class Darkroom:
    assets: AssetStore
    tool: FfmpegTool
    database: Database
    run: JobRun
    providers: Sequence[FootageProvider]
    notes: list[str] = field(default_factory=list)

    async def develop(self, *scenes: Scene, brief: Brief | None = None) -> tuple[Scene, ...]:
        """The scenes with their thumbnails."""
        board = Storyboard(title="", language="en", planner="", stretch=False, fps="30", scenes=scenes)
        made = await make_thumbnails(
            self.run, brief or Brief(prompt="p"), board, providers=self.providers, ffmpeg=self.tool
        )
        return made.scenes

    async def content(self, scene: Scene, number: int = 0) -> bytes:
        return (await self.assets.local(scene.thumbnails[number].digest)).read_bytes()

    async def pixels(self, scene: Scene, number: int = 0) -> np.ndarray:
        """uint8[height, width, 3]"""
        return jpeg_pixels((await self.tool.get()).path, await self.content(scene, number))


@asynccontextmanager
async def open_darkroom(folder: Path, *providers: FootageProvider) -> AsyncIterator[Darkroom]:
    notes: list[str] = []

    async def announce(*_: Any) -> None:
        return None

    async def note(line: str) -> None:
        notes.append(line)

    tool = FfmpegTool()
    database = await Database.open(ready(folder / "room.db"))
    assets = await open_filesystem_assets(database, folder / "room-assets")
    executor = LocalExecutor(
        slots={"io": 8, "ffmpeg": 1, "net": 4},
        registry={KIND: CandidateThumbnailStep(providers, tool, assets)},
        steps=StepStore(database, assets, boot_id="test"), work=folder / "room-work",
    )  # fmt: skip
    run = JobRun(executor, job_id="", salt="", announce=announce, note=note, progress=Progress())
    try:
        yield Darkroom(assets=assets, tool=tool, database=database, run=run, providers=providers, notes=notes)
    finally:
        await executor.aclose()
        await assets.aclose()
        await database.close()


def traffic_light(ffmpeg: Ffmpeg, path: Path, *, size: str = "640x360") -> Path:
    """Three seconds: red, from 0.8 s on green, from 1.4 s on blue."""
    parts = [f"color=c=0x{hue}:s={size}:r=30:d={seconds}" for hue, seconds in
             (("ff0000", 0.8), ("00ff00", 0.6), ("0000ff", 1.6))]  # fmt: skip
    graph = f"{';'.join(f'{part}[p{number}]' for number, part in enumerate(parts))};[p0][p1][p2]concat=n=3"
    path.parent.mkdir(exist_ok=True)
    return media.make(
        ffmpeg.path,
        ["-filter_complex", f"{graph},scale=out_color_matrix=bt709:out_range=tv,format=yuv420p",
         "-colorspace", "bt709", "-c:v", "libx264", "-preset", "ultrafast", "-f", "mp4"],
        path,
    )  # fmt: skip


def scene(*candidates: Candidate, index: int = 0, **more: Any) -> Scene:
    return Scene(index=index, narration="", queries=("sea",), candidates=candidates, **({"frames": 30} | more))


def candidate(name: str, provider: str = "fake", **more: Any) -> Candidate:
    return Candidate(
        provider=provider, id=name, kind="video", description=name, credit=Credit(provider=provider), **more
    )


def assert_mostly(pixels: np.ndarray, colour: tuple[int, int, int]) -> None:
    assert np.abs(pixels.reshape(-1, 3).mean(axis=0) - colour).max() < 12, pixels.reshape(-1, 3).mean(axis=0)


@pytest.mark.parametrize(
    ("picture", "thumbnail"),
    [
        ((1920, 1080), (480, 270)),
        ((1080, 1920), (270, 480)),
        ((4096, 2160), (480, 254)),
        ((100, 50), (100, 50)),
        ((6000, 500), (480, 40)),
        ((1, 1), (2, 2)),
    ],
)
def test_a_thumbnail_has_the_shape_of_its_picture_and_is_not_large(
    picture: tuple[int, int], thumbnail: tuple[int, int]
) -> None:
    assert thumbnail_size(*picture) == thumbnail


async def test_a_file_of_the_library_is_shown_as_it_is_a_third_into_it(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    traffic_light(ffmpeg, tmp_path / "clips" / "sea.mp4")
    library = LibraryFootage([tmp_path / "clips"])
    (found,) = await library.search(FootageQuery(text="sea", width_px=640, height_px=360))
    async with open_darkroom(tmp_path, library) as room:
        (shown,) = await room.develop(scene(found))
        assert [(one.provider, one.id) for one in shown.thumbnails] == [("library", found.id)]
        pixels = await room.pixels(shown)
        assert pixels.shape == (270, 480, 3)
        assert_mostly(pixels, GREEN)
        kind = await room.database.read(
            "SELECT content_type FROM assets WHERE digest = ?", (shown.thumbnails[0].digest,)
        )
        assert kind == [("image/jpeg",)] and not room.notes
    assert [path.name for path in (tmp_path / "clips").iterdir()] == ["sea.mp4"]


@pytest.mark.parametrize(
    ("in_point_s", "frames", "colour"), [(0.0, 30, RED), (0.6, 45, GREEN), (1.5, 30, BLUE), (None, 84, GREEN)]
)
async def test_a_stored_clip_is_shown_where_its_scene_shows_it(
    ffmpeg: Ffmpeg, tmp_path: Path, in_point_s: float | None, frames: int, colour: tuple[int, int, int]
) -> None:
    path = traffic_light(ffmpeg, tmp_path / "clip.mp4", size="320x180")
    facts = await examine(ffmpeg, path)
    known = {name: facts[name] for name in ("kind", "demuxer", "width_px", "height_px", "fps", "duration_s")}
    async with open_darkroom(tmp_path) as room:
        clip = Clip(
            provider="upload", id="mine", description="", query="", credit=Credit(provider="upload"),
            digest=await room.assets.put(path), in_point_s=in_point_s, **known,
        )  # fmt: skip
        (shown,) = await room.develop(scene(clip=clip, frames=frames))
        assert [(one.provider, one.id) for one in shown.thumbnails] == [("upload", "mine")]
        assert_mostly(await room.pixels(shown), colour)


async def test_the_still_of_a_provider_is_decoded_and_made_anew(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    plain = media.make(
        ffmpeg.path, ["-f", "lavfi", "-i", "color=c=0x00ff00:s=1280x720,format=yuvj420p", "-frames:v", "1"],
        tmp_path / "plain.jpg",
    ).read_bytes()  # fmt: skip
    tag = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"  # turned to the right
    exif, note = b"Exif\0\0" + tag + b"a secret note", b"<script>"
    still = b"\xff\xd8" + b"".join(
        b"\xff" + mark + (len(body) + 2).to_bytes(2, "big") + body for mark, body in ((b"\xe1", exif), (b"\xfe", note))
    ) + plain[2:]  # fmt: skip
    clips = [StandinClip(path=tmp_path / "sea.mp4", width=1280, height=720)]
    async with PexelsStandin(clips=clips, picture=still) as standin, httpx.AsyncClient() as client:
        pexels = PexelsFootage(api_key=standin.key, client=client, base_url=standin.base_url)
        (found,) = await pexels.search(FootageQuery(text="sea", width_px=1280, height_px=720))
        async with open_darkroom(tmp_path, pexels) as room:
            (shown,) = await room.develop(scene(found))
            content, pixels = await room.content(shown), await room.pixels(shown)
    assert pixels.shape == (480, 270, 3), "upright"
    assert_mostly(pixels, GREEN)
    assert b"secret" not in content and b"script" not in content and b"Exif" not in content
    assert len(content) < 40_000
    assert standin.pictures_asked == [None] and not standin.downloads, "one picture, without the key"


@pytest.mark.parametrize(
    "sent", [b"<html><img src=x></html>", b"\xff\xd8\xff\xe0 no picture", b"", b"\xff\xd8\xff" * 5000, None]
)
async def test_a_bad_still_is_no_thumbnail_and_no_failure_and_the_log_says_why(
    tmp_path: Path, sent: bytes | None
) -> None:
    clips = [StandinClip(path=tmp_path / "sea.mp4", width=1280, height=720)]
    async with PexelsStandin(clips=clips, picture=sent) as standin, httpx.AsyncClient() as client:
        pexels = PexelsFootage(
            api_key=standin.key, client=client, base_url=standin.base_url, retry_wait_s=0.0, max_preview_bytes=10_000
        )
        (found,) = await pexels.search(FootageQuery(text="sea", width_px=1280, height_px=720))
        async with open_darkroom(tmp_path, pexels) as room:
            (shown, bare) = await room.develop(scene(found), scene(replace(found, preview_url=None), index=1))
            assert shown.thumbnails == bare.thumbnails == ()
            assert shown.candidates == (found,)
    assert len(room.notes) == 2 and all(line.startswith("no thumbnail of scene ") for line in room.notes)
    assert any("scene 2's pexels 1000001: Pexels has no picture" in line for line in room.notes)


async def test_a_painting_is_the_one_that_the_scene_would_show(tmp_path: Path) -> None:
    generated = GeneratedFootage()
    found = await generated.search(FootageQuery(text="city night", width_px=320, height_px=180, seed=3))
    async with open_darkroom(tmp_path, generated) as room:
        (shown,) = await room.develop(scene(found[0], frames=50))
        made = (await room.pixels(shown)).astype(float)
    recipe = {**(found[0].recipe or {}), "fps": "30", "first": 20, "frames": 1}
    raw = output_of([sys.executable, "-m", "vidgend.pipeline.footage.paint", json.dumps(recipe)])
    painted = np.frombuffer(raw, np.uint8).reshape(180, 320, 3).astype(float)
    assert made.shape == painted.shape
    assert np.abs(made - painted).mean() < 4


async def test_the_clip_and_two_more_candidates_of_each_scene_are_shown_each_once(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    files = {name: media.clip(ffmpeg.path, tmp_path / f"{name}.mp4", seconds=0.5, size="160x90") for name in "abcde"}
    fake = FakeFootage(files=files)
    clips = tuple(candidate(name) for name in files)
    async with open_darkroom(tmp_path, fake) as room:
        first, second = await room.develop(scene(*clips), scene(*clips[:2], index=1))
        assert [one.id for one in first.thumbnails] == ["a", "b", "c"]
        assert first.thumbnails[:2] == second.thumbnails
        assert sorted(fake.previewed) == ["a", "b", "c"], "what two scenes want is made once"
        again = await room.develop(first, second)
        assert (first, second) == again and len(fake.previewed) == 3


async def test_one_bad_candidate_takes_nothing_from_the_others(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    good = media.clip(ffmpeg.path, tmp_path / "good.mp4", seconds=0.5, size="160x90")
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(good.read_bytes()[:300])
    async with open_darkroom(tmp_path, FakeFootage(files={"good": good, "bad": bad})) as room:
        (shown,) = await room.develop(scene(candidate("bad"), candidate("good"), candidate("gone")))
        assert [one.id for one in shown.thumbnails] == ["good"]
        (left,) = await room.develop(scene(candidate("x", provider="sold")))
    assert left.thumbnails == () and "not among the footage providers" in room.notes[-1]


async def test_a_provider_that_does_not_answer_is_not_asked_for_every_picture(tmp_path: Path) -> None:
    fake = FakeFootage()
    fake.preview_error = ProviderError("fake did not answer in time")
    scenes = [scene(*(candidate(f"{at} {number}") for number in range(3)), index=at) for at in range(12)]
    async with open_darkroom(tmp_path, fake) as room:
        assert all(not shown.thumbnails for shown in await room.develop(*scenes))
        assert len(fake.previewed) < 10
        (note,) = room.notes
        assert "and 33 more: fake did not answer in time" in note
        fake.preview_error = ProviderError("fake has no such picture")
        fake.preview_error.retryable = False
        fake.previewed.clear()
        await room.develop(*scenes[:4])
    assert len(fake.previewed) == 12, "what is the matter with one picture says nothing about the next"


def test_storyboards_of_the_time_before_thumbnails_can_be_read() -> None:
    board = Storyboard(
        title="", language="", planner="", stretch=False, fps="30",
        scenes=(scene(candidate("a", preview_url="https://x.example/a.jpeg")),),
    )  # fmt: skip
    old = json.loads(STORYBOARD.dump_json(board))
    del old["scenes"][0]["thumbnails"], old["scenes"][0]["candidates"][0]["preview_url"]
    read = STORYBOARD.validate_json(json.dumps(old))
    assert read.scenes[0].thumbnails == () and read.scenes[0].candidates[0].preview_url is None
