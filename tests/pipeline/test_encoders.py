"""Every encoder's segments can be joined; hardware that fails is replaced by software, for the whole video."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import get_args

import media
import pytest
from standins import nvenc_standin
from studio import Studio, open_studio
from workshop import clips, fake_footage, make, settings_for, workshop

from vidgend.cli.encoder_checks import encoder_findings
from vidgend.models import Brief, Result, Substitution
from vidgend.pipeline.encoder_probe import EncoderProbes
from vidgend.pipeline.encoders.port import Native, Preset
from vidgend.pipeline.encoders.select import AUTO, ENCODERS
from vidgend.pipeline.encoding import Encoding
from vidgend.pipeline.ffmpeg import Ffmpeg, find_ffmpeg
from vidgend.pipeline.probe import packets
from vidgend.pipeline.run import key_with
from vidgend.pipeline.scene_to_segment import RenderSettings, encode_spec, encoding_args
from vidgend.pipeline.video_encoder import choose_encoder
from vidgend.settings.pipeline import Render
from vidgend.timebase import frames_to_s, parse_fps

LONG = os.environ.get("LONG_TESTS") == "1"
SOFTWARE = ("libx264", "libx265", "libsvtav1")
TAGS = {"libx264": "avc1", "libx265": "hvc1", "libsvtav1": "av01"}
EVERY = list(itertools.product(SOFTWARE, ("24", "30", "24000/1001")))
SOME = [("libx264", "24"), ("libx265", "24000/1001"), ("libsvtav1", "30")]
CARD_SPS = bytes([0x67, 77, 0x40, 51])
"""How the stand-in's parameter set begins: profile Main, level 5.1."""


@pytest.fixture
async def studio(ffmpeg: Ffmpeg, tmp_path: Path) -> AsyncIterator[Studio]:
    async with open_studio(ffmpeg, tmp_path) as opened:
        yield opened


