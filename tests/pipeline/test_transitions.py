"""Transitions through the real ffmpeg: what is joined must look like one render in one pass."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import media
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from studio import Studio, open_studio

from vidgend.models import Brief, Caption, Transition, TransitionKind, Word
from vidgend.pipeline import shot_ends
from vidgend.pipeline.captions.fonts import as_args, machine_fonts
from vidgend.pipeline.captions.presets import Frame, find_preset
from vidgend.pipeline.captions_ass import caption_script
from vidgend.pipeline.executor.slots import Slots
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.footage.generated import GeneratedFootage
from vidgend.pipeline.footage.port import FootageQuery
from vidgend.pipeline.probe import packets
from vidgend.pipeline.scene_to_segment import RenderSettings, encoding_args
from vidgend.pipeline.shot_ends_ahead import EndsAhead
from vidgend.pipeline.shot_picture import ShotPicture
from vidgend.pipeline.timeline import (
    Shot,
    fade_frames,
    fits_anywhere,
    shot_of,
    transition_frames,
    wished_frames,
)
from vidgend.timebase import frames_to_s, parse_fps

WIDTH, HEIGHT = 320, 180
RATES = ["24", "25", "30", "60", "24000/1001"]
KINDS: list[TransitionKind] = ["dissolve", "fade", "wipe", "slide", "zoom"]


@pytest.fixture
async def studio(ffmpeg: Ffmpeg, tmp_path: Path) -> AsyncIterator[Studio]:
    async with open_studio(ffmpeg, tmp_path) as opened:
        yield opened


def sharp(studio: Studio, fps: str = "30") -> dict[str, Any]:
    return {**studio.encoding(fps), "crf": 8}


def moving(ffmpeg: str, path: Path, *, rate: str, hue: int, seconds: float = 6.0) -> Path:
    """A picture that differs clearly from frame to frame, with long groups of pictures and B-frames."""
    source = f"testsrc2=size={WIDTH}x{HEIGHT}:rate={rate}:duration={seconds},hue=h={hue}"
    codec = (
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-crf",
        "8",
        "-g",
        "90",
        "-bf",
        "3",
        "-colorspace",
        "bt709",
        "-f",
        "mp4",
    )
    return media.make(ffmpeg, ["-f", "lavfi", "-i", source, "-vf", "format=yuv420p", *codec], path)


def luma(ffmpeg: str, path: Path) -> np.ndarray:
    """Every frame's brightness, float64[frames, height, width]."""
    raw = subprocess.run(
        [ffmpeg, "-nostdin", "-v", "error", "-i", str(path), "-vf", "extractplanes=y", "-fps_mode", "passthrough",
         "-f", "rawvideo", "-"],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    return np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH).astype(float)


