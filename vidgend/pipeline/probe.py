"""What is in a media file, told by ffmpeg itself.

`probe` reads the header of any file; `packets` counts the packets of one that vidgend made, exactly.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import re
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Literal

from vidgend.errors import MediaUnreadable, StepTimeout
from vidgend.models import Colour
from vidgend.pipeline.exif import swaps_sides
from vidgend.pipeline.ffmpeg import Ffmpeg

MAX_PIXELS = 50_000_000
"""Larger pictures are refused before they are decoded: a 190 kB PNG of 14000 x 14000 took 872 MB (measured)."""

MAX_ASPECT = 12
MAX_STREAMS = 64
PROBE_TIMEOUT_S = 10.0
DECODERS = (
    "h264", "hevc", "vp8", "vp9", "libvpx", "libvpx-vp9", "av1", "libdav1d", "libaom-av1", "mpeg4", "msmpeg4", "h263",
    "mpeg1video", "mpeg2video", "mpegvideo", "dvvideo", "prores", "dnxhd", "cfhd", "ffv1", "huffyuv", "ffvhuff",
    "qtrle", "rawvideo", "v210", "theora", "mjpeg", "png", "gif", "webp", "webp_anim",
)  # fmt: skip
"""What ffmpeg may decode pictures with. It has some five hundred decoders; most are for games of the nineties."""

_DURATION = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)", re.M)
# Two spaces at the start of the line are ffmpeg's own; a title that looks like this is indented further.
_STREAM = re.compile(r"^  Stream #0:\d+.*$", re.M)
_VIDEO = re.compile(
    r"^  Stream #0:\d+.*?: Video: (\w+)(?: \([^,]*\))*, (\w+)(?:\(([^)]*(?:\(swapped\))?)\))?, (\d{1,6})x(\d{1,6})"
    r"(?: \[SAR (\d+):(\d+) DAR [\d:]+\])?(.*)"
)
_OWN_SAR = re.compile(r", SAR (\d+):(\d+) DAR ")
_RATE = re.compile(r"([\d.]+k?) (?:fps|tbr)")
_SAID = re.compile(r"^    (title|description|synopsis|comment|keywords|genre) *: (.*(?:\n {20}: .*)*)", re.M)
_MOST_SAID, _LONGEST_SAID = 10, 2000
_ROTATION = re.compile(r"rotation of (-?[\d.]+) degrees")
_ALPHA = re.compile(r"yuva|rgba|bgra|argb|abgr|gbrap|^ya\d|pal8")
_FIELDS = re.compile(r"\b(top|bottom)( coded)? first")
_TRANSFERS: dict[str, Literal["pq", "hlg"]] = {"smpte2084": "pq", "arib-std-b67": "hlg"}
_MATRICES = {
    "bt709": "bt709", "bt470bg": "bt601", "smpte170m": "bt601", "fcc": "fcc", "smpte240m": "smpte240m",
    "bt2020nc": "bt2020", "bt2020c": "bt2020",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Probe:
    """`width_px` x `height_px` as shown: after rotation, with square pixels. `duration_s` None if unknown.

    `interlaced` None: the file does not say.
    """

    codec: str
    width_px: int
    height_px: int
    coded_width_px: int
    coded_height_px: int
    fps: float
    duration_s: float | None
    has_audio: bool
    bit_rate_kbps: int = 0
    interlaced: bool | None = None
    colour: Colour = field(default_factory=Colour)
    said: tuple[tuple[str, str], ...] = ()
    """(name, text) of what somebody wrote into the file about it: `title`, `keywords`, ..."""


def input_options(demuxer: str | None) -> list[str]:
    """Options before `-i` for a file that vidgend did not make: the demuxer is forced, so that a playlist under a
    media name is not followed to other files or hosts (measured: forcing it stops that)."""
    options = [part for name, value in input_arguments(demuxer).items() for part in (f"-{name}", str(value))]
    return options


def input_arguments(demuxer: str | None) -> dict[str, str | int]:
    """The same by name, for ffmpeg-python, which calls `-f` `format`; here it is `f`."""
    named: dict[str, str | int] = {
        "protocol_whitelist": "file,pipe", "max_pixels": MAX_PIXELS, "codec_whitelist": ",".join(DECODERS),
    }  # fmt: skip
    return {**named, "f": demuxer} if demuxer else named


async def probe(ffmpeg: Ffmpeg, path: Path, demuxer: str | None = None, *, orientation: int = 1) -> Probe:
    """Read the header. `orientation` is the EXIF one of a photo. Raises: MediaUnreadable."""
    try:
        finished = await ffmpeg.look(
            [*input_options(demuxer), "-i", str(path.absolute())], cwd=path.parent, timeout_s=PROBE_TIMEOUT_S
        )  # without an output ffmpeg prints what it found and exits with 1
    except StepTimeout as error:
        raise MediaUnreadable(f"its header cannot be read: {error.detail}", tail=error.tail) from error
    return read_header(finished.stderr_tail, orientation)


def read_header(text: str, orientation: int = 1) -> Probe:
    """What ffmpeg prints about a file -> Probe. Raises: MediaUnreadable."""
    streams = _STREAM.findall(text)
    if len(streams) > MAX_STREAMS:
        raise MediaUnreadable(f"the file has more than {MAX_STREAMS} streams")
    videos = [line for line in streams if ": Video: " in line and "(attached pic)" not in line]
    if re.search(r"Picture size \d+x\d+ is invalid|exceeds|max_pixels", text):
        raise MediaUnreadable(f"the picture is larger than {MAX_PIXELS // 1_000_000} megapixels", tail=text)
    if not videos and any(": Audio: " in line for line in streams):
        raise MediaUnreadable("there is sound in the file but no moving picture", tail=text)
    if re.search(r"DOVI configuration record.* profile: 5\b", text):
        raise MediaUnreadable("Dolby Vision profile 5 has colours that ffmpeg cannot convert")
    video = _VIDEO.match(videos[0]) if videos else None
    if video is None:
        raise MediaUnreadable("there is no readable picture in the file", tail=text)
    width, height, rest = int(video[4]), int(video[5]), video[8]
    if not width or not height or width * height > MAX_PIXELS:
        raise MediaUnreadable(f"a picture of {width}x{height} cannot be used", tail=text)
    shown_width, shown_height = _as_shown(width, height, video, text, orientation)
    if max(shown_width, shown_height) > MAX_ASPECT * min(shown_width, shown_height):
        raise MediaUnreadable(f"a picture of {shown_width}x{shown_height} fits no screen")
    rate = _RATE.search(rest)
    fps = float(rate[1].replace("k", "")) * (1000 if rate[1].endswith("k") else 1) if rate else 0.0
    duration = _DURATION.search(text)
    duration_s = None
    if duration is not None:
        duration_s = int(duration[1]) * 3600 + int(duration[2]) * 60 + float(duration[3])
    kbps = re.search(r"^  Duration: .*bitrate: (\d+) kb/s", text, re.M)
    notes = video[3] or ""
    return Probe(
        codec=video[1],
        width_px=shown_width,
        height_px=shown_height,
        coded_width_px=width,
        coded_height_px=height,
        fps=fps,
        duration_s=duration_s,
        has_audio=any(": Audio: " in line for line in streams),
        bit_rate_kbps=int(kbps[1]) if kbps else 0,
        interlaced=True if _FIELDS.search(notes) else False if "progressive" in notes else None,
        colour=_colour(video[2], notes, height),
        said=tuple(
            (one[1], re.sub(r"\n {20}: ", " ", one[2])[:_LONGEST_SAID])
            for one in islice(_SAID.finditer(text), _MOST_SAID)
        ),
    )


def _as_shown(width: int, height: int, video: re.Match[str], text: str, orientation: int) -> tuple[int, int]:
    own = _OWN_SAR.search(video[8])  # the container's word goes before the codec's, as it does in ffmpeg
    across, down = (int(own[1]), int(own[2])) if own else (int(video[6] or 0), int(video[7] or 0))
    if across and down:
        width = max(1, round(width * Fraction(across, down)))
    rotation = _ROTATION.search(text)
    turned = rotation is not None and round(float(rotation[1])) % 180 == 90
    return (height, width) if turned or swaps_sides(orientation) else (width, height)


def _colour(pixel_format: str, notes: str, height: int) -> Colour:
    """ffmpeg prints `space/primaries/transfer`, or one word if all three are the same."""
    words = [part.strip() for part in notes.split(",")]
    triple = next((word for word in words if "/" in word or word in _MATRICES), "")
    space, _, others = triple.partition("/")
    primaries, _, transfer = others.partition("/") if others else (space, "", space)
    # Where nothing is said, players go by the size: SD is BT.601, HD is BT.709. ffmpeg alone would take BT.601 for all.
    said = _MATRICES.get(space)
    is_rgb = re.match(r"rgb|bgr|gbr|argb|abgr|pal8|0rgb|0bgr", pixel_format) is not None
    return Colour(
        matrix="" if is_rgb else said or ("bt709" if height >= 720 else "bt601"),
        full_range=not is_rgb and ("pc" in words or pixel_format.startswith("yuvj")),
        transfer=_TRANSFERS.get(transfer, ""),
        wide=primaries == "bt2020" or transfer in _TRANSFERS,
        alpha=_ALPHA.search(pixel_format) is not None,
    )


def read_loudness(text: str) -> tuple[float | None, float | None]:
    """(integrated loudness in LUFS, true peak in dBTP) from what the filter ebur128 prints; None for silence."""
    integrated = re.findall(r"I:\s+(-?[\d.]+) LUFS", text)
    peak = re.findall(r"Peak:\s+(-?[\d.]+) dBFS", text)
    level = float(integrated[-1]) if integrated else None
    return (level if level is not None and level > -69 else None), (float(peak[-1]) if peak else None)


@dataclass(frozen=True, kw_only=True)
class Track:
    """One stream of a file, from its packets. Times exact, in seconds. `digest` is equal for equal packets, whenever
    they are shown."""

    kind: str
    packets: int
    start_s: Fraction
    end_s: Fraction
    monotonic: bool
    digest: str
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
    contents: dict[str, list[str]] = {}
    for line in listing.splitlines():
        if match := re.match(r"#(\w+) (\d+): (.*)", line):
            headers.setdefault(match[2], {})[match[1]] = match[3].strip()
        elif line and not line.startswith("#"):
            stream, dts, pts, length, *content = (part.strip() for part in line.split(","))
            rows.setdefault(stream, []).append((int(dts), int(pts), int(length)))
            contents.setdefault(stream, []).append(" ".join(content[:2]))  # its size and check sum
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
            digest=hashlib.sha256("\n".join(contents[stream]).encode()).hexdigest(),
            width_px=int(width),
            height_px=int(height),
        )
    return tracks
