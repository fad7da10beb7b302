"""A quick look at real files: cuts, black, shake, where the subject is, and what that costs."""

from __future__ import annotations

import resource
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import media
import numpy as np
import pytest
from screening import clip_of, rgb, show, show_clip

from vidgend.errors import MediaUnreadable
from vidgend.models import ClipScan
from vidgend.pipeline.clip_args import clip_args
from vidgend.pipeline.clip_facts import examine
from vidgend.pipeline.clip_scan import look_at, looked_at, measure
from vidgend.pipeline.clip_window import choose_window
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.probe import Probe, probe

SHOTS = [
    "testsrc2=s=640x360:r=30:d=2", "mandelbrot=s=640x360:r=30,trim=duration=3", "color=black:s=640x360:r=30:d=2",
    "gradients=s=640x360:r=30:d=3:speed=0.05:seed=3",
]  # fmt: skip


def film(ffmpeg: Ffmpeg, path: Path, shots: list[str], *more: str) -> Path:
    inputs = [part for shot in shots for part in ("-f", "lavfi", "-i", shot)]
    joined = "".join(f"[{number}]format=yuv420p,setsar=1[s{number}];" for number in range(len(shots)))
    joined += "".join(f"[s{number}]" for number in range(len(shots))) + f"concat=n={len(shots)}"
    return media.make(
        ffmpeg.path, [*inputs, "-filter_complex", joined, "-c:v", "libx264", "-preset", "ultrafast", *more], path
    )


async def scan_of(ffmpeg: Ffmpeg, path: Path) -> ClipScan:
    scan = clip_of(await examine(ffmpeg, path)).scan
    assert scan is not None
    return scan


