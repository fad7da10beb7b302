"""What a step needs to show a scene's shot, brought into its scratch folder."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vidgend.models import Brief, Clip
from vidgend.pipeline.bounce import unroll
from vidgend.pipeline.captions.fit import CaptionFit
from vidgend.pipeline.clip_args import clip_args, clip_picture
from vidgend.pipeline.encoding import Encoding
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.picture_args import Picture
from vidgend.pipeline.timeline import Shot
from vidgend.store.assets.store import AssetStore
from vidgend.timebase import fps_text, frames_to_s


@dataclass(frozen=True, kw_only=True)
class ShotPicture:
    """What the picture of scene `index` is made of: a clip, the shot it gives, captions in the scene's own time.

    `motion` says which way a photo is moved over.
    """

    index: int
    motion: int = 0
    clip: Clip
    shot: Shot
    ass: str = ""
    fonts: list[dict[str, Any]] = field(default_factory=list)
    fit: CaptionFit | None = None
    """How the captions lie in the picture; None without any."""

    def args(self, brief: Brief) -> dict[str, Any]:
        """As arguments of a step: clip, shot, motion, ass."""
        width_px, height_px = brief.picture_px
        clip = clip_args(
            self.clip,
            width_px=width_px,
            height_px=height_px,
            fps=brief.frame_rate,
            need_s=float(frames_to_s(self.shot.frames, brief.frame_rate)),
        )
        motion = self.motion if self.clip.kind == "photo" else 0
        return {"clip": clip, "shot": asdict(self.shot), "motion": motion, "ass": self.ass}


@dataclass(frozen=True, kw_only=True)
class Laid:
    """A shot's picture, and the program whose frames go where `picture.raw` says, if there is one."""

    picture: Picture
    feeder: list[str] | None = None


async def lay_picture(
    ffmpeg: Ffmpeg,
    assets: AssetStore,
    args: dict[str, Any],
    encoding: Encoding,
    scratch: Path,
    *,
    first: int,
    count: int,
    timeout_s: float,
    name: str = "source",
) -> Laid:
    """Bring what frames `first` to `first + count` of the shot of `args` need into the scratch folder.

    Raises: NotFound, AssetDamaged, MediaUnreadable, FfmpegFailed, StepTimeout.
    """
    clip = args["clip"]
    if clip["kind"] == "generated":
        recipe = {**clip["recipe"], "fps": fps_text(encoding.fps), "first": first, "frames": count}
        file = scratch / f"{name}.json"
        await asyncio.to_thread(file.write_text, json.dumps(recipe))
        return Laid(
            picture=Picture(kind="generated", width_px=recipe["width_px"], height_px=recipe["height_px"]),
            feeder=[sys.executable, "-m", "vidgend.pipeline.footage.paint", str(file)],
        )
    picture = clip_picture(clip, motion=args["motion"], file=f"{name}.media")
    (scratch / picture.file).symlink_to(await assets.local(clip["digest"]))
    if not picture.window.bounce_s:
        return Laid(picture=picture)
    feeder = await unroll(
        ffmpeg, picture, encoding, frames=count, first=first, scratch=scratch, timeout_s=timeout_s
    )  # fmt: skip
    return Laid(picture=picture, feeder=feeder)