def psnr(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Of each pair of frames, in dB."""
    return 10 * np.log10(255**2 / np.maximum(0.01, ((one - two) ** 2).mean(axis=(1, 2))))


def in_one_pass(
    ffmpeg: str, clips: list[dict[str, Any]], sources: list[Path], shots: list[Shot], fps: str, target: Path
) -> np.ndarray:
    """The same two shots and the dissolve between them by one hand-written command that never seeks."""
    rate = parse_fps(fps)
    graph = [
        f"[{number}:v]setpts={clip['window']['slow']}*(PTS-{clip['window']['start_s']}/TB),fps={fps}:start_time=0,"
        f"tpad=stop_mode=clone:stop_duration=1,trim=end_frame={shot.frames},setpts=PTS-STARTPTS[s{number}]"
        for number, (clip, shot) in enumerate(zip(clips, shots, strict=True))
    ]
    overlap = float(frames_to_s(shots[0].tail, rate))
    offset = float(frames_to_s(shots[0].frames - shots[0].tail, rate))
    graph.append(f"[s0][s1]xfade=transition=fade:duration={overlap:.6f}:offset={offset:.6f}[v]")
    inputs = [part for source in sources for part in ("-i", str(source))]
    args = [*inputs, "-filter_complex", ";".join(graph), "-map", "[v]"]
    return luma(ffmpeg, media.make(ffmpeg, [*args, "-c:v", "libx264", "-crf", "0", "-f", "mp4"], target))


PLAIN = "plain"


@pytest.fixture
def no_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A style that changes nothing, so that a reference by hand needs no look."""
    from vidgend.pipeline.styles import STYLES
    from vidgend.pipeline.styles.look import Style

    monkeypatch.setitem(STYLES, PLAIN, Style(name=PLAIN, description=""))


async def both_ends(
    studio: Studio, sources: list[Path], scenes: tuple[int, int], overlap: int, fps: str
) -> tuple[list[dict[str, Any]], list[Shot]]:
    shots = [shot_of(scenes[0], before=0, after=overlap), shot_of(scenes[1], before=overlap, after=0)]
    encoding = sharp(studio, fps)
    clips = [await studio.clip(source, encoding, shot.frames) for source, shot in zip(sources, shots, strict=True)]
    return [{"clip": clip, "shot": asdict(shot)} for clip, shot in zip(clips, shots, strict=True)], shots


async def rendered(
    studio: Studio,
    ends: list[dict[str, Any]],
    fps: str,
    *,
    kind: TransitionKind = "dissolve",
    from_clips: bool = False,
    **more: Any,
) -> list[dict[str, Any]]:
    """Both bodies and the transition between them: from what they left for it, or from the clips once more."""
    encoding = sharp(studio, fps)
    left, right = [await studio.body({**end, "encoding": encoding, "style": PLAIN, **more}) for end in ends]
    if from_clips:
        await studio.ends.aclose()
    between = await studio.transition(*ends, encoding=encoding, style=PLAIN, kind=kind, **more)
    return [left, between, right]


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("source", ["30", "25"])
async def test_joined_segments_are_one_render_in_one_pass(
    studio: Studio, tmp_path: Path, no_look: None, fps: str, source: str
) -> None:
    tool = studio.ffmpeg.path
    sources = [moving(tool, tmp_path / f"s{hue}", rate=source, hue=hue) for hue in (0, 120)]
    originals = [Path(shutil.copyfile(one, tmp_path / f"{one.name}-kept")) for one in sources]
    rate = parse_fps(fps)
    scenes = (round(rate * Fraction(21, 10)), round(rate * Fraction(17, 10)))
    overlap = wished_frames(Transition(kind="dissolve", duration_s=0.5), rate)
    ends, shots = await both_ends(studio, sources, scenes, overlap, fps)
    path = await studio.join(await rendered(studio, ends, fps, from_clips=source == "25"), fps)

    track = (await packets(studio.ffmpeg, path))["video"]
    assert track.packets == sum(scenes)
    assert track.monotonic
    assert abs(track.duration_s - frames_to_s(sum(scenes), rate)) < Fraction(1, 1000)

    mine = luma(tool, path)
    wanted = in_one_pass(tool, [end["clip"] for end in ends], originals, shots, fps, tmp_path / "reference.mp4")
    assert len(mine) == len(wanted) == sum(scenes)
    likeness = psnr(mine, wanted)
    assert likeness.min() > 36, (likeness.argmin(), likeness.min())
    # A frame too many or too few anywhere would be seen: the neighbours are much less alike.
    first = scenes[0] - overlap // 2
    for joint in (first, first + overlap):
        assert psnr(mine[joint : joint + 1], wanted[joint - 2 : joint - 1]).max() < likeness.min() - 6


@pytest.mark.parametrize("kind", KINDS)
async def test_every_transition_begins_and_ends_without_a_jump(
    studio: Studio, tmp_path: Path, no_look: None, kind: TransitionKind
) -> None:
    """With pictures that stand still, frames beside a joint differ by no more than frames inside the transition."""
    sources = [
        media.make(
            studio.ffmpeg.path,
            ["-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:rate=30:duration=4,hue=h={hue},trim=end_frame=1,"
             "loop=-1:1,setpts=N/30/TB", "-t", "4", "-pix_fmt", "yuv420p", "-crf", "4", "-f", "mp4"],
            tmp_path / str(hue),
        )
        for hue in (0, 150)
    ]  # fmt: skip
    ends, _ = await both_ends(studio, sources, (40, 40), 12, "30")
    left, between, right = [
        luma(studio.ffmpeg.path, await studio.assets.local(one["digest"]))
        for one in await rendered(studio, ends, "30", kind=kind)
    ]
    assert len(between) == 12
    steps = np.abs(np.diff(between, axis=0)).mean(axis=(1, 2))
    assert steps.max() > 1
    whole = np.abs(left[-1] - right[0]).mean()
    assert np.abs(between[0] - left[-1]).mean() <= max(steps.max(), whole / 6)
    assert np.abs(right[0] - between[-1]).mean() <= max(steps.max(), whole / 6)
    if kind == "fade":
        assert between.mean(axis=(1, 2)).min() < 20  # black


async def test_photos_painted_and_bouncing_pictures_go_on_through_a_transition(
    studio: Studio, tmp_path: Path, no_look: None
) -> None:
    """The frames of a dissolve are those that the two shots have there when each is rendered as a whole."""
    photo = media.make(
        studio.ffmpeg.path,
        ["-f", "lavfi", "-i", "testsrc2=size=1200x800:rate=1", "-frames:v", "1", "-f", "mjpeg"],
        tmp_path / "p",
    )
    short = moving(studio.ffmpeg.path, tmp_path / "short", rate="30", hue=40, seconds=0.8)
    (candidate, *_) = await GeneratedFootage().search(FootageQuery(text="ocean", width_px=WIDTH, height_px=HEIGHT))
    overlap, encoding = 10, sharp(studio)
    before, after = shot_of(50, before=0, after=overlap), shot_of(50, before=overlap, after=0)
    pictures = {
        "photo": await studio.clip(photo, encoding, before.frames, demuxer="jpeg_pipe"),
        "bounce": await studio.clip(short, encoding, before.frames),
        "painted": {"kind": "generated", "recipe": candidate.recipe},
    }
    assert pictures["bounce"]["window"]["bounce_s"] > 0

    async def whole(name: str) -> np.ndarray:
        args = {"clip": pictures[name], "shot": asdict(shot_of(before.frames, before=0, after=0))}
        made = await studio.body({**args, "encoding": encoding, "style": PLAIN})
        return luma(studio.ffmpeg.path, await studio.assets.local(made["digest"]))

    for old, new in (("photo", "bounce"), ("bounce", "painted"), ("painted", "photo")):
        ends = [{"clip": pictures[old], "shot": asdict(before)}, {"clip": pictures[new], "shot": asdict(after)}]
        pieces = [
            luma(studio.ffmpeg.path, await studio.assets.local(one["digest"]))
            for one in await rendered(studio, ends, "30")
        ]
        left, right = await whole(old), await whole(new)
        share = (np.arange(overlap) / overlap)[:, None, None]
        mixed = left[-overlap:] * (1 - share) + right[:overlap] * share
        wanted = np.concatenate([left[:-overlap], mixed, right[overlap:]])
        likeness = psnr(np.concatenate(pieces), wanted)
        assert likeness.min() > 35, (old, new, likeness.argmin(), likeness.min())


@pytest.mark.parametrize("style", ["cinematic", "vintage"])
async def test_a_transition_is_the_same_from_what_the_bodies_left_and_from_the_clips(
    studio: Studio, tmp_path: Path, style: str
) -> None:
    sources = [moving(studio.ffmpeg.path, tmp_path / str(hue), rate="25", hue=hue) for hue in (0, 120)]
    ends, _ = await both_ends(studio, sources, (50, 50), 12, "30")
    like = {"encoding": sharp(studio), "style": style}
    for end in ends:
        await studio.body({**end, **like})
    assert len(list((tmp_path / "ends").iterdir())) == 2
    quick = await studio.transition(*ends, **like)
    assert not list((tmp_path / "ends").iterdir())
    again = await studio.transition(*ends, **like)
    one, two = [luma(studio.ffmpeg.path, await studio.assets.local(made["digest"])) for made in (quick, again)]
    assert len(one) == 12
    assert np.abs(one - two).max() == 0


def ends_ahead(studio: Studio, work: Path) -> EndsAhead:
    return EndsAhead(ffmpeg=FfmpegTool(), assets=studio.assets, ends=studio.ends, slot=Slots(1).hold, work=work)


@pytest.mark.parametrize("kind", ["video", "generated"])
async def test_an_end_that_is_made_ahead_is_the_one_that_the_body_leaves(
    studio: Studio, tmp_path: Path, kind: str
) -> None:
    brief = Brief(prompt="", width_px=WIDTH, height_px=HEIGHT, fps="30", style="vintage")
    settings = RenderSettings(preset="veryfast", crf=20, threads=1)
    clip = await studio.put(moving(studio.ffmpeg.path, tmp_path / "s", rate="25", hue=0))
    if kind == "generated":
        (candidate, *_) = await GeneratedFootage().search(FootageQuery(text="ocean", width_px=WIDTH, height_px=HEIGHT))
        clip = replace(clip, kind="generated", recipe=candidate.recipe)
    shown = ShotPicture(index=1, clip=clip, shot=shot_of(50, before=12, after=9))
    await studio.body({**shown.args(brief), "encoding": encoding_args(brief, settings), "style": brief.style})
    left = {path.name: path.read_bytes() for path in (tmp_path / "ends").iterdir()}
    await studio.ends.aclose()
    ahead = ends_ahead(studio, tmp_path / "ahead")
    await ahead.make(brief, shown, "head", settings)
    await ahead.make(brief, shown, "tail", settings)
    ahead_of = {path.name: path.read_bytes() for path in (tmp_path / "ends").iterdir()}
    # In what the body leaves one other frame leads in the tail.
    size = WIDTH * HEIGHT * 3 // 2
    assert ahead_of == {name: data[size:] if name.endswith("tail") else data for name, data in left.items()}
    assert sorted(map(len, ahead_of.values())) == [9 * size, 12 * size]
    assert not list((tmp_path / "ahead").iterdir())


async def test_an_end_that_cannot_be_made_ahead_is_left_to_the_transition(studio: Studio, tmp_path: Path) -> None:
    brief = Brief(prompt="", width_px=WIDTH, height_px=HEIGHT, fps="30")
    clip = await studio.put(moving(studio.ffmpeg.path, tmp_path / "s", rate="25", hue=0))
    shown = ShotPicture(index=0, clip=replace(clip, digest="0" * 64), shot=shot_of(50, before=0, after=9))
    ahead = ends_ahead(studio, tmp_path / "ahead")
    await ahead.make(brief, shown, "tail", RenderSettings(preset="veryfast", crf=20, threads=1))
    assert not list((tmp_path / "ahead").iterdir()) and not (tmp_path / "ends").exists()


async def test_ends_that_nobody_takes_are_given_up(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shot_ends, "MOST_BYTES", 6 * WIDTH * HEIGHT * 3 // 2)
    source = moving(studio.ffmpeg.path, tmp_path / "s", rate="30", hue=0)
    clip = await studio.clip(source, sharp(studio), 20)
    folder = tmp_path / "ends"

    async def body(before: int, after: int) -> None:
        await studio.body({"clip": clip, "shot": asdict(shot_of(20, before=before, after=after))})

    for before, after in ((4, 0), (5, 4)):  # the second leaves ten frames
        await body(before, after)
        (kept,) = folder.iterdir()
    assert kept.name.endswith("-tail")
    monkeypatch.setattr(shot_ends, "KEPT_S", 0.0)
    await body(0, 3)
    async with asyncio.timeout(5):
        while list(folder.iterdir()):
            await asyncio.sleep(0.02)


def said(text: str, start_s: float, end_s: float) -> tuple[str, list[dict[str, Any]]]:
    fonts = machine_fonts()
    words = (Word(text=text, start_s=start_s, end_s=end_s),)
    made = caption_script(
        [Caption(lines=(words,), start_s=start_s, end_s=end_s)], frame=Frame(width_px=WIDTH, height_px=HEIGHT),
        preset=find_preset("classic"), faces=fonts.preference(None, "en"), highlight=False,
    )  # fmt: skip
    return made.ass, as_args(made.faces)


async def test_captions_stand_over_a_transition_as_they_do_in_the_bodies(
    studio: Studio, tmp_path: Path, no_look: None
) -> None:
    sources = [
        media.make(
            studio.ffmpeg.path,
            ["-f", "lavfi", "-i", f"color=0x303030:size={WIDTH}x{HEIGHT}:rate=30:duration=3", "-f", "mp4"],
            tmp_path / str(number),
        )
        for number in range(2)
    ]
    ends, _ = await both_ends(studio, sources, (40, 40), 12, "30")
    # The old scene's caption stays until the cut, in the middle of the transition; the new one comes three frames later.
    (left, fonts), (right, _) = said("WWWWWW", 0.2, 40 / 30), said("MMMM", 3 / 30, 1.0)
    parts = [{**ends[0], "ass": left}, {**ends[1], "ass": right}]
    pieces = await rendered(studio, parts, "30", fonts=fonts)
    frames = np.concatenate([luma(studio.ffmpeg.path, await studio.assets.local(one["digest"])) for one in pieces])
    bright = (frames > 150).sum(axis=(1, 2))
    old, new = bright[20], bright[50]
    assert old > 100 and new > 50 and abs(old - new) > 20
    assert all(abs(count - old) < old * 0.05 for count in bright[8:40])
    assert all(count == 0 for count in bright[40:43])
    assert all(abs(count - new) < new * 0.05 for count in bright[43:68])


async def test_a_clip_whose_end_is_damaged_still_gives_a_transition(
    studio: Studio, tmp_path: Path, no_look: None
) -> None:
    sources = [moving(studio.ffmpeg.path, tmp_path / str(n), rate="30", hue=n, seconds=1.5) for n in (0, 90)]
    ends, _ = await both_ends(studio, sources, (40, 20), 12, "30")
    ends[0]["clip"]["window"] = {"start_s": 0.2, "slow": 1.0, "bounce_s": 0.0}  # the shot runs past the clip's end
    made = await studio.transition(*ends, encoding=sharp(studio), style=PLAIN)
    assert len(await studio.frames(made)) == 12


FPS = st.sampled_from([parse_fps(text) for text in (*RATES, "30000/1001")])
LENGTHS = st.lists(st.integers(1, 400), min_size=1, max_size=12)


@given(LENGTHS, FPS, st.floats(0.1, 2.0))
def test_transitions_take_no_time_and_leave_every_scene_a_picture_of_its_own(
    lengths: list[int], fps: Fraction, duration_s: float
) -> None:
    wish = Transition(kind="wipe", duration_s=duration_s)
    count = len(lengths)
    overlaps = [
        transition_frames(wish, index, count, (lengths[index], lengths[index + 1]), fps) for index in range(count - 1)
    ]
    around = [0, *overlaps, 0]
    shots = [shot_of(frames, before=around[index], after=around[index + 1]) for index, frames in enumerate(lengths)]
    assert sum(shot.body_frames for shot in shots) + sum(overlaps) == sum(lengths)
    assert all(shot.body_frames >= 1 for shot in shots)
    for index, shot in enumerate(shots):
        fades = ((index == 0) + (index == count - 1)) * fade_frames(fps)
        assert not (shot.head or shot.tail) or shot.body_frames > fades


@given(LENGTHS, FPS, st.floats(0.1, 2.0), st.floats(0.5, 2.0))
def test_what_fits_anywhere_is_never_shortened(extra: list[int], fps: Fraction, duration_s: float, pace: float) -> None:
    from vidgend.pipeline.timeline import SceneNeed, needed_frames

    wish = Transition(kind="dissolve", duration_s=duration_s)
    if not fits_anywhere(wish, pace, fps):
        return
    count = len(extra)
    lengths = [
        needed_frames(index, count, SceneNeed(speech_samples=(samples - 1) * 40, pace=pace), fps)
        for index, samples in enumerate(extra)
    ]
    for index in range(count - 1):
        both = (lengths[index], lengths[index + 1])
        assert transition_frames(wish, index, count, both, fps) == wished_frames(wish, fps)


@pytest.mark.parametrize(("muxer", "demuxer"), [("mp4", "mov"), ("matroska", "matroska")])
async def test_a_clip_whose_time_does_not_begin_at_zero_is_shown_from_the_same_moment(
    studio: Studio, tmp_path: Path, no_look: None, muxer: str, demuxer: str
) -> None:
    tool = studio.ffmpeg.path
    plain = moving(tool, tmp_path / "plain", rate="30", hue=0)
    late = media.make(tool, ["-i", str(plain), "-c", "copy", "-output_ts_offset", "5", "-f", muxer], tmp_path / "late")
    shown = []
    for source, name in ((plain, "mov"), (late, demuxer)):
        clip = await studio.clip(source, sharp(studio), 40, demuxer=name)
        clip["window"] = {"start_s": 2.0, "slow": 1.0, "bounce_s": 0.0}
        shot = Shot(frames=50, head=10)
        made = await studio.body({"clip": clip, "shot": asdict(shot), "encoding": sharp(studio), "style": PLAIN})
        shown.append(luma(tool, await studio.assets.local(made["digest"])))
    assert psnr(*shown).min() > 36
