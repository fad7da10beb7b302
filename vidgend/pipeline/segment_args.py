"""Arguments of the one ffmpeg that makes a segment.

Pure: numbers, names and enums in, a list out; no text of a user ever gets in here. Built with ffmpeg-python, keyword
arguments only: it escapes positional filter arguments twice (docs/adr/0004). File names are fixed names in the step's
scratch folder.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import ffmpeg

from vidgend.pipeline.encoding import Encoding
from vidgend.pipeline.photo_args import photo_source
from vidgend.pipeline.picture_args import Picture, jfif, painted_source, video_source
from vidgend.pipeline.picture_scan import scan_every, scan_size
from vidgend.pipeline.styles.look import VIGNETTE, Filter
from vidgend.pipeline.timeline import Shot, fade_frames
from vidgend.timebase import fps_text

RAW = {"c:v": "rawvideo", "fps_mode": "passthrough", "format": "rawvideo"}
"""Output options for frames as they are, one after the other."""
TAIL_LEAD = 1
"""Frames before those of a shot's tail in `tail.yuv`: see `segment_args`."""


def graded_source(
    picture: Picture, encoding: Encoding, *, shot: Shot, first: int, count: int, grade: tuple[Filter, ...]
) -> Any:
    """Frames `first` to `first + count` of a shot, numbered from zero: BT.709 in `yuv420p`, one tick a frame.

    The frames of a shot do not depend on which of them are made together.
    """
    if picture.kind == "generated":
        stream = painted_source(picture, encoding)
    elif picture.kind == "photo":
        stream = photo_source(picture, encoding, shot.frames, first=first, count=count)
    else:
        stream = video_source(picture, encoding, Fraction(shot.frames) / encoding.fps, first=first)
        # Rounding in a clip's own time base may cost its last frame; half a second of it is enough.
        stream = stream.filter("tpad", stop_mode="clone", stop_duration="0.5")
    return in_bt709(looked(stream, grade).filter("format", pix_fmts="yuv420p"), encoding)


def in_bt709(stream: Any, encoding: Encoding) -> Any:
    """Frames that are so already, marked as such and numbered from zero."""
    stream = stream.filter("setparams", color_primaries="bt709", color_trc="bt709", colorspace="bt709", range="tv")
    return numbered(stream, encoding)


def numbered(stream: Any, encoding: Encoding) -> Any:
    """Time stamps count frames, from zero."""
    return stream.filter("settb", expr=f"1/({fps_text(encoding.fps)})").filter("setpts", expr="N")


def looked(stream: Any, filters: tuple[Filter, ...]) -> Any:
    for name, arguments in filters:
        stream = _darkened(stream, arguments["angle"]) if name == VIGNETTE else stream.filter(name, **arguments)
    return stream


def _darkened(stream: Any, angle: str) -> Any:
    """A vignette. ffmpeg's own multiplies every pixel of every frame by a float, 5 ms at 1080p; here it darkens one
    white frame, which is the mask by which all frames are mixed with black: 0.5 ms. And grey stays grey."""
    parts = stream.filter_multi_output("split", outputs=3)
    white = parts[1].filter("trim", end_frame=1).filter("lutyuv", y=255, u=255, v=255)
    mask = white.filter("vignette", angle=angle, dither=0)
    mask = mask.filter("lutyuv", y="255-val", u="2*(255-val)", v="2*(255-val)")
    black = parts[2].filter("trim", end_frame=1).filter("lutyuv", y=0, u=128, v=128)
    dark = ffmpeg.filter([parts[0], black, mask], "maskedmerge")
    return dark.filter("limiter", min=16, max=235, planes=1)


def captioned(stream: Any, file: str, *, at: str) -> Any:
    """Burn in an ASS file; `at` is an expression for the frame of the captions' time that frame `N` shows."""
    stream = stream.filter("setpts", expr=at)
    return stream.filter("ass", filename=file, fontsdir="fonts").filter("setpts", expr="N")


def encoded(stream: Any, encoding: Encoding, frames: int) -> Any:
    stream = looked(stream, encoding.by.upload)
    return ffmpeg.output(
        stream, "segment.mp4", **encoding.options(), **{"frames:v": frames, "an": None, "format": "mp4"}
    )


