"""What of a clip a scene shows, as arguments of a step (plain JSON, part of its key), and back."""

from __future__ import annotations

from dataclasses import asdict, replace
from fractions import Fraction
from typing import Any

from vidgend.models import Clip, Colour
from vidgend.pipeline.bounce import longest_bounce_s
from vidgend.pipeline.clip_window import Window, choose_window, crop_positions, shorten_bounce, window_from
from vidgend.pipeline.picture_args import Picture


def clip_args(clip: Clip, *, width_px: int, height_px: int, fps: Fraction, need_s: float) -> dict[str, Any]:
    """The clip, the part of it for a shot of `need_s`, and how it is to be read. The scan itself stays outside: a
    better one that leads to the same part leads to the same key."""
    args: dict[str, Any] = {
        "kind": clip.kind, "digest": clip.digest, "demuxer": clip.demuxer, "width_px": clip.width_px,
        "height_px": clip.height_px, "fps": clip.fps, "recipe": clip.recipe,
    }  # fmt: skip
    if clip.kind == "generated":
        return args
    window = Window()
    if clip.kind == "video":
        longest_s = longest_bounce_s(width_px, height_px, min(Fraction(clip.fps or 30.0), fps))
        duration_s = clip.duration_s or 0.0
        if clip.in_point_s is not None:
            window = window_from(clip.in_point_s, duration_s, need_s)
            window = replace(window, bounce_s=min(window.bounce_s, longest_s))
        else:
            window = shorten_bounce(choose_window(duration_s, need_s, clip.scan), longest_s, clip.scan)
    return args | {
        "window": asdict(window),
        "crop": crop_positions(clip, width_px, height_px),
        "colour": asdict(clip.colour),
        "interlaced": clip.interlaced,
        "orientation": clip.orientation,
    }


def clip_picture(clip: dict[str, Any], *, motion: int = 0, file: str = "source.media") -> Picture:
    """The source that `clip_args` describes, as `file` in the scratch folder."""
    crop_x, crop_y = clip.get("crop", (0.5, 0.5))
    return Picture(
        kind=clip["kind"],
        file=file,
        width_px=clip["width_px"],
        height_px=clip["height_px"],
        demuxer=clip["demuxer"],
        fps=clip["fps"],
        window=Window(**clip.get("window", {})),
        colour=Colour(**clip.get("colour", {})),
        interlaced=clip.get("interlaced", ""),
        orientation=clip.get("orientation", 1),
        crop_x=crop_x,
        crop_y=crop_y,
        motion=motion,
    )