def header(ffmpeg: Ffmpeg, path: Path) -> str:
    """Size and checksum of the parameter sets in a file's header."""
    told = subprocess.run(
        [ffmpeg.path, "-v", "error", "-i", path, "-map", "0:v", "-c", "copy", "-f", "framecrc", "-"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    found = re.search(r"#extradata 0: *(.*)", told)
    assert found is not None
    return found[1]


def described(ffmpeg: Ffmpeg, path: Path) -> str:
    """What ffmpeg prints about a file."""
    return subprocess.run([ffmpeg.path, "-i", path], capture_output=True, text=True).stderr


def shown_at(ffmpeg: Ffmpeg, path: Path) -> list[int]:
    """The moment of every decoded frame, in the track's own ticks."""
    told = subprocess.run(
        [ffmpeg.path, "-v", "error", "-i", path, "-map", "0:v", "-fps_mode", "passthrough", "-enc_time_base", "demux",
         "-f", "framecrc", "-"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return [int(line.split(",")[2]) for line in told.splitlines() if line.startswith("0,")]


@pytest.mark.parametrize(("encoder", "fps"), EVERY if LONG else SOME)
async def test_segments_of_any_length_join_without_losing_a_frame(
    studio: Studio, tmp_path: Path, encoder: str, fps: str
) -> None:
    encoding = studio.encoding(fps, width=160, height=90) | {"encoder": encoder}
    source = media.clip(studio.ffmpeg.path, tmp_path / "clip", seconds=2.5, size="160x90")
    lengths = [31, 1, 62, 2] if LONG else [31, 1, 7]
    made = []
    for number, frames in enumerate(lengths):
        copy = tmp_path / f"clip{number}"
        copy.write_bytes(source.read_bytes())
        # Segments made on machines with more or fewer cores join as well.
        made.append(await studio.segment(copy, frames, encoding=encoding, threads=1 + number % 2))
    files = [await studio.assets.local(one["digest"]) for one in made]
    assert len({header(studio.ffmpeg, file) for file in files}) == 1

    path = await studio.join(made, fps)
    track = (await packets(studio.ffmpeg, path))["video"]
    assert track.packets == sum(lengths)
    assert track.monotonic
    assert abs(track.duration_s - frames_to_s(sum(lengths), parse_fps(fps))) < Fraction(1, 1000)
    moments = shown_at(studio.ffmpeg, path)
    step = moments[1] - moments[0]
    assert moments == [number * step for number in range(sum(lengths))]
    told = described(studio.ffmpeg, path)
    assert re.search(rf"Video: .*\({TAGS[encoder]} / .*yuv420p\(tv, bt709, progressive\)", told), told


COMMON = {"pix_fmt", "profile:v", "bf", "b:v", "global_quality", "threads", "init_hw_device", "q:v"}
"""Options that are ffmpeg's, not an encoder's own."""


@pytest.mark.parametrize("name", ENCODERS)
def test_ffmpeg_knows_every_option_that_an_encoder_is_given(ffmpeg: Ffmpeg, name: str) -> None:
    if name not in ffmpeg.encoders:
        pytest.skip("this ffmpeg was built without it")
    known = subprocess.run([ffmpeg.path, "-v", "error", "-h", f"encoder={name}"], capture_output=True, text=True).stdout
    preset, quality = ENCODERS[name].scale.native("slow", 21)
    options = ENCODERS[name].options(Native(preset=preset, quality=quality, threads=2, pixels=3840 * 2160))
    for option in options.keys() - COMMON:
        assert re.search(rf"^ *-{option} ", known, re.M), option


@pytest.mark.parametrize("name", ENCODERS)
def test_every_encoder_takes_every_word_and_gets_worse_with_a_higher_crf(name: str) -> None:
    scale = ENCODERS[name].scale
    assert set(scale.presets) == set(get_args(Preset))
    numbers = [scale.native("auto", crf)[1] for crf in range(41)]
    worse = list(reversed(numbers)) if name.endswith("_videotoolbox") else numbers
    assert worse == sorted(worse)
    assert len(set(numbers)) > 25
    assert all(scale.least <= number <= scale.most for number in numbers)


def test_the_settings_name_exactly_the_encoders_that_there_are() -> None:
    field = Render.model_fields["encoder"].annotation
    assert set(get_args(field)) == {"auto", *ENCODERS}


def test_another_encoder_is_another_segment_and_other_threads_are_not(ffmpeg: Ffmpeg) -> None:
    brief = Brief(prompt="x")
    plain = RenderSettings(encoder="libx264", preset="auto", crf=21, threads=2)

    def key(settings: RenderSettings) -> str:
        args = {"encoding": encoding_args(brief, settings)}
        spec = encode_spec(
            lambda *named: key_with("", *named), "segment", args, (), ffmpeg, settings=settings, priority=0, timeout_s=1
        )
        return spec.key

    assert key(replace(plain, threads=8)) == key(plain)
    others = [
        replace(plain, encoder="libx265"), replace(plain, crf=22), replace(plain, preset="slow"),
        replace(plain, encoder="h264_nvenc", hardware_id="1"), replace(plain, encoder="h264_nvenc", hardware_id="2"),
    ]  # fmt: skip
    assert len({key(one) for one in (plain, *others)}) == 1 + len(others)


async def machine(folder: Path, ffmpeg: Ffmpeg, card: str) -> Ffmpeg:
    found = await find_ffmpeg(str(nvenc_standin.install(folder, ffmpeg.path, card)), encoder="h264_nvenc")
    assert found.ffmpeg is not None, found.rejected
    return found.ffmpeg


def test_an_encode_that_is_alone_has_every_core_and_its_source_half_of_them() -> None:
    few = Encoding(width_px=1920, height_px=1080, fps=Fraction(30), preset="veryfast", crf=21, threads=2)
    assert (few.threads, few.threads_of_source) == (2, 2)
    assert [(one.threads, one.threads_of_source) for one in map(few.on_all, (2, 4, 16))] == [(2, 2), (4, 2), (16, 8)]
    assert few.on_all(16).options() | {"threads": 2} == few.options()


async def test_a_card_is_asked_for_one_frame_and_software_stands_behind_it(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    brief = Brief(prompt="x", width_px=320, height_px=180)
    wanted = RenderSettings(encoder="h264_nvenc", preset="auto", crf=21, threads=1)
    without = await machine(tmp_path / "without", ffmpeg, "none")
    chosen, reason = await choose_encoder(brief, wanted, ffmpeg=without, probes=EncoderProbes())
    assert (chosen.encoder, reason) == ("libx264", "Cannot load libcuda.so.1")

    probes = EncoderProbes()
    having = await machine(tmp_path / "with", ffmpeg, "works")
    chosen, reason = await choose_encoder(brief, wanted, ffmpeg=having, probes=probes)
    assert (chosen.encoder, reason) == ("h264_nvenc", "")
    assert chosen.hardware_id
    # Asked once: that the card is gone now is not looked for.
    (tmp_path / "with" / "card").write_text("none")
    again, _ = await choose_encoder(brief, wanted, ffmpeg=having, probes=probes)
    assert again == chosen


@pytest.mark.parametrize(("card", "used"), [("works", "h264_nvenc"), ("none", "libx264")])
async def test_auto_takes_the_card_if_there_is_one_and_nothing_is_missed_if_not(
    ffmpeg: Ffmpeg, tmp_path: Path, card: str, used: str
) -> None:
    have = replace(await machine(tmp_path, ffmpeg, card), encoders=frozenset({AUTO[0], *SOFTWARE}))
    wanted = RenderSettings(encoder="auto", preset="auto", crf=21, threads=1)
    brief = Brief(prompt="x", width_px=320, height_px=180)
    chosen, reason = await choose_encoder(brief, wanted, ffmpeg=have, probes=EncoderProbes())
    assert (chosen.encoder, reason) == (used, "")


async def test_an_ffmpeg_without_the_software_that_would_be_needed_is_not_taken(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text(f'#!/bin/sh\n"{ffmpeg.path}" "$@" | grep -v libx265\n')
    program.chmod(0o755)
    for encoder in ("libx265", "hevc_nvenc"):
        found = await find_ffmpeg(str(program), encoder=encoder)
        assert found.ffmpeg is None and "lacks libx265" in found.rejected[0]
    assert (await find_ffmpeg(str(program), encoder="libx264")).ffmpeg is not None


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ("works", ["h264_nvenc encodes (render.encoder)", "hardware that works: h264_nvenc"]),
        ("none", ["libx264 encodes: h264_nvenc (render.encoder) does not work: Cannot load libcuda.so.1"]),
    ],
)
def test_doctor_says_what_works_and_why_the_rest_does_not(
    ffmpeg: Ffmpeg, tmp_path: Path, card: str, told: list[str]
) -> None:
    have = replace(asyncio.run(machine(tmp_path / "bin", ffmpeg, card)), encoders=frozenset({"h264_nvenc", "libx264"}))
    settings = settings_for(tmp_path, VIDGEND_RENDER__ENCODER="h264_nvenc")
    found = list(encoder_findings(have, settings))
    assert [one.text for one in found][: len(told)] == told
    assert all(one.mark == "ok" or one.fix for one in found)


async def test_an_encoder_that_ffmpeg_was_built_without_is_said_to_be_missing(ffmpeg: Ffmpeg) -> None:
    encoding = Encoding(
        width_px=160, height_px=90, fps=Fraction(30), encoder="hevc_videotoolbox", preset="auto", crf=21, threads=1
    )
    without = replace(ffmpeg, encoders=frozenset())
    assert "built without" in (await EncoderProbes().probe(without, encoding)).reason


async def a_video(
    ffmpeg: Ffmpeg, folder: Path, card: str, *, count: int = 2, transitions: str = "dissolve"
) -> tuple[Result, bytes, int]:
    """(what came of a job with so many scenes, the video, how many segments the card was asked for)"""
    program = nvenc_standin.install(folder / "bin", ffmpeg.path, card)
    settings = settings_for(
        folder / "data", VIDGEND_RENDER__FFMPEG=str(program), VIDGEND_RENDER__ENCODER="h264_nvenc",
        VIDGEND_SLOTS__FFMPEG="1", VIDGEND_QUEUE__STALL_TIMEOUT_S="8",
    )  # fmt: skip
    files = clips(ffmpeg.path, folder / "clips", count)
    scenes = [{"narration": text, "query": "sea"} for text in ("Sea.", "Gulls.", "Wind.", "Sand.")[:count]]
    async with workshop(folder / "data", settings=settings, providers=(fake_footage(files),)) as runtime:
        job = await make(runtime, scenes=scenes, transitions=transitions, music="none")
        assert isinstance(job.result, Result), job.error
        path = await runtime.assets.local(job.result.files["video"].digest)
        return job.result, path.read_bytes(), nvenc_standin.asked(program)


@pytest.mark.skipif(not LONG, reason="LONG_TESTS=1")
@pytest.mark.parametrize("encoder", SOFTWARE)
async def test_a_whole_job_is_made_by_each_software_encoder(ffmpeg: Ffmpeg, tmp_path: Path, encoder: str) -> None:
    settings = settings_for(tmp_path / "data", VIDGEND_RENDER__ENCODER=encoder)
    files = clips(ffmpeg.path, tmp_path / "clips", 2)
    scenes = [{"narration": text, "query": "sea"} for text in ("Sea.", "Gulls.")]
    async with workshop(tmp_path / "data", settings=settings, providers=(fake_footage(files),)) as runtime:
        job = await make(runtime, scenes=scenes, transitions="dissolve", music="none")
        assert isinstance(job.result, Result), job.error
        assert job.result.report["encoder"] == encoder
        assert job.result.degraded == ()
        path = await runtime.assets.local(job.result.files["video"].digest)
        assert f"({TAGS[encoder]} /" in described(ffmpeg, path)
        assert len(media.gray(ffmpeg.path, path)) == job.result.report["frames"]


async def test_a_card_that_works_makes_every_segment(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    made, video, asked = await a_video(ffmpeg, tmp_path, "works")
    assert made.report["encoder"] == "h264_nvenc"
    assert made.degraded == ()
    assert asked == 3
    assert CARD_SPS in video


@pytest.mark.parametrize(
    ("card", "why", "count", "transitions"),
    [("breaks 1", "EncodePicture failed!: device lost (27)", 2, "dissolve"), ("hangs 1", "got no further", 4, "cut")],
)
async def test_a_card_that_fails_in_the_middle_leaves_a_video_made_by_software_alone(
    ffmpeg: Ffmpeg, tmp_path: Path, card: str, why: str, count: int, transitions: str
) -> None:
    made, video, asked = await a_video(ffmpeg, tmp_path, card, count=count, transitions=transitions)
    (told,) = made.degraded
    assert told == Substitution(stage="rendering", wanted="h264_nvenc", used="libx264", reason=told.reason)
    assert why in told.reason
    assert made.report["encoder"] == "libx264"
    assert CARD_SPS not in video  # what the card had finished is made anew
    assert asked <= 3  # those that wait for it do not wait until it has failed each of them
