"""What is in a media file, told by ffmpeg itself.

`probe` reads the header of any file; `packets` counts the packets of one that vidgend made, exactly.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vidgend import children
from vidgend.errors import MediaUnreadable
from vidgend.pipeline.ffmpeg import Ffmpeg

MAX_PIXELS = 50_000_000
"""Larger pictures are refused before they are decoded: a 190 kB PNG of 14000 x 14000 took 872 MB (measured)."""

MAX_ASPECT = 12

_DURATION = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)", re.M)
# Two spaces at the start of the line are ffmpeg's own; a title that looks like this is indented further.
_VIDEO = re.compile(
    r"^  Stream #0:\d+.*?: Video: (\w+).*?, (\d{2,5})x(\d{2,5})(?: \[SAR (\d+):(\d+) DAR [\d:]+\])?(.*)", re.M
)
_RATE = re.compile(r"([\d.]+k?) (?:fps|tbr)")
_ROTATION = re.compile(r"rotation of (-?[\d.]+) degrees")


@dataclass(frozen=True, kw_only=True)
class Probe:
    """`width_px` x `height_px` as shown: after rotation, with square pixels. `duration_s` None if unknown."""

    codec: str
    width_px: int
    height_px: int
    coded_width_px: int
    coded_height_px: int
    fps: float
    duration_s: float | None
    has_audio: bool


def input_options(demuxer: str | None) -> list[str]:
    """Options before `-i` for a file that vidgend did not make: the demuxer is forced, so that a playlist under a
    media name is not followed to other files or hosts (measured: forcing it stops that)."""
    options = ["-protocol_whitelist", "file,pipe", "-max_pixels", str(MAX_PIXELS)]
    return [*options, "-f", demuxer] if demuxer else options


async def probe(ffmpeg: Ffmpeg, path: Path, demuxer: str | None = None) -> Probe:
    """Read the header. Raises: MediaUnreadable."""
    finished = await children.run(
        [ffmpeg.path, "-nostdin", "-hide_banner", *input_options(demuxer), "-i", str(path)], timeout_s=20
    )  # without an output ffmpeg prints what it found and exits with 1
    text = finished.stderr_tail
    video = _VIDEO.search(text)
    if video is None:
        if re.search(r"Picture size \d+x\d+ is invalid|exceeds|max_pixels", text):
            raise MediaUnreadable(f"the picture is larger than {MAX_PIXELS // 1_000_000} megapixels", tail=text)
        raise MediaUnreadable("there is no readable picture in the file", tail=text)
    width, height = int(video[2]), int(video[3])
    sar = Fraction(int(video[4]), int(video[5])) if video[4] and int(video[4]) and int(video[5]) else Fraction(1)
    shown_width, shown_height = max(1, round(width * sar)), height
    rotation = _ROTATION.search(text)
    if rotation is not None and round(float(rotation[1])) % 180 == 90:
        shown_width, shown_height = shown_height, shown_width
    if max(shown_width, shown_height) > MAX_ASPECT * min(shown_width, shown_height):
        raise MediaUnreadable(f"a picture of {shown_width}x{shown_height} fits no screen")
    rate = _RATE.search(video[6])
    fps = float(rate[1].replace("k", "")) * (1000 if rate[1].endswith("k") else 1) if rate else 0.0
    duration = _DURATION.search(text)
    duration_s = None
    if duration is not None:
        duration_s = int(duration[1]) * 3600 + int(duration[2]) * 60 + float(duration[3])
    return Probe(
        codec=video[1],
        width_px=shown_width,
        height_px=shown_height,
        coded_width_px=width,
        coded_height_px=height,
        fps=fps,
        duration_s=duration_s,
        has_audio=": Audio: " in text,
    )


def read_loudness(text: str) -> tuple[float | None, float | None]:
    """(integrated loudness in LUFS, true peak in dBTP) from what the filter ebur128 prints; None for silence."""
    integrated = re.findall(r"I:\s+(-?[\d.]+) LUFS", text)
    peak = re.findall(r"Peak:\s+(-?[\d.]+) dBFS", text)
    level = float(integrated[-1]) if integrated else None
    return (level if level is not None and level > -69 else None), (float(peak[-1]) if peak else None)


@dataclass(frozen=True, kw_only=True)
class Track:
    """One stream of a file, from its packets. Times exact, in seconds."""

    kind: str
    packets: int
    start_s: Fraction
    end_s: Fraction
    monotonic: bool
    width_px: int = 0
    height_px: int = 0

    @property
    def duration_s(self) -> Fraction:
        return self.end_s - self.start_s


async def packets(ffmpeg: Ffmpeg, path: Path) -> dict[str, Track]:
    """The first video and the first audio track of a file, packet by packet. Raises: FfmpegFailed."""
    finished = await ffmpeg.capture(
        ["-i", str(path), "-map", "0:v:0?", "-map", "0:a:0?", "-c", "copy", "-f", "framecrc", "pipe:1"],
        cwd=path.parent,
    )
    return await asyncio.to_thread(_tracks, finished.stdout.decode())


def _tracks(listing: str) -> dict[str, Track]:
    headers: dict[str, dict[str, str]] = {}
    rows: dict[str, list[tuple[int, int, int]]] = {}
    for line in listing.splitlines():
        if match := re.match(r"#(\w+) (\d+): (.*)", line):
            headers.setdefault(match[2], {})[match[1]] = match[3].strip()
        elif line and not line.startswith("#"):
            stream, dts, pts, length = (part.strip() for part in line.split(",")[:4])
            rows.setdefault(stream, []).append((int(dts), int(pts), int(length)))
    tracks: dict[str, Track] = {}
    for stream, header in headers.items():
        listed = rows.get(stream)
        if not listed or "media_type" not in header:
            continue
        tick = Fraction(header["tb"])
        width, _, height = header.get("dimensions", "0x0").partition("x")
        tracks[header["media_type"]] = Track(
            kind=header["media_type"],
            packets=len(listed),
            # AAC starts with 1024 samples of priming before zero, which players cut off.
            start_s=max(Fraction(0), min(pts for _, pts, _ in listed) * tick),
            end_s=max(pts + length for _, pts, length in listed) * tick,
            monotonic=all(one[0] < two[0] for one, two in itertools.pairwise(listed)),
            width_px=int(width),
            height_px=int(height),
        )
    return tracks
