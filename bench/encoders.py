"""Quality against CPU and size of every preset of the software encoders, and which of them are worth having.

Each clip goes through the very filters of a segment, with the looks in turn, and is kept uncompressed: that is what the
encoders get, and what their output is compared with. `pareto` marks what nothing else of the same encoder beats in CPU
and in size at the same quality.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import exp, log, log10
from pathlib import Path
from statistics import fmean

import ffmpeg as graph

from bench.clips import bench_clips
from bench.options import Options
from vidgend.children import QUIET
from vidgend.cores import cores
from vidgend.pipeline.encoders.port import Native
from vidgend.pipeline.encoders.select import find_encoder
from vidgend.pipeline.encoding import Encoding
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.media_kind import sniff
from vidgend.pipeline.picture_args import Picture
from vidgend.pipeline.probe import probe
from vidgend.pipeline.segment_args import arguments, graded_source, looked
from vidgend.pipeline.styles import STYLES
from vidgend.pipeline.timeline import shot_of

SECONDS = 2
FPS = 30
WIDTH_PX, HEIGHT_PX = 1920, 1080
CLIPS = 5
SHORT_S = 4.0
"""Runs that take less CPU are made twice and the lesser counts: what else the machine does can only add to it."""
TARGET_VMAF = 93.0
"""Where presets are compared at the same quality: most viewers see no difference to the original there, or one that
does not annoy them. Source: R. Rassool, "VMAF reproducibility", IEEE BMSB 2017."""

X264_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow")
SWEEPS: Mapping[str, tuple[Sequence[str], Sequence[int]]] = {
    "libx264": (X264_PRESETS, (18, 22, 26)),
    "libx265": ([one for one in X264_PRESETS if one != "faster"], (19, 24, 29)),  # which is nearly its `fast`
    "libsvtav1": (("9", "8", "7", "6", "5"), (24, 34, 44)),
}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One preset at one quality, over all clips. CPU seconds and kilobits are for a second of video."""

    encoder: str
    preset: str
    crf: int
    cpu_s: float
    kbps: float
    ssim: float
    vmaf: float

    @property
    def ssim_db(self) -> float:
        return -10 * log10(max(1e-9, 1 - self.ssim))


async def bench(ffmpeg: Ffmpeg, options: Options) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = bench_clips(ffmpeg, folder, options.footage)[: 2 if options.quick else CLIPS]
        sources = [await _graded(ffmpeg, folder, clip, number) for number, clip in enumerate(clips)]
        for encoder, (presets, crfs) in SWEEPS.items():
            rows = []
            for preset in presets:
                for crf in crfs[::3] if options.quick else crfs:
                    rows.append(await asyncio.to_thread(_measure, ffmpeg, folder, sources, encoder, preset, crf))
                    print(f"  {_text(rows[-1])}", flush=True)
            _summary(encoder, rows)


async def _graded(ffmpeg: Ffmpeg, folder: Path, clip: Path, number: int) -> Path:
    """The first seconds of a clip as a segment's encoder gets them, raw."""
    kind = sniff(clip.read_bytes()[:4096])
    assert kind is not None, clip
    seen = await probe(ffmpeg, clip, kind.demuxer)
    picture = Picture(
        kind="video", file=str(clip.absolute()), width_px=seen.width_px, height_px=seen.height_px,
        demuxer=kind.demuxer, fps=seen.fps, colour=seen.colour,
    )  # fmt: skip
    style = list(STYLES.values())[number % len(STYLES)]
    encoding = Encoding(
        width_px=WIDTH_PX, height_px=HEIGHT_PX, fps=Fraction(FPS), preset="auto", crf=0, threads=cores(),
        bar_px=style.bar_px(WIDTH_PX, HEIGHT_PX),
    )  # fmt: skip
    frames = SECONDS * FPS
    stream = graded_source(
        picture, encoding, shot=shot_of(frames, before=0, after=0), first=0, count=frames, grade=style.grade
    )
    stream = looked(stream, style.finishing(WIDTH_PX, HEIGHT_PX)).filter("format", pix_fmts="yuv420p")
    path = folder / f"graded-{number}.yuv"
    output = graph.output(stream, str(path), **{"frames:v": frames, "format": "rawvideo"})
    written = await ffmpeg.run(arguments(output, encoding), cwd=folder, timeout_s=600)
    assert written == frames, (clip, written)
    return path


def _raw(source: Path) -> list[str]:
    return ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{WIDTH_PX}x{HEIGHT_PX}", "-r", str(FPS), "-i", str(source)]


