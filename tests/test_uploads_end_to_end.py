"""Whole jobs with the user's own clip, photo and music, through the real store, steps and ffmpeg."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import media
import numpy as np
import pytest
from workshop import clips, fake_footage, make, result, workshop

from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.runtime import Runtime


@pytest.fixture
def own(ffmpeg: Ffmpeg, tmp_path: Path) -> dict[str, Path]:
    """A clip that is red for a second and then green, a blue photo, and a tone."""
    colours = "color=red:s=160x90:r=30:d=1[a];color=lime:s=160x90:r=30:d=3[b];[a][b]concat"
    return {
        "clip.mp4": media.make(
            ffmpeg.path, ["-f", "lavfi", "-i", colours, "-c:v", "libx264", "-preset", "ultrafast", "-f", "mp4"],
            tmp_path / "clip.mp4",
        ),
        "photo.png": media.make(
            ffmpeg.path, ["-f", "lavfi", "-i", "color=dodgerblue:s=160x90", "-frames:v", "1", "-f", "image2"],
            tmp_path / "photo.png",
        ),
        "song.wav": media.tone(tmp_path / "song.wav", seconds=3, hertz=1000),
    }  # fmt: skip


async def give(runtime: Runtime, path: Path) -> str:
    async def pieces() -> AsyncIterator[bytes]:
        yield path.read_bytes()

    return (await runtime.intake.take(pieces(), name=path.name, owner=""))[0].digest


def colours(ffmpeg: Ffmpeg, video: Path) -> list[str]:
    """Which of red, green and blue is strongest in the middle of each frame, without repeats."""
    raw = subprocess.run(
        [ffmpeg.path, "-v", "error", "-i", str(video), "-vf", "crop=iw/3:ih/3,scale=1:1", "-pix_fmt", "rgb24", "-f",
         "rawvideo", "-"], check=True, capture_output=True,
    ).stdout  # fmt: skip
    frames = np.frombuffer(raw, np.uint8).reshape(-1, 3).astype(int)
    seen: list[str] = []
    for frame in frames[frames.max(axis=1) > 60]:
        name = "red green blue".split()[int(frame.argmax())]
        if seen[-1:] != [name]:
            seen.append(name)
    return seen


async def test_a_video_shows_and_plays_what_its_user_gave(ffmpeg: Ffmpeg, tmp_path: Path, own: dict[str, Path]) -> None:
    footage = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 1))
    async with workshop(tmp_path / "data", providers=(footage,)) as runtime:
        clip, photo, song = [await give(runtime, path) for path in own.values()]
        made = result(
            await make(
                runtime,
                scenes=[
                    {"narration": "Here.", "clip": {"asset": clip, "in_point": 1.0}, "duration": 1.2},
                    {"narration": "There.", "image": photo, "duration": 1.2},
                    {"narration": "Again.", "clip": {"asset": clip, "in_point": 0.2}, "duration": 1.5},
                ],
                music={"asset": song, "ducking": False, "volume": 2},
                captions=False,
                transitions="cut",
                style="documentary",
            )
        )
        video = await runtime.assets.local(made.files["video"].digest)
        assert colours(ffmpeg, video) == ["green", "blue", "red", "green"], "from the second on that was asked for"
        assert footage.fetched == [] and not [one for one in made.degraded if one.stage == "retrieving"]
        spectrum = np.abs(np.fft.rfft(media.pcm(ffmpeg.path, video)[-24_000:]))
        assert abs(float(spectrum.argmax()) * 2 - 1000) < 10, "the tone is heard after the words"
        assert (made.credits[0].provider, made.credits[0].author) == ("upload", "")
        assert [one.author for one in made.credits if one.provider == "music"] == ["song"]
        assert [one["provider"] for one in made.report["footage"]] == ["upload"] * 3
        assert [one["id"] for one in made.report["footage"]] == [clip, photo, clip]
        assert not list((tmp_path / "data" / "work").iterdir())


async def test_a_job_whose_upload_is_gone_fails_and_takes_no_other_picture(
    ffmpeg: Ffmpeg, tmp_path: Path, own: dict[str, Path]
) -> None:
    footage = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 1))
    async with workshop(tmp_path / "data", providers=(footage,)) as runtime:
        photo = await give(runtime, own["photo.png"])
        scenes = [{"narration": "Here.", "image": photo}]
        (await runtime.assets.local(photo)).unlink()
        job = await make(runtime, scenes=scenes)
        assert job.state == "failed" and job.error is not None and job.error.code == "upload_lost"
        assert "photo.png" in job.error.detail and "Upload it again" in job.error.hint
        assert footage.fetched == []
        assert await give(runtime, own["photo.png"]) == photo
        again = await make(runtime, scenes=scenes, review=True)
        assert again.state == "awaiting_review"
        found = await runtime.storyboards.get(again.id)
        assert found is not None and [one.clip.id for one in found.storyboard.scenes if one.clip] == [photo]


async def test_a_plan_is_the_same_whichever_clip_its_scenes_show(
    ffmpeg: Ffmpeg, tmp_path: Path, own: dict[str, Path]
) -> None:
    footage = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 1))
    async with workshop(tmp_path / "data", providers=(footage,)) as runtime:
        photo = await give(runtime, own["photo.png"])
        for scene in ({"narration": "Here."}, {"narration": "Here.", "image": photo}):
            assert (await make(runtime, scenes=[scene], review=True)).state == "awaiting_review"
        rows = await runtime.database.read("SELECT count(*) FROM steps WHERE kind = 'plan'")
        assert rows == [(1,)]
