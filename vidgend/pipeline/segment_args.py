"""Arguments of the one ffmpeg that makes a segment.

Pure: numbers, names and enums in, a list out; no text of a user ever gets in here. Built with ffmpeg-python, keyword
arguments only: it escapes positional filter arguments twice (docs/adr/0004). File names are fixed names in the step's
scratch folder.
"""

from __future__ import annotations

from fractions import Fraction

import ffmpeg

from vidgend.pipeline.encoding import Encoding
from vidgend.pipeline.picture_args import Picture, painted_source, photo_source, video_source

FADE_S = 0.5
"""Fade from black at the start of a video and to black at its end."""


def segment_args(
    picture: Picture,
    encoding: Encoding,
    *,
    frames: int,
    grade: tuple[tuple[str, dict[str, str]], ...] = (),
    captions: bool = False,
    fade_in: bool = False,
    fade_out: bool = False,
) -> list[str]:
    """One decode, one encode: `source.media` (or stdin) -> `segment.mp4`, exactly `frames` long.

    `poster.jpg` is one frame of it, taken before fades and captions.
    """
    length_s = Fraction(frames) / encoding.fps
    if picture.kind == "generated":
        stream = painted_source(picture, encoding)
    elif picture.kind == "photo":
        stream = photo_source(picture, encoding, frames)
    else:
        stream = video_source(picture, encoding, length_s)
        # Rounding in a clip's own time base may cost its last frame; half a second of it is enough.
        stream = stream.filter("tpad", stop_mode="clone", stop_duration="0.5")
    for name, arguments in grade:
        stream = stream.filter(name, **arguments)
    stream = stream.filter("format", pix_fmts="yuv420p").filter(
        "setparams", color_primaries="bt709", color_trc="bt709", colorspace="bt709", range="tv"
    )
    both = stream.filter_multi_output("split", outputs=2)
    stream = both[0]
    fade_frames = max(1, round(encoding.fps * Fraction(FADE_S)))
    if fade_in:
        stream = stream.filter("fade", type="in", start_frame=0, nb_frames=fade_frames)
    if fade_out:
        stream = stream.filter("fade", type="out", start_frame=max(0, frames - fade_frames), nb_frames=fade_frames)
    if captions:
        stream = stream.filter("ass", filename="captions.ass", fontsdir="fonts")
    segment = ffmpeg.output(
        stream, "segment.mp4", **encoding.options(), **{"frames:v": frames, "an": None, "format": "mp4"}
    )
    poster = ffmpeg.output(
        both[1].filter("select", expr=f"eq(n,{frames * 2 // 5})"),
        "poster.jpg",
        **{"c:v": "mjpeg", "frames:v": 1, "q:v": 3, "format": "image2", "update": 1, "strict": "unofficial"},
    )
    return list(ffmpeg.merge_outputs(segment, poster).get_args(overwrite_output=True))