def _run(ffmpeg: Ffmpeg, args: Sequence[str]) -> tuple[float, str]:
    """(CPU seconds, what it said)."""
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(
            [ffmpeg.path, "-nostdin", "-hide_banner", "-nostats", "-v", "info", "-y", *args], stderr=said,
            env={**os.environ, **QUIET},
        )  # fmt: skip
        _, status, usage = os.wait4(child.pid, 0)
        said.seek(0)
        text = said.read()
    if status:
        raise SystemExit(text)
    return usage.ru_utime + usage.ru_stime, text


def _measure(ffmpeg: Ffmpeg, folder: Path, sources: Sequence[Path], encoder: str, preset: str, crf: int) -> Measured:
    chosen = find_encoder(encoder)
    native = Native(preset=preset, quality=crf, threads=cores(), pixels=WIDTH_PX * HEIGHT_PX)
    codec = {"c:v": encoder, **chosen.options(native), "g": FPS * 2, "flags": "+cgop", "fflags": "+bitexact"}
    flags = [part for key, value in codec.items() for part in (f"-{key}", str(value))]
    encoded = folder / "encoded.mp4"
    cpu_s = size_bytes = 0.0
    ssims, vmafs = [], []
    for source in sources:
        reading_s, _ = _run(ffmpeg, [*_raw(source), "-c", "copy", "-f", "null", "-"])
        encode = [*_raw(source), *flags, str(encoded)]
        spent_s, _ = _run(ffmpeg, encode)
        if spent_s < SHORT_S:
            spent_s = min(spent_s, _run(ffmpeg, encode)[0])
        cpu_s += spent_s - reading_s
        size_bytes += encoded.stat().st_size
        _, said = _run(
            ffmpeg,
            [
                "-i", str(encoded), *_raw(source), "-lavfi",
                "[0:v]settb=1/30,setpts=N,split[a][b];[1:v]settb=1/30,setpts=N,split[c][d];[a][c]ssim;"
                f"[b][d]libvmaf=n_threads={cores()}:n_subsample=4", "-f", "null", "-",
            ],
        )  # fmt: skip
        ssims.append(float(_found(r"SSIM .*All:([\d.]+)", said)))
        vmafs.append(float(_found(r"VMAF score: ([\d.]+)", said)))
    seconds = len(sources) * SECONDS
    return Measured(
        encoder=encoder, preset=preset, crf=crf, cpu_s=cpu_s / seconds, kbps=size_bytes * 8 / 1000 / seconds,
        ssim=fmean(ssims), vmaf=fmean(vmafs),
    )  # fmt: skip


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise SystemExit(f"ffmpeg said nothing like {pattern}:\n{text}")
    return match[1]


def _text(row: Measured) -> str:
    return (
        f"{row.encoder} {row.preset:>9} crf {row.crf:2}: {row.cpu_s:6.2f} CPU-s {row.kbps:7.0f} kbit/s "
        f"SSIM {row.ssim:.4f} ({row.ssim_db:.2f} dB) VMAF {row.vmaf:.2f}"
    )


def _summary(encoder: str, rows: Sequence[Measured]) -> None:
    """A line for each preset: what it takes at the same quality, and whether nothing beats it."""
    by_preset: dict[str, list[Measured]] = defaultdict(list)
    for row in rows:
        by_preset[row.preset].append(row)
    at_target = {preset: _at(TARGET_VMAF, some) for preset, some in by_preset.items()}
    print(f"\n{encoder} at VMAF {TARGET_VMAF:g}")
    print("| preset | crf | CPU s for 1 s | kbit/s | |\n|---|---|---|---|---|")
    for preset, (crf, cpu_s, kbps) in at_target.items():
        beaten = any(other != preset and cpu <= cpu_s and size <= kbps for other, (_, cpu, size) in at_target.items())
        print(f"| {preset} | {crf:.1f} | {cpu_s:.2f} | {kbps:.0f} | {'' if beaten else 'pareto'} |", flush=True)
    print(flush=True)


def _at(vmaf: float, rows: Sequence[Measured]) -> tuple[float, float, float]:
    """(crf, CPU seconds, kbit/s) of a preset where it reaches that quality: between the two nearest measurements, or
    beyond the last ones, along straight lines, the bit rate's in its logarithm."""
    ordered = sorted(rows, key=lambda row: row.vmaf)
    pairs = list(itertools.pairwise(ordered))
    low, high = next((pair for pair in pairs if pair[1].vmaf >= vmaf), pairs[-1])
    share = (vmaf - low.vmaf) / (high.vmaf - low.vmaf)

    def between(one: float, two: float) -> float:
        return one + (two - one) * share

    return (
        between(low.crf, high.crf), between(low.cpu_s, high.cpu_s), exp(between(log(low.kbps), log(high.kbps))),
    )  # fmt: skip
