"""A source of pictures -> ffmpeg filters that give frames of the right size and rate.

Pure: numbers, names and enums in, a list out; no text of a user ever gets in here. Built with ffmpeg-python, keyword
arguments only: it escapes positional filter arguments twice (docs/adr/0004). File names are fixed names in the step's
scratch folder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

import ffmpeg

from vidgend.models import Colour, MediaKind
from vidgend.pipeline.clip_window import Window
from vidgend.pipeline.colour_args import scaled
from vidgend.pipeline.encoding import Encoding
from vidgend.pipeline.exif import turning_filters
from vidgend.pipeline.probe import input_arguments
from vidgend.timebase import fps_text

SEEK_EARLY_S = 0.5
"""Seeking goes before the first frame that is wanted, since the one that covers its moment may begin earlier."""
NO_SEEK = ("webp_anim",)
"""Demuxers that cannot go to a time; the frames before it are decoded and dropped."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The source of a segment: `file` in the scratch folder, or raw frames in `raw`, which is stdin or a file of ours.

    Raw are painted pictures, and clips that go back and forth (`window.bounce_s`): they come unrolled (bounce.py), in
    the size, rate and colours of the output. Sizes as shown (rotated, square pixels). `motion` chooses the direction of
    a photo's pan and zoom. `crop_x`, `crop_y`: where the cover crop lies, 0 left or top, 1 right or bottom.
    """

    kind: MediaKind
    file: str = "source.media"
    raw: str = "pipe:0"
    width_px: int
    height_px: int
    demuxer: str | None = None
    fps: float = 0.0
    window: Window = field(default_factory=Window)
    colour: Colour = field(default_factory=Colour)
    interlaced: Literal["", "flagged", "tff", "bff"] = ""
    orientation: int = 1
    crop_x: float = 0.5
    crop_y: float = 0.5
    motion: int = 0


def cover(stream: Any, picture: Picture, width: int, height: int, *, bar: int = 0, rough: bool = False) -> Any:
    """Cut to the shape of width x height, then scale: what is cut off is not worth scaling. `bar` rows at the top and
    as many at the bottom are left out of the result."""
    shape = Fraction(picture.width_px, picture.height_px) / Fraction(width, height)
    if shape > 1:
        share, place = f"trunc(iw*{float(1 / shape):.6f}/2)*2", f"(iw-ow)*{picture.crop_x:.4f}"
        stream = stream.filter("crop", w=share, h="ih", x=place, y=0)
    elif shape < 1:
        share, place = f"trunc(ih*{float(shape):.6f}/2)*2", f"(ih-oh)*{picture.crop_y:.4f}"
        stream = stream.filter("crop", w="iw", h=share, x=0, y=place)
    if bar:
        share = f"trunc(ih*{float(Fraction(height - 2 * bar, height)):.6f}/2+0.5)*2"
        stream = stream.filter("crop", w="iw", h=share, x=0, y="(ih-oh)/2")
    shown = scaled(stream, picture.colour, width_px=width, height_px=height - 2 * bar, rough=rough)
    return shown.filter("setsar", sar=1)


def jfif(stream: Any) -> Any:
    """Finished frames in the colours of JPEG files, which say nothing about them: BT.601, full range."""
    scaled = stream.filter("scale", in_color_matrix="bt709", in_range="tv", out_color_matrix="bt601", out_range="pc")
    return scaled.filter("format", pix_fmts="yuvj420p")


def video_source(picture: Picture, encoding: Encoding, length_s: Fraction, *, first: int = 0) -> Any:
    """Frames `first` and on of a shot that lasts `length_s`; of raw frames the first is that one already.

    Which moment of the clip a frame shows does not depend on `first`: time stamps stay those of the file (`-copyts`,
    which the caller sets) and are put on one grid that begins where the shot begins. So the last frames of a shot can
    be made by themselves and follow those before them without a jump. Seeking only spares the decoding.
    """
    if picture.window.bounce_s:
        return finished_frames(picture.raw, encoding)
    window = picture.window
    early_s = max(SEEK_EARLY_S, 2 / max(picture.fps, 0.5))
    from_s = max(0.0, window.start_s + float(first / encoding.fps) / window.slow - early_s)
    until_s = window.start_s + float(length_s) / window.slow + 1.0
    stream = _part_of_clip(picture, encoding, start_s=from_s, length_s=until_s - from_s)
    stream = stream.filter("setpts", expr=f"{window.slow:.6f}*(PTS-{window.start_s:.6f}/TB)")
    return _at_rate(stream, picture, encoding, encoding.fps, first=first)


def unrolled_rate(picture: Picture, encoding: Encoding) -> Fraction:
    """Frames a second of a clip that is unrolled: its own, if the video has not fewer."""
    own = Fraction(picture.fps).limit_denominator(1001) if picture.fps else encoding.fps
    return min(own, encoding.fps)


def unrolled_file(picture: Picture) -> str:
    return f"{picture.file}.yuv"


def unroll_args(picture: Picture, encoding: Encoding, *, frames: int) -> list[str]:
    """The part of a clip that goes back and forth, decoded once -> raw frames in the output's size and colours."""
    stream = _part_of_clip(picture, encoding, start_s=picture.window.start_s, length_s=picture.window.bounce_s)
    stream = stream.filter("setpts", expr="PTS-STARTPTS")
    stream = _at_rate(stream, picture, encoding, unrolled_rate(picture, encoding))
    output = ffmpeg.output(stream, unrolled_file(picture), **{"frames:v": frames, "format": "rawvideo"})
    return list(output.get_args(overwrite_output=True))


