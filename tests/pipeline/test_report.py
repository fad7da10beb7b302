"""A finished video is checked, what is wrong with a scene is repaired once, and what stays wrong is said."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import media
import numpy as np
import pytest
from workshop import candidate, clips, fake_footage, make, settings_for, workshop

from vidgend import children
from vidgend.errors import NoFootage
from vidgend.models import Clip, Credit, Result, Scene, Storyboard
from vidgend.pipeline.captions.presets import PRESETS
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.footage.fake import FakeFootage
from vidgend.pipeline.peak_memory import PeakMemory, tree_bytes
from vidgend.pipeline.probe import packets
from vidgend.pipeline.progress import Progress
from vidgend.pipeline.quality_checks import Check
from vidgend.pipeline.repair import repaired
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.fake import FakeSpeech
from vidgend.pipeline.speech.port import Utterance
from vidgend.pipeline.storyboard_edit import BY_HAND
from vidgend.store.jobs import Job

PLAIN: dict[str, Any] = {"transitions": "cut", "captions": {"enabled": False}, "fps": 15}


def result(job: Job) -> Result:
    assert job.state == "completed", job.error
    assert isinstance(job.result, Result)
    return job.result


def failed(made: Result) -> list[tuple[str, int | None]]:
    checks = [check for check in made.report["checks"] if not check["passed"]]
    assert made.report["passed"] is (not checks)
    return [(check["name"], check.get("scene")) for check in checks]


def shown(made: Result) -> list[str]:
    return [entry["id"] for entry in made.report["footage"]]


def lavfi(ffmpeg: Ffmpeg, path: Path, chain: str) -> Path:
    return media.make(
        ffmpeg.path, ["-f", "lavfi", "-i", chain, "-c:v", "libx264", "-preset", "ultrafast", "-f", "mp4"], path
    )


def black(ffmpeg: Ffmpeg, folder: Path, name: str = "black", *, seconds: float = 4) -> dict[str, Path]:
    return {name: lavfi(ffmpeg, folder / f"{name}.mp4", f"color=black:s=320x180:r=30:d={seconds}")}


def frozen(ffmpeg: Ffmpeg, folder: Path) -> dict[str, Path]:
    """It moves for a moment, then one frame is repeated for five seconds."""
    chain = "mandelbrot=s=320x180:r=30:end_pts=30,trim=duration=0.5,tpad=stop_mode=clone:stop_duration=5"
    return {"frozen": lavfi(ffmpeg, folder / "frozen.mp4", chain)}


def twins(ffmpeg: Ffmpeg, folder: Path) -> dict[str, Path]:
    """A slow zoom, and the same clip from elsewhere: smaller, lighter, encoded anew."""
    zoom = "testsrc2=s=640x360:r=30:d=0.03,zoompan=z='1+on*0.002':d=110:s=320x180:fps=30"
    one = lavfi(ffmpeg, folder / "first.mp4", zoom)
    args = ["-i", str(one), "-vf", "scale=256:144,eq=brightness=0.04", "-preset", "ultrafast", "-f", "mp4"]
    return {"first": one, "twin": media.make(ffmpeg.path, args, folder / "twin.mp4")}


def sea(count: int, seconds: float = 2.6) -> list[dict[str, Any]]:
    return [{"narration": "The sea.", "query": "sea", "duration": seconds} for _ in range(count)]


async def test_a_black_and_a_frozen_scene_are_found_and_get_another_clip_and_a_twin_is_not_even_rendered(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    good = clips(ffmpeg.path, tmp_path / "clips", 3, seconds=3.5)
    files = {**black(ffmpeg, tmp_path), **frozen(ffmpeg, tmp_path), **twins(ffmpeg, tmp_path), **good}
    footage = FakeFootage({"*": tuple(candidate(name) for name in files)}, files)
    async with workshop(tmp_path / "data", providers=(footage,)) as runtime:
        job = await make(runtime, scenes=sea(4), **PLAIN)
        made = result(job)
        assert failed(made) == []
        assert shown(made) == ["clip2", "clip1", "first", "clip0"], "the twin of what is kept is no other clip"
        assert [(one["scene"], one["check"], one["was"]) for one in made.report["repaired"]] == [
            (1, "black", "fake black"), (2, "frozen", "fake frozen"),
        ]  # fmt: skip
        told = {entry.scene: (entry.wanted, entry.used, entry.reason) for entry in made.degraded if entry.scene}
        assert told[1][0] == "fake black" and told[1][2].startswith("check black: 2.")
        assert told[2][2].startswith("check frozen: 2.")
        assert told[4] == ("the first choice", "fake clip0", "fake twin: looks like the clip of scene 3")
        # The two that were thrown away were encoded as well; no frame of the video was encoded twice.
        assert 1.45 < made.report["encodes_per_frame"] < 1.55
        video = await runtime.assets.local(made.files["video"].digest)
        assert (await packets(ffmpeg, video))["video"].packets == made.report["frames"]
        light = media.gray(ffmpeg.path, video).mean(axis=(1, 2))
        assert light[20:-40].min() > 40
        lines = [line for _, line in await runtime.jobs.logs(job.id)]
        assert sum("it is made anew" in line for line in lines) == 2


async def test_a_repair_is_tried_once_and_what_stays_wrong_is_said(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = {
        **{name: black(ffmpeg, tmp_path, name, seconds=4 + at)[name] for at, name in enumerate(("b1", "b2", "b3", "b4"))},
        **frozen(ffmpeg, tmp_path), **clips(ffmpeg.path, tmp_path / "clips", 1),
    }  # fmt: skip
    offered = {"night": ("b1", "b2", "b3"), "harbour": ("frozen", "clip0"), "cave": ("b4",)}
    answers = {query: tuple(candidate(name) for name in names) for query, names in offered.items()}
    async with workshop(tmp_path / "data", providers=(FakeFootage(answers, files),)) as runtime:
        scenes = [{"narration": "Gulls cry.", "query": query, "duration": 2.6} for query in offered]
        job = await make(runtime, scenes=scenes, **PLAIN)
        made = result(job)
        assert shown(made) == ["b2", "clip0", "b4"]
        assert [one["scene"] for one in made.report["repaired"]] == [1, 2]
        assert {("black", 1), ("black", 3)} <= set(failed(made)) and ("frozen", 2) not in failed(made)
        told = {entry.scene: entry for entry in made.degraded if entry.wanted.startswith("at most")}
        assert told[1].reason == "check black: making the scene anew did not help"
        assert told[1].used.endswith("s of black picture") and float(told[1].used.split()[0]) > 2.5
        assert told[3].reason.startswith("check black: it could not be repaired: scene 3")
        found = await runtime.storyboards.being_made(job.id)
        assert found is not None and [one.clip.id for one in found[1].scenes if one.clip] == shown(made)


async def test_a_repair_that_fails_leaves_the_video_and_its_storyboard_as_they_were() -> None:
    @dataclass
    class Made:
        storyboard: Storyboard
        checks: tuple[Check, ...]

    clip = Clip(provider="p", id="dark", kind="video", description="", query="", credit=Credit(provider="p"))
    scene = Scene(index=0, narration="", queries=("x",), clip=clip)
    board = Storyboard(title="", language="en", planner="", stretch=False, fps="30", scenes=(scene,))
    dark = Check(name="black", passed=False, value=2, threshold=1, unit="s", wanted="light", found="dark", scene=1)
    made, asked, kept = Made(board, (dark,)), [], []

    async def make(wanted: Storyboard) -> Made:
        asked.append(wanted.scenes[0])
        raise NoFootage("there is nothing else")

    async def keep(storyboard: Storyboard) -> None:
        kept.append(storyboard)

    async def nothing(*_: Any) -> None:
        return None

    run = JobRun(None, job_id="j", salt="", announce=nothing, note=nothing, progress=Progress())  # type: ignore[arg-type]
    assert await repaired(run, made, make=make, keep=keep) is made
    assert kept == [] and [(one.clip, one.refused) for one in asked] == [(None, (("p", "dark"),))]
    (entry,) = run.substitutions
    assert entry.reason == "check black: it could not be repaired: there is nothing else"
    by_hand = replace(board, scenes=(replace(scene, why=BY_HAND),))
    await repaired(run, Made(by_hand, (dark,)), make=make, keep=keep)
    assert len(asked) == 1 and run.substitutions[-1].reason == "check black: the clip was chosen by hand"


class Mute(FakeSpeech):
    """Some texts cannot be heard: `once` not when they are said first, `never` at no time."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    async def synthesize(self, text: str, *, path: Path, **more: Any) -> Utterance:
        made = await super().synthesize(text, path=path, **more)
        self.said.append(text)
        if "never" in text or ("once" in text and self.said.count(text) == 1):
            await asyncio.to_thread(sound.write_wav, path, np.zeros(made.samples, np.float32), made.rate_hz)
        return made