def arguments(output: Any, encoding: Encoding) -> list[str]:
    """The command. Time stamps stay those of the files, from zero on: `video_source` counts on that.

    More threads for the filters than there are cores for cost a tenth more CPU time (measured).
    """
    count = encoding.threads_of_source
    threads = ("-filter_complex_threads", str(count)) if count else ()
    return list(output.global_args("-copyts", "-start_at_zero", *threads).get_args(overwrite_output=True))


def segment_args(
    picture: Picture,
    encoding: Encoding,
    *,
    shot: Shot,
    grade: tuple[Filter, ...] = (),
    finish: tuple[Filter, ...] = (),
    captions: bool = False,
    fade_in: bool = False,
    fade_out: bool = False,
    ends: bool = False,
) -> list[str]:
    """One decode, one encode: `source.media` (or stdin) -> `segment.mp4`, the body of the shot.

    `poster.jpg` is one frame of it, taken before fades and captions; `scan.raw` are small pictures for `read_scan`.
    ffmpeg says nothing of its progress until each of its outputs has had a frame, so all of them get the first one: it
    is overwritten in the poster, and leads in the tail (`TAIL_LEAD`).
    With `ends`, `head.yuv` and `tail.yuv` are the graded frames of the shot before and after its body, for the
    transitions: made here they are decoded and graded in passing. The source then begins with the shot's first frame.
    """
    frames = shot.body_frames
    others: list[Any] = []
    if ends:
        stream, others = _apart(
            graded_source(picture, encoding, shot=shot, first=0, count=shot.frames, grade=grade), encoding, shot
        )
    else:
        stream = graded_source(picture, encoding, shot=shot, first=shot.head, count=frames, grade=grade)
    bare = stream.filter_multi_output("split", outputs=2)
    both = looked(bare[0], finish).filter_multi_output("split", outputs=2)
    stream = both[0]
    few = fade_frames(encoding.fps)
    if fade_in:
        stream = stream.filter("fade", type="in", start_frame=0, nb_frames=few)
    if fade_out:
        stream = stream.filter("fade", type="out", start_frame=max(0, frames - few), nb_frames=few)
    if captions:
        stream = captioned(stream, "captions.ass", at=f"N+{shot.head - shot.start}")
    chosen = frames * 2 // 5
    poster = ffmpeg.output(
        jfif(both[1].filter("select", expr=f"eq(n,0)+eq(n,{chosen})")),
        "poster.jpg",
        **{"c:v": "mjpeg", "frames:v": 2 if chosen else 1, "q:v": 3, "format": "image2", "update": 1},
    )
    scan = _scanned(bare[1], encoding, frames)
    return arguments(ffmpeg.merge_outputs(encoded(stream, encoding, frames), poster, scan, *others), encoding)


def _apart(stream: Any, encoding: Encoding, shot: Shot) -> tuple[Any, list[Any]]:
    """A whole shot -> its body, and the outputs for the frames before and after it."""
    tail = shot.frames - shot.tail
    ends = {
        "head.yuv": (shot.head, f"lt(n,{shot.head})"),
        "tail.yuv": (shot.tail + TAIL_LEAD, f"lt(n,{TAIL_LEAD})+gte(n,{tail})"),
    }
    wanted = {file: ends[file] for file, frames in (("head.yuv", shot.head), ("tail.yuv", shot.tail)) if frames}
    parts = stream.filter_multi_output("split", outputs=len(wanted) + 1)
    outputs = [
        ffmpeg.output(parts[number].filter("select", expr=which), file, **RAW, **{"frames:v": count})
        for number, (file, (count, which)) in enumerate(wanted.items(), 1)
    ]
    body = parts[0].filter("trim", start_frame=shot.head, end_frame=shot.frames - shot.tail)
    return numbered(body, encoding), outputs


def _scanned(stream: Any, encoding: Encoding, frames: int) -> Any:
    width, height = scan_size(encoding.width_px, encoding.picture_height_px)
    every = scan_every(encoding.fps)
    return ffmpeg.output(
        stream.filter("select", expr=f"not(mod(n,{every}))").filter("scale", w=width, h=height, flags="area"),
        "scan.raw",
        **RAW,
        **{"frames:v": -(-frames // every)},
    )