def _part_of_clip(picture: Picture, encoding: Encoding, *, start_s: float, length_s: float) -> Any:
    options: dict[str, Any] = input_arguments(picture.demuxer)
    if encoding.threads_of_source:
        options["threads"] = encoding.threads_of_source
    if encoding.rough:
        options |= {"skip_frame": "noref", "skip_loop_filter": "all"}
    by_decoding = picture.demuxer in NO_SEEK
    if not by_decoding:
        options |= {"ss": f"{start_s:.3f}", "t": f"{length_s:.3f}"} if start_s else {"t": f"{length_s:.3f}"}
    stream = ffmpeg.input(picture.file, **options)["V"]
    if by_decoding:
        stream = stream.filter("trim", start=f"{start_s:.3f}", duration=f"{length_s:.3f}")
    return stream


def _at_rate(stream: Any, picture: Picture, encoding: Encoding, fps: Fraction, *, first: int = 0) -> Any:
    if picture.interlaced:
        # Each field becomes a frame where the video has frames enough for them.
        doubled = float(fps) >= picture.fps * 1.5
        flagged = picture.interlaced == "flagged"
        stream = stream.filter(
            "bwdif",
            mode="send_field" if doubled else "send_frame",
            parity="auto" if flagged else picture.interlaced,
            deint="interlaced" if flagged else "all",
        )

    def at_rate(stream: Any) -> Any:
        return stream.filter("fps", fps=fps_text(fps), start_time=0).filter("trim", start_pts=first)

    reduce_first = picture.fps > float(fps) * 1.01
    if reduce_first:
        stream = at_rate(stream)
    stream = cover(stream, picture, encoding.width_px, encoding.height_px, bar=encoding.bar_px, rough=encoding.rough)
    return stream if reduce_first else at_rate(stream)


def still_source(picture: Picture, width_px: int, height_px: int) -> Any:
    """A photo as one frame of that size."""
    options: dict[str, Any] = {**input_arguments(picture.demuxer), "threads": 1}
    if picture.demuxer is not None and picture.demuxer.endswith("_pipe"):
        options["noautorotate"] = None  # what turns it is in `orientation`
    stream = ffmpeg.input(picture.file, **options)["V"].filter("trim", end_frame=1)
    for name, arguments in turning_filters(picture.orientation):
        stream = stream.filter(name, **arguments)
    return cover(stream, picture, width_px, height_px)


def painted_source(picture: Picture, encoding: Encoding) -> Any:
    return cover(
        _raw(picture.raw, picture.width_px, picture.height_px, "rgb24", encoding),
        picture,
        encoding.width_px,
        encoding.height_px,
        bar=encoding.bar_px,
    )


def finished_frames(source: str, encoding: Encoding) -> Any:
    """Raw frames, from stdin or a file of ours, that have the size, rate and colours of the picture already."""
    return _raw(source, encoding.width_px, encoding.picture_height_px, "yuv420p", encoding)


def _raw(source: str, width: int, height: int, pixels: str, encoding: Encoding) -> Any:
    return ffmpeg.input(
        source,
        format="rawvideo",
        protocol_whitelist="pipe" if source == "pipe:0" else "file",
        pix_fmt=pixels,
        s=f"{width}x{height}",
        r=fps_text(encoding.fps),
    ).video