async def test_cuts_and_black_are_found_where_they_are(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    scan = await scan_of(ffmpeg, film(ffmpeg, tmp_path / "c.mp4", SHOTS))
    assert len(scan.cuts_s) == 3
    assert np.abs(np.array(scan.cuts_s) - [2.0, 5.0, 7.0]).max() <= 0.11
    dark = [number * scan.step_s for number, level in enumerate(scan.brightness) if level < 20]
    assert dark == [5.0, 5.5, 6.0, 6.5]


async def test_fast_motion_and_a_flash_of_light_are_no_cuts(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    pan = "mandelbrot=s=1280x360:r=30:start_scale=1:end_scale=0.9,trim=duration=4,crop=640:360:'320+300*sin(t*2)':0"
    fade = "testsrc2=s=640x360:r=30:d=4,fade=out:st=1:d=1,fade=in:st=2:d=1"
    for number, chain in enumerate((pan, fade)):
        path = media.make(ffmpeg.path, ["-f", "lavfi", "-i", chain, "-pix_fmt", "yuv420p"], tmp_path / f"{number}.mp4")
        assert (await scan_of(ffmpeg, path)).cuts_s == (), chain


async def test_a_shaky_hand_is_told_from_a_smooth_pan(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    world = "mandelbrot=s=1280x720:r=30:start_scale=1:end_scale=1,trim=duration=3"
    smooth = await scan_of(ffmpeg, media.make(
        ffmpeg.path, ["-f", "lavfi", "-i", f"{world},crop=640:360:'100+t*60':200", "-pix_fmt", "yuv420p"], tmp_path / "s.mp4"
    ))  # fmt: skip
    shaky = await scan_of(ffmpeg, media.make(
        ffmpeg.path,
        ["-f", "lavfi", "-i", f"{world},crop=640:360:'100+t*60+24*sin(t*40)':'200+20*sin(t*33)'", "-pix_fmt", "yuv420p"],
        tmp_path / "h.mp4",
    ))  # fmt: skip
    assert np.mean(shaky.shake) > 3 * np.mean(smooth.shake)


async def test_the_scene_shows_one_clean_shot_of_a_film(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    path = film(ffmpeg, tmp_path / "c.mp4", SHOTS)
    frames = (await show(ffmpeg, path, tmp_path, frames=75)).astype(int)
    assert np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3)).max() < 12  # no cut
    assert frames.mean(axis=(1, 2, 3)).min() > 20  # no black


@pytest.mark.parametrize(("where", "size", "shape"), [("right", "640x360", "90x160"), ("left", "640x360", "90x160"),
                                                      ("top", "360x640", "160x90"), ("bottom", "360x640", "160x90")])  # fmt: skip
async def test_the_crop_keeps_a_subject_that_is_not_in_the_middle(
    ffmpeg: Ffmpeg, tmp_path: Path, where: str, size: str, shape: str
) -> None:
    width, height = (int(side) for side in size.split("x"))
    across = {"right": width * 0.78, "left": width * 0.08}.get(where, width * 0.4)
    down = {"bottom": height * 0.78, "top": height * 0.08}.get(where, height * 0.4)
    scene = (
        f"color=0x405060:s={size}:r=30:d=2,noise=alls=6:allf=t,"
        f"drawbox=x={round(across)}:y={round(down)}:w=70:h=70:color=0xe02020:t=fill"
    )
    path = media.make(ffmpeg.path, ["-f", "lavfi", "-i", scene, "-pix_fmt", "yuv420p"], tmp_path / "c.mp4")
    clip = clip_of(await examine(ffmpeg, path))
    kept = await show(ffmpeg, path, tmp_path, frames=6, size=shape)
    blind = await show_clip(ffmpeg, replace(clip, scan=None), path, tmp_path, frames=6, size=shape, fps="30")

    def red(frame: np.ndarray) -> int:
        frame = frame.astype(int)
        return int(((frame[:, :, 0] > 150) & (frame[:, :, 1] < 90)).sum())

    whole = (70 * 160 / (360 if where in ("right", "left") else 640 * 160 / 284)) ** 2
    assert red(rgb(ffmpeg.path, blind, shape)[3]) < 0.2 * red(kept[3])
    assert red(kept[3]) > 0.7 * min(whole, 31**2)


async def test_the_scan_is_cheap_and_finds_what_it_costs_beforehand(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    source = "testsrc2=s=1920x1080:r=30:d=12"
    path = media.make(
        ffmpeg.path,
        ["-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p"],
        tmp_path / "c.mp4",
    )
    found = await probe(ffmpeg, path, "mov")

    def used_s() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    before = used_s()
    look = await look_at(ffmpeg, path, "mov", found)
    assert used_s() - before < 1.5  # half a second is meant; the machine may be slow
    assert 0 < look.scan.start_s < 5 and len(look.scan.brightness) >= 4


def test_longer_larger_and_denser_clips_are_looked_at_in_part() -> None:
    def part(width: int, height: int, seconds: float, kbps: int, codec: str = "h264") -> tuple[float, float]:
        return looked_at(
            Probe(
                codec=codec, width_px=width, height_px=height, coded_width_px=width, coded_height_px=height, fps=30.0,
                duration_s=seconds, has_audio=False, bit_rate_kbps=kbps,
            )
        )  # fmt: skip

    start_s, length_s = part(1280, 720, 10.0, 2000)
    assert start_s == 0.0 and 6 < length_s < 20
    start_s, length_s = part(3840, 2160, 60.0, 20_000)
    assert start_s > 5 and 2.0 <= length_s < 4
    assert part(3840, 2160, 60.0, 20_000, "hevc")[1] <= length_s
    assert part(320, 180, 10_000.0, 100)[1] <= 120


def test_a_scan_of_one_frame_and_of_noise_has_an_answer() -> None:
    assert measure(np.zeros((1, 36, 64, 3), np.uint8)).cuts_s == ()
    noise = np.random.default_rng(1).integers(0, 255, (30, 36, 64, 3), dtype=np.uint8)
    assert len(measure(noise).brightness) == 6


async def test_what_the_scan_found_is_outside_the_key_of_the_segment(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clip = clip_of(await examine(ffmpeg, film(ffmpeg, tmp_path / "c.mp4", SHOTS)))
    args = clip_args(clip, width_px=320, height_px=180, fps=Fraction(30), need_s=2.0)
    assert "scan" not in args and args["window"]["start_s"] == choose_window(10.0, 2.0, clip.scan).start_s


async def test_a_file_whose_frames_cannot_be_decoded_is_refused_when_it_is_fetched(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    path = media.clip(ffmpeg.path, tmp_path / "c.mp4", seconds=2.0, extra=("-movflags", "+faststart"))
    content = path.read_bytes()
    at = content.index(b"mdat") + 4
    path.write_bytes(content[:at] + bytes(len(content) - at))
    with pytest.raises(MediaUnreadable):
        await examine(ffmpeg, path)