class Second(FakeSpeech):
    name = "second"


async def test_a_sentence_that_cannot_be_heard_is_spoken_anew_and_then_by_another_engine(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 3)
    mute = Mute()
    async with workshop(tmp_path / "data", providers=(fake_footage(files),), engines=(mute, Second())) as runtime:
        texts = (
            "It was heard not once but later. And this one was heard.",
            "It was never to be heard at all.",
            "Heard.",
        )
        made = result(await make(runtime, scenes=[{"narration": text, "query": "sea"} for text in texts], **PLAIN))
        once, well = texts[0].split(". ")
        assert sorted(mute.said) == sorted([f"{once}.", f"{once}.", well, texts[1], texts[1], texts[2]])
        assert made.report["voice"] == ["fake fake_a", "second fake_a"]
        assert failed(made) == [] and made.report["repaired"] == []
        told = [entry for entry in made.degraded if entry.stage == "narrating"]
        assert [(entry.scene, entry.reason) for entry in told] == [
            (2, told[0].reason), (2, "fake cannot be heard, twice"),
        ]  # fmt: skip
        assert "are silent" in told[0].reason


async def test_caption_lines_that_are_too_long_are_laid_anew_and_words_that_are_too_fast_are_told(
    ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PRESETS["classic"].max_chars, "wide", 90)
    files = clips(ffmpeg.path, tmp_path / "clips", 2, seconds=6)
    settings = settings_for(tmp_path / "data", VIDGEND_SPEECH__SPEED="2.0")
    text = "The sea is calm today and a boat comes in from the bay while gulls follow it."
    fast = " ".join(["Gulls follow it to the wall and back to the sea again."] * 2)
    async with workshop(tmp_path / "data", settings=settings, providers=(fake_footage(files),)) as runtime:
        scenes = [{"narration": fast, "query": "sea"}, {"narration": text, "query": "sea", "duration": 5}]
        made = result(await make(runtime, scenes=scenes, transitions="cut", fps=15))
        assert {one["scene"]: one["reason"] for one in made.report["repaired"]}[2] == "77 characters in a caption line"
        assert failed(made) == [("caption_reading_speed", 1)]
        (entry,) = [entry for entry in made.degraded if entry.wanted.startswith("at most")]
        assert entry.scene == 1 and entry.reason.endswith("spoken faster than anyone reads")
        srt = (await runtime.assets.local(made.files["srt"].digest)).read_text().splitlines()
        lines = [line for line in srt if line and "-->" not in line and not line.isdigit()]
        assert " ".join(lines) == f"{fast} {text}" and max(map(len, lines)) <= 42


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of children is read from /proc")
async def test_the_memory_of_children_is_in_the_peak() -> None:
    before = tree_bytes(os.getpid())
    assert before is not None
    program = "held = bytearray(150_000_000)\nfor at in range(0, len(held), 4096): held[at] = 1\nprint(1, flush=True)\ninput()"
    async with PeakMemory() as memory:
        # The first look is over before there is a child: one that is not yet its own program shows its parent's pages.
        await memory.look()
        child = await children.Child.spawn([sys.executable, "-c", program], stdin=asyncio.subprocess.PIPE)
        try:
            assert child.process.stdout is not None
            await child.process.stdout.readline()
            await memory.look()
        finally:
            await child.stop()
    assert memory.peak_bytes is not None and 150e6 < memory.peak_bytes - before < 250e6


def test_where_the_system_does_not_tell_there_is_no_peak(tmp_path: Path) -> None:
    assert tree_bytes(os.getpid(), tmp_path / "none") is None
    assert tree_bytes(os.getpid(), tmp_path) is None
