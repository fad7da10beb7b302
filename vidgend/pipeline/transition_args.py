"""Arguments of the ffmpeg that makes a transition: the last frames of one shot over the first ones of the next.

Pure, as segment_args.py, whose parts it uses: so a frame of a shot is the same one here and in the scene's body, and
what lies over the pictures (vignette, grain, bars, captions) stands still while they change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ffmpeg

from vidgend.models import TransitionKind
from vidgend.pipeline.encoding import Encoding
from vidgend.pipeline.picture_args import Picture, finished_frames
from vidgend.pipeline.segment_args import RAW, arguments, captioned, encoded, graded_source, in_bt709, looked, numbered
from vidgend.pipeline.styles.look import Filter
from vidgend.pipeline.timeline import Shot
from vidgend.timebase import frames_to_s, to_us

_MIXES = {"dissolve": "fade", "wipe": "smoothleft", "zoom": "fade"}
"""Names of ffmpeg's xfade. A zoom is a dissolve between two pictures that move."""
_RUSH, _SETTLE = 0.5, 0.2
"""How far a zoom goes into the old picture, and from how near the new one comes to rest."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two scenes: its picture, its shot, whether there is a file of captions for it.

    `end` is a file with the raw, graded frames of the shot that the transition shows, after `lead` others, if there is
    one (`ShotEnds`).
    """

    picture: Picture | None = None
    end: str = ""
    lead: int = 0
    shot: Shot
    captions: bool = False


def transition_args(
    left: Side,
    right: Side,
    encoding: Encoding,
    *,
    kind: TransitionKind,
    grade: tuple[Filter, ...] = (),
    finish: tuple[Filter, ...] = (),
) -> list[str]:
    """`left.media` and `right.media`, or their graded ends -> `segment.mp4`, as many frames as the two shots share.

    `left.ass` and `right.ass` are the captions of the whole scenes, in each scene's own time.
    """
    frames = left.shot.tail
    first = left.shot.frames - frames
    old = _frames(left, encoding, first, frames, grade)
    new = _frames(right, encoding, 0, frames, grade)
    stream = looked(_over(old, new, kind, frames, encoding), finish)
    before = right.shot.start
    if left.captions:
        # After the cut no caption of the old scene shows: the time is then past all of them.
        stream = captioned(stream, "left.ass", at=f"N+{first - left.shot.start}+100000000*gte(N,{before})")
    if right.captions:
        stream = captioned(stream, "right.ass", at=f"N-{before}")
    return arguments(encoded(stream, encoding, frames), encoding)


def end_args(side: Side, encoding: Encoding, *, first: int, count: int, grade: tuple[Filter, ...]) -> list[str]:
    """The frames of a side's picture -> `end.yuv`, as a body leaves them, without a lead."""
    stream = _frames(side, encoding, first, count, grade)
    return arguments(ffmpeg.output(stream, "end.yuv", **RAW, **{"frames:v": count}), encoding)


def _frames(side: Side, encoding: Encoding, first: int, frames: int, grade: tuple[Filter, ...]) -> Any:
    """Exactly so many frames: a clip that is damaged at its very end stands still for these few."""
    if side.end:
        stream = finished_frames(side.end, encoding)
        return in_bt709(stream.filter("trim", start_frame=side.lead) if side.lead else stream, encoding)
    assert side.picture is not None
    stream = graded_source(side.picture, encoding, shot=side.shot, first=first, count=frames, grade=grade)
    return stream.filter("tpad", stop_mode="clone", stop=-1).filter("trim", end_frame=frames)


def _over(old: Any, new: Any, kind: TransitionKind, frames: int, encoding: Encoding) -> Any:
    if kind == "slide":
        both = ffmpeg.filter([old, new], "hstack", inputs=2)
        t = f"(n+1)/{frames + 1}"
        width, height = encoding.width_px, encoding.picture_height_px
        return both.filter("crop", w=width, h=height, x=f"ow*({t})*({t})*(3-2*({t}))", y=0)
    if kind == "zoom":
        t = f"(on/{frames + 1})"
        old = _near(old, f"(1+{_RUSH}*{t}*{t})")
        new = _near(new, f"(1+{_SETTLE}*(1-{t})*(1-{t}))")
    if kind == "fade":
        half = frames // 2
        old = old.filter("fade", type="out", start_frame=0, nb_frames=half).filter("trim", end_frame=half)
        new = new.filter("fade", type="in", start_frame=half, nb_frames=frames - half).filter("trim", start_frame=half)
        parts = [numbered(part, encoding) for part in (old, new)]
        return numbered(ffmpeg.filter(parts, "concat", n=2, v=1, a=0), encoding)
    length_us = to_us(frames_to_s(frames, encoding.fps))
    return ffmpeg.filter([old, new], "xfade", transition=_MIXES[kind], duration=f"{length_us}us", offset=0)


def _near(stream: Any, zoom: str) -> Any:
    left, top = f"(W-W/{zoom})/2", f"(H-H/{zoom})/2"
    right, bottom = f"{left}+W/{zoom}", f"{top}+H/{zoom}"
    return stream.filter(
        "perspective",
        x0=left, y0=top, x1=right, y1=top, x2=left, y2=bottom, x3=right, y3=bottom,
        interpolation="linear", sense="source", eval="frame",
    )  # fmt: skip
