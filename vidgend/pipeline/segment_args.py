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
from vidgend.pipeline.picture_args import Picture, painted_source, video_source
from vidgend.pipeline.styles.look import Filter
from vidgend.pipeline.timeline import Shot, fade_frames
from vidgend.timebase import fps_text


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
    stream = looked(stream, grade)
    stream = stream.filter("format", pix_fmts="yuv420p").filter(
        "setparams", color_primaries="bt709", color_trc="bt709", colorspace="bt709", range="tv"
    )
    return numbered(stream, encoding)


def numbered(stream: Any, encoding: Encoding) -> Any:
    """Time stamps count frames, from zero."""
    return stream.filter("settb", expr=f"1/({fps_text(encoding.fps)})").filter("setpts", expr="N")


def looked(stream: Any, filters: tuple[Filter, ...]) -> Any:
    for name, arguments in filters:
        stream = stream.filter(name, **arguments)
    return stream


def captioned(stream: Any, file: str, *, at: str) -> Any:
    """Burn in an ASS file; `at` is an expression for the frame of the captions' time that frame `N` shows."""
    stream = stream.filter("setpts", expr=at)
    return stream.filter("ass", filename=file, fontsdir="fonts").filter("setpts", expr="N")


def encoded(stream: Any, encoding: Encoding, frames: int) -> Any:
    return ffmpeg.output(
        stream, "segment.mp4", **encoding.options(), **{"frames:v": frames, "an": None, "format": "mp4"}
    )


def arguments(output: Any) -> list[str]:
    """The command. Time stamps stay those of the files, from zero on: `video_source` counts on that."""
    return list(output.global_args("-copyts", "-start_at_zero").get_args(overwrite_output=True))


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
) -> list[str]:
    """One decode, one encode: `source.media` (or stdin) -> `segment.mp4`, the body of the shot.

    `poster.jpg` is one frame of it, taken before fades and captions.
    """
    frames = shot.body_frames
    stream = graded_source(picture, encoding, shot=shot, first=shot.head, count=frames, grade=grade)
    both = looked(stream, finish).filter_multi_output("split", outputs=2)
    stream = both[0]
    few = fade_frames(encoding.fps)
    if fade_in:
        stream = stream.filter("fade", type="in", start_frame=0, nb_frames=few)
    if fade_out:
        stream = stream.filter("fade", type="out", start_frame=max(0, frames - few), nb_frames=few)
    if captions:
        stream = captioned(stream, "captions.ass", at=f"N+{shot.head - shot.start}")
    poster = ffmpeg.output(
        both[1].filter("select", expr=f"eq(n,{frames * 2 // 5})"),
        "poster.jpg",
        **{"c:v": "mjpeg", "frames:v": 1, "q:v": 3, "format": "image2", "update": 1, "strict": "unofficial"},
    )
    return arguments(ffmpeg.merge_outputs(encoded(stream, encoding, frames), poster))
