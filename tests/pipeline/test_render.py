"""Segments and joins through the real ffmpeg, judged by probing."""

import os
from collections.abc import AsyncIterator
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import media
import numpy as np
import pytest
from studio import Studio, open_studio

from vidgend.errors import FfmpegFailed, MediaUnreadable
from vidgend.models import Caption, Word
from vidgend.pipeline.captions.fonts import as_args, machine_fonts
from vidgend.pipeline.captions.presets import Frame, find_preset
from vidgend.pipeline.captions_ass import caption_script
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.probe import packets, probe
from vidgend.pipeline.segments_to_video import ThumbnailStep
from vidgend.pipeline.timeline import shot_of
from vidgend.timebase import frames_to_s, frames_to_samples, parse_fps


@pytest.fixture
async def studio(ffmpeg: Ffmpeg, tmp_path: Path) -> AsyncIterator[Studio]:
    async with open_studio(ffmpeg, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("fps", ["24", "25", "30", "60", "24000/1001", "30000/1001"])
async def test_a_joined_video_has_exactly_the_sum_of_its_segments_frames(
    studio: Studio, fps: str, tmp_path: Path
) -> None:
    encoding = studio.encoding(fps)
    lengths = [31, 7, 48, 1, 25]
    segments = [
        await studio.segment(
            media.clip(studio.ffmpeg.path, tmp_path / f"clip{number}", seconds=1.5, rate=rate),
            frames,
            encoding=encoding,
        )
        for number, (frames, rate) in enumerate(zip(lengths, ["30", "25", "24000/1001", "60", "12.5"], strict=True))
    ]
    speech = await studio.assets.put(media.tone(tmp_path / "tone.wav", seconds=0.5))
    at_sample = 24_001
    path = await studio.join(
        segments, fps, title="it's; [x] = %{y}", speech=[{"digest": speech, "at_sample": at_sample, "voice": "a"}]
    )
    tracks = await packets(studio.ffmpeg, path)
    rate = parse_fps(fps)
    length_s = frames_to_s(sum(lengths), rate)
    assert tracks["video"].packets == sum(lengths)
    assert tracks["video"].monotonic
    assert abs(tracks["video"].duration_s - length_s) < Fraction(1, 1000)
    assert abs(tracks["audio"].duration_s - length_s) * rate < 1
    assert len(media.gray(studio.ffmpeg.path, path)) == sum(lengths)
    # The tone begins at the very sample; AAC blurs an edge by a few of them.
    sound = np.abs(media.pcm(studio.ffmpeg.path, path))
    assert abs(len(sound) - frames_to_samples(sum(lengths), rate)) <= 1
    heard = int(np.argmax(sound > 0.05))
    assert abs(heard - at_sample) <= 24


async def test_a_short_clip_is_slowed_down_and_does_not_freeze(studio: Studio, tmp_path: Path) -> None:
    segment = await studio.segment(media.clip(studio.ffmpeg.path, tmp_path / "c", seconds=2.0), 84)
    frames = (await studio.frames(segment)).astype(int)
    moving = [np.abs(two - one).mean() > 0.01 for one, two in zip(frames[-24:], frames[-23:], strict=False)]
    assert sum(moving) >= 12


async def test_a_very_short_clip_is_repeated(studio: Studio, tmp_path: Path) -> None:
    segment = await studio.segment(media.clip(studio.ffmpeg.path, tmp_path / "c", seconds=0.4), 90)
    frames = (await studio.frames(segment)).astype(int)
    assert len(frames) == 90
    assert np.abs(frames[1:] - frames[:-1]).mean(axis=(1, 2))[60:].max() > 0.01


@pytest.mark.parametrize(
    ("size", "extra"),
    [
        ("360x640", ()),
        ("352x288", ("-vf", "setsar=16/11")),
        ("322x182", ()),
        ("640x360", ("-pix_fmt", "yuv444p")),
        ("640x360", ("-pix_fmt", "yuv420p10le")),
        ("64x64", ()),
    ],
)
async def test_any_shape_of_clip_covers_the_frame(
    studio: Studio, tmp_path: Path, size: str, extra: tuple[str, ...]
) -> None:
    source = media.clip(studio.ffmpeg.path, tmp_path / "c", seconds=1.5, size=size, extra=extra)
    segment = await studio.segment(source, 30)
    track = (await packets(studio.ffmpeg, await studio.assets.local(segment["digest"])))["video"]
    assert (track.width_px, track.height_px, track.packets) == (320, 180, 30)
    frames = await studio.frames(segment)
    assert frames[:, :, 0].mean() > 20 and frames[:, :, -1].mean() > 20  # no bars


async def test_a_rotated_phone_clip_stands_upright(studio: Studio, tmp_path: Path) -> None:
    flat = media.clip(studio.ffmpeg.path, tmp_path / "flat.mp4", seconds=1.0, size="640x360")
    turned = media.make(
        studio.ffmpeg.path, ["-display_rotation", "90", "-i", str(flat), "-c", "copy", "-f", "mp4"], tmp_path / "t"
    )
    seen = await probe(studio.ffmpeg, turned, "mov")
    assert (seen.width_px, seen.height_px) == (360, 640)
    segment = await studio.segment(turned, 20, encoding=studio.encoding(width=180, height=320))
    track = (await packets(studio.ffmpeg, await studio.assets.local(segment["digest"])))["video"]
    assert (track.width_px, track.height_px) == (180, 320)


async def test_a_photo_moves_slowly(studio: Studio, tmp_path: Path) -> None:
    photo = media.make(
        studio.ffmpeg.path, ["-f", "lavfi", "-i", "testsrc2=size=1200x800:duration=1:rate=1", "-frames:v", "1", "-f", "mjpeg"],
        tmp_path / "p",
    )  # fmt: skip
    segment = await studio.segment(photo, 60, demuxer="jpeg_pipe")
    frames = (await studio.frames(segment)).astype(int)
    assert len(frames) == 60
    assert np.abs(frames[59] - frames[0]).mean() > 3
    assert np.abs(frames[31] - frames[30]).mean() < 3


async def test_a_poster_is_as_bright_as_the_video(studio: Studio, tmp_path: Path) -> None:
    white = tmp_path / "white.mp4"
    await studio.ffmpeg.run(
        ["-f", "lavfi", "-i", "color=white:size=320x180:rate=30:duration=2", "-pix_fmt", "yuv420p", str(white)],
        cwd=tmp_path, timeout_s=60,
    )  # fmt: skip
    segment = await studio.segment(white, 30)
    poster = media.gray(studio.ffmpeg.path, await studio.assets.local(segment["poster"]))
    assert poster.max() == 255, "white is white, not the 235 of video"


async def test_a_painted_scene_is_rendered_from_its_recipe(studio: Studio) -> None:
    from vidgend.pipeline.footage.generated import GeneratedFootage
    from vidgend.pipeline.footage.port import FootageQuery

    (candidate, *_) = await GeneratedFootage().search(FootageQuery(text="ocean sunset", width_px=320, height_px=180))
    args = {
        "clip": {"kind": "generated", "recipe": candidate.recipe}, "shot": asdict(shot_of(20, before=0, after=0)),
        "style": "news", "fade_in": True,
    }  # fmt: skip
    made = await studio.body(args)
    frames = await studio.frames(made)
    assert len(frames) == 20
    assert frames[0].mean() < 5 < frames[19].mean()
    poster = media.gray(studio.ffmpeg.path, await studio.assets.local(made["poster"]))
    assert poster.mean() > 20  # taken before the fade


async def test_captions_are_burnt_in_with_the_shipped_font(studio: Studio, tmp_path: Path) -> None:
    words = (Word(text="WWWWWWWW", start_s=0.0, end_s=1.0),)
    fonts = machine_fonts()
    made = caption_script(
        [Caption(lines=(words,), start_s=0.0, end_s=1.0)], frame=Frame(width_px=320, height_px=180),
        preset=find_preset("classic"), faces=fonts.preference(None, "en"), highlight=False,
    )  # fmt: skip
    black = media.make(
        studio.ffmpeg.path,
        ["-f", "lavfi", "-i", "color=black:size=320x180:rate=30:duration=2", "-f", "mp4"],
        tmp_path / "b",
    )
    segment = await studio.segment(black, 45, ass=made.ass, fonts=as_args(made.faces))
    frames = await studio.frames(segment)
    assert frames[10, 26:, :].max() > 100 and frames[10, :20, :].max() < 40
    assert frames[40].max() < 40


@pytest.mark.parametrize("damage", ["truncated", "noise", "header only"])
async def test_a_damaged_clip_is_named_as_the_cause(studio: Studio, tmp_path: Path, damage: str) -> None:
    source = media.clip(studio.ffmpeg.path, tmp_path / "c", seconds=4.0, extra=("-movflags", "+faststart", "-bf", "0"))
    content = source.read_bytes()
    half = len(content) // 3
    broken = {
        "truncated": content[:half],
        "noise": content[:half] + os.urandom(len(content) - half),
        "header only": content[:3000],
    }
    clip = await studio.clip(source, studio.encoding(), 100)
    source.write_bytes(broken[damage])
    args = {
        "clip": {**clip, "digest": await studio.assets.put(source)}, "shot": asdict(shot_of(100, before=0, after=0)),
    }  # fmt: skip
    if damage == "noise":
        # ffmpeg conceals what it can; either all frames come or the clip is refused, never fewer frames.
        try:
            assert len(await studio.frames(await studio.body(args))) == 100
        except MediaUnreadable:
            return
    else:
        with pytest.raises(MediaUnreadable):
            await studio.body(args)


async def test_a_title_that_looks_like_ffmpegs_own_words_changes_nothing(studio: Studio, tmp_path: Path) -> None:
    hostile = (
        "-metadata",
        "title=Stream #0:0: Video: h264, yuv420p, 16x2000",
        "-metadata",
        "artist=Duration: 09:59:59.00, x",
    )
    source = media.clip(studio.ffmpeg.path, tmp_path / "c", seconds=1.0, extra=hostile)
    seen = await probe(studio.ffmpeg, source, "mov")
    assert (seen.width_px, seen.height_px, seen.duration_s) == (640, 360, 1.0)


async def test_an_encoder_that_fails_is_not_the_clips_fault(studio: Studio, tmp_path: Path) -> None:
    source = media.clip(studio.ffmpeg.path, tmp_path / "c", seconds=1.0)
    with pytest.raises(FfmpegFailed):
        await studio.segment(source, 20, encoding={**studio.encoding(), "height_px": 91})


@pytest.mark.parametrize("content", [b"", b"not a video", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"])
async def test_what_is_no_video_is_refused(studio: Studio, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaUnreadable):
        await probe(studio.ffmpeg, path, "mov")


async def test_the_liveliest_poster_becomes_the_thumbnail(studio: Studio, tmp_path: Path) -> None:
    async def poster(name: str, source: str) -> str:
        made = media.make(
            studio.ffmpeg.path, ["-f", "lavfi", "-i", source, "-frames:v", "1", "-f", "mjpeg"], tmp_path / name
        )
        return await studio.assets.put(made)

    black = await poster("a", "color=black:size=320x180:rate=1:duration=1")
    white = await poster("b", "color=white:size=320x180:rate=1:duration=1")
    lively = await poster("c", "testsrc2=size=320x180:rate=1:duration=1")
    done = await ThumbnailStep(FfmpegTool(), studio.assets)({"posters": [black, white, lively]}, studio.run())
    assert done.output["digest"] == lively


async def test_ffmpegs_own_words_come_with_its_failure(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(FfmpegFailed) as failure:
        await studio.ffmpeg.run(["-i", "nothing-here.mp4", "-f", "null", "-"], cwd=tmp_path, timeout_s=10)
    assert "nothing-here.mp4" in failure.value.tail
