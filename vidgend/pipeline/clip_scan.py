"""A quick look at a clip, once, when it is fetched: cuts, black and flat stretches, shake, and where its subject is.

Ten small frames a second, decoded without the frames that no other needs and without the deblocking filter: a third of
the cost of a full decode. How long a part is looked at follows from what a second of it costs, about half a second of
processor time in all; it also proves that the file can be decoded at all.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vidgend.errors import MediaUnreadable, StepError
from vidgend.models import ClipScan
from vidgend.pipeline.exif import turning_filters
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.fingerprint import average_rgb, moments, prints_of
from vidgend.pipeline.probe import Probe, input_options

FPS = 10
LONG_SIDE_PX = 64
STEP_S = 0.5
BUDGET_CPU_S = 0.5
LONGEST_S = 120.0
_FRAMES_PER_STEP = round(STEP_S * FPS)

# Measured on one core (2.5 GHz): 2.5 ms for a 1080p frame of H.264, 9.5 ms for a megabit of it.
_CPU_S_PER_MEGAPIXEL = 0.0012
_CPU_S_PER_MEGABIT = 0.0095
_COSTLIER = {"hevc": 2.0, "av1": 2.5, "libdav1d": 2.5, "vp9": 1.5, "prores": 3.0}
_INTERLACED_HEIGHTS_PX = (480, 486, 512, 576, 608, 1080)

Frames = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Look:
    """`duration_s` is how long the file was found to be, if it does not say. `still`: it shows one picture only.
    `prints` and `average_rgb` as in `fingerprint.py`."""

    duration_s: float | None
    still: bool
    scan: ClipScan
    prints: tuple[str, ...]
    average_rgb: str


def looked_at(found: Probe) -> tuple[float, float]:
    """(start, length) in seconds of the part that is looked at: all of a short clip, else a part past its start."""
    frames_per_s = min(found.fps or 25.0, 120.0) * 0.5 + 1
    megapixels = found.coded_width_px * found.coded_height_px / 1e6
    cost = frames_per_s * megapixels * _CPU_S_PER_MEGAPIXEL + found.bit_rate_kbps / 1000 * _CPU_S_PER_MEGABIT
    affordable_s = min(LONGEST_S, max(2.0, BUDGET_CPU_S / (cost * _COSTLIER.get(found.codec, 1.0))))
    if found.duration_s is None or found.duration_s <= affordable_s:
        return 0.0, affordable_s
    return round((found.duration_s - affordable_s) * 0.25, 2), affordable_s


async def look_at(ffmpeg: Ffmpeg, path: Path, demuxer: str, found: Probe, *, orientation: int = 1) -> Look:
    """Raises: MediaUnreadable if not one frame can be decoded within the limits."""
    photo = demuxer.endswith("_pipe")
    start_s, length_s = (0.0, 1.0) if photo else looked_at(found)
    longest = max(found.width_px, found.height_px)
    width = max(16, round(LONG_SIDE_PX * found.width_px / longest))
    height = max(16, round(LONG_SIDE_PX * found.height_px / longest))
    turns = "".join(
        f"{name}{'='.join(['', *map('='.join, more.items())])}," for name, more in turning_filters(orientation)
    )
    rate = "" if photo else f"fps={FPS}:eof_action=pass,"
    seek = ["-ss", f"{start_s:.2f}"] if start_s else []
    try:
        finished = await ffmpeg.look(
            [
                *input_options(demuxer), "-threads", "1", "-skip_frame", "noref", "-skip_loop_filter", "all",
                *(["-noautorotate"] if photo else []), *seek, "-t", f"{length_s:.2f}", "-i", str(path.absolute()),
                "-map", "0:V:0", "-vf", f"{rate}{turns}scale={width}:{height}:flags=fast_bilinear,format=rgb24",
                *(["-frames:v", "1"] if photo else []), "-filter_threads", "1", "-f", "rawvideo", "pipe:1",
            ],
            cwd=path.parent,
            timeout_s=30,
            level="error",
        )  # fmt: skip
    except StepError as error:
        raise MediaUnreadable(f"it cannot be decoded in reasonable time: {error.detail}", tail=error.tail) from error
    size = width * height * 3
    count = len(finished.stdout) // size
    if not count:
        raise MediaUnreadable("not one frame of it can be decoded", tail=finished.stderr_tail)
    frames = np.frombuffer(finished.stdout, np.uint8, count * size).reshape(count, height, width, 3)
    scan, prints, average = await asyncio.to_thread(
        lambda: (measure(frames, start_s), prints_of(grey(frames[moments(count)])), average_rgb(frames))
    )
    whole = count < length_s * FPS - 2 and not start_s
    still = whole and bool((np.abs(np.diff(frames.astype(np.int16), axis=0)).mean(axis=(1, 2, 3)) < 0.05).all())
    return Look(
        duration_s=count / FPS if whole and found.duration_s is None else None,
        still=still, scan=scan, prints=prints, average_rgb=average,
    )  # fmt: skip


async def find_fields(ffmpeg: Ffmpeg, path: Path, demuxer: str, found: Probe) -> Literal["", "flagged", "tff", "bff"]:
    """Whether a clip is interlaced: as its header says, else, for the sizes that may be, as some frames look."""
    if found.interlaced is not None or found.coded_height_px not in _INTERLACED_HEIGHTS_PX:
        return "flagged" if found.interlaced else ""
    start_s = (found.duration_s or 0.0) * 0.3
    try:
        finished = await ffmpeg.look(
            [
                *input_options(demuxer), "-threads", "1", "-ss", f"{start_s:.2f}", "-i", str(path.absolute()),
                "-map", "0:V:0", "-vf", "crop=iw/4:ih,idet", "-frames:v", "20", "-f", "null", "-",
            ],
            cwd=path.parent,
            timeout_s=20,
        )  # fmt: skip
    except StepError:
        return ""
    counted = re.findall(r"Multi frame detection: TFF: *(\d+) BFF: *(\d+) Progressive: *(\d+)", finished.stderr_tail)
    if not counted:
        return ""
    top, bottom, progressive = (int(number) for number in counted[-1])
    if max(top, bottom) <= 2 * progressive + 2:
        return ""
    return "tff" if top > bottom else "bff"


def measure(frames: Frames, start_s: float = 0.0) -> ClipScan:
    """What small RGB frames, ten a second, uint8[count, height, width, 3], show."""
    gray = grey(frames)
    soft = [_blurred(one, 1) for one in gray]
    shifts = np.array([_shift(one, two) for one, two in itertools.pairwise(soft)]).reshape(-1, 2)
    cuts = find_cuts(frames, gray)
    jerk = np.zeros(len(gray))
    if len(shifts) > 1:
        jerk[1:-1] = np.hypot(*np.diff(shifts, axis=0).T) * 100 / gray.shape[2]
    for cut in cuts:  # what changes at a cut is not shake
        jerk[max(0, cut - 2) : cut + 2] = 0
    parts = [slice(at, at + _FRAMES_PER_STEP) for at in range(0, len(gray), _FRAMES_PER_STEP)]
    heat = _heat(frames, soft, shifts, cuts)
    return ClipScan(
        start_s=start_s,
        step_s=STEP_S,
        brightness=tuple(round(float(gray[part].mean())) for part in parts),
        detail=tuple(round(float(gray[part].std(axis=(1, 2)).mean())) for part in parts),
        shake=tuple(round(float(jerk[part].mean()), 2) for part in parts),
        cuts_s=tuple(round(start_s + cut / FPS, 2) for cut in cuts),
        columns=_shares(heat.sum(axis=0)),
        rows=_shares(heat.sum(axis=1)),
    )


def shots_of(scan: ClipScan) -> tuple[tuple[float, float], ...]:
    """(start, end) in seconds of the shots in the part of a clip that was looked at."""
    end_s = scan.start_s + scan.step_s * len(scan.brightness)
    edges = [scan.start_s, *(cut_s for cut_s in scan.cuts_s if scan.start_s < cut_s < end_s), end_s]
    return tuple((round(start, 2), round(end, 2)) for start, end in itertools.pairwise(edges))


def grey(frames: Frames) -> NDArray[np.float32]:
    """How bright the pictures are, [..., height, width]."""
    return frames.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def find_cuts(frames: Frames, gray: NDArray[np.float32]) -> list[int]:
    """Numbers of the frames that start a new shot: other colours and another picture than just before, and a far
    larger step than those around it, which fast motion is not."""
    if len(frames) < 2:
        return []
    bins = (frames >> 6).astype(np.int32) @ np.array([16, 4, 1])
    histograms = np.stack([np.bincount(one.ravel(), minlength=64) for one in bins]) / bins[0].size
    colours = np.abs(np.diff(histograms, axis=0)).sum(axis=1) / 2
    picture = np.abs(np.diff(gray, axis=0)).mean(axis=(1, 2))
    cuts = []
    for at, (colour, step) in enumerate(zip(colours, picture, strict=True)):
        around = np.delete(picture[max(0, at - 5) : at + 6], min(at, 5))
        usual = float(np.median(around)) if len(around) else 0.0
        if step > 12 and step > 3 * usual and (colour > 0.25 or step > 40):
            cuts.append(at + 1)
    return cuts


def _shift(one: NDArray[np.float32], two: NDArray[np.float32]) -> tuple[float, float]:
    """How far the whole picture moved between two frames, in pixels and parts of them (least squares on gradients)."""
    down, across = np.gradient(one)
    change = two - one
    a, b, c = float((across * across).sum()), float((across * down).sum()), float((down * down).sum())
    p, q = float((across * change).sum()), float((down * change).sum())
    determinant = a * c - b * b
    if determinant < 1e-3 * (a + c + 1) ** 2 * 1e-2:
        return 0.0, 0.0
    limit = one.shape[1] / 8
    x, y = (-c * p + b * q) / determinant, (b * p - a * q) / determinant
    return max(-limit, min(limit, x)), max(-limit, min(limit, y))


def _heat(
    frames: Frames, soft: list[NDArray[np.float32]], shifts: NDArray[np.float64], cuts: list[int]
) -> NDArray[np.float64]:
    """How much there is to see at each place: what differs in colour or light from its surroundings, and what moves
    against them."""
    chosen = np.linspace(0, len(frames) - 1, min(8, len(frames))).round().astype(int)
    heat = np.mean([_standing_out(one) for one in frames[chosen].astype(np.float32)], axis=0)
    moving = np.zeros_like(heat)
    for at, ((one, two), (x, y)) in enumerate(zip(itertools.pairwise(soft), shifts, strict=True)):
        if at + 1 not in cuts:
            down, across = np.gradient(one)
            moving += np.maximum(0, np.abs(two - one + across * x + down * y) - 4)
    # What comes into the frame at its edges is new there, not moving.
    moving[:, :2] = moving[:, -2:] = moving[:2] = moving[-2:] = 0
    if moving.sum() > 0.05 * moving.size * len(frames):  # grey levels: less is noise
        heat = heat + moving / moving.sum()
    return np.asarray(heat)


def _standing_out(frame: NDArray[np.float32]) -> NDArray[np.float64]:
    """The distance in colour between a place and what lies around it, above what is usual in the frame; sums to 1."""
    reach = max(frame.shape[:2]) // 6
    apart = np.sqrt(((_blurred(frame, 1) - _blurred(frame, reach)) ** 2).sum(axis=2))
    apart = np.maximum(0, apart - np.median(apart)) + 1e-3
    return np.asarray(apart / apart.sum())


def _blurred(values: Any, reach: int) -> Any:
    """The mean over a square of 2 * reach + 1 on each side, by running sums; the edges go on as they are."""
    for axis in (0, 1):
        pads = [(reach + 1, reach) if axis == side else (0, 0) for side in range(values.ndim)]
        sums = np.cumsum(np.pad(values, pads, mode="edge"), axis=axis, dtype=np.float64)
        wide = 2 * reach + 1
        upper, lower = np.split(sums, [wide], axis=axis)[1], np.split(sums, [sums.shape[axis] - wide], axis=axis)[0]
        values = (upper - lower) / wide
    return values


def _shares(profile: NDArray[np.float64]) -> tuple[int, ...]:
    total = float(profile.sum())
    return tuple(round(float(value) / total * 1000) for value in profile) if total > 0 else ()
