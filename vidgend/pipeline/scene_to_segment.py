"""Clip + captions + length -> segment: one ffmpeg, one decode, one encode, exact frames, and a poster on the way."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from vidgend.errors import FfmpegFailed, MediaUnreadable
from vidgend.models import Brief, Clip, Segment
from vidgend.pipeline.encoding import Encoding
from vidgend.pipeline.executor.port import Progress, StepOutput, StepRun, StepSpec
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.picture_args import Picture
from vidgend.pipeline.probe import input_options
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.segment_args import segment_args
from vidgend.pipeline.styles import find_style
from vidgend.store.assets.store import AssetStore
from vidgend.timebase import parse_fps

KIND = "segment"
CODE = (
    "scene_to_segment.py", "encoding.py", "picture_args.py", "segment_args.py", "captions_ass.py", "styles.py",
    "footage/paint",
)  # fmt: skip
FONTS = ("Inter-Bold.otf", "Inter-SemiBold.otf")


@dataclass(frozen=True, kw_only=True)
class RenderSettings:
    """x264 preset and constant rate factor, and how many threads one encode may use (0: ffmpeg decides)."""

    preset: str
    crf: int
    threads: int

    def for_quality(self, quality: str) -> RenderSettings:
        """`draft` is for a look, `high` for keeping; `standard` is what the settings say."""
        if quality == "draft":
            return RenderSettings(preset="ultrafast", crf=max(self.crf, 28), threads=self.threads)
        if quality == "high":
            return RenderSettings(preset="slow", crf=min(self.crf, 18), threads=self.threads)
        return self


def encoding_of(args: dict[str, Any]) -> Encoding:
    return Encoding(
        width_px=args["width_px"], height_px=args["height_px"], fps=parse_fps(args["fps"]), preset=args["preset"],
        crf=args["crf"], threads=args["threads"],
    )  # fmt: skip


class SegmentStep:
    """args: clip, encoding, frames, style, ass, fade_in, fade_out -> digest, poster, frames"""

    def __init__(self, ffmpeg: FfmpegTool, assets: AssetStore, fonts: Path) -> None:
        self._ffmpeg = ffmpeg
        self._assets = assets
        self._fonts = fonts

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        ffmpeg = await self._ffmpeg.get()
        encoding = encoding_of(args["encoding"])
        frames: int = args["frames"]
        clip = args["clip"]
        feeder = None
        if clip["kind"] == "generated":
            recipe = {**clip["recipe"], "fps": args["encoding"]["fps"], "frames": frames}
            await asyncio.to_thread((run.scratch / "recipe.json").write_text, json.dumps(recipe))
            feeder = [sys.executable, "-m", "vidgend.pipeline.footage.paint", str(run.scratch / "recipe.json")]
            picture = Picture(kind="generated", width_px=recipe["width_px"], height_px=recipe["height_px"])
        else:
            (run.scratch / "source.media").symlink_to(await self._assets.local(clip["digest"]))
            picture = Picture(
                kind=clip["kind"], width_px=clip["width_px"], height_px=clip["height_px"], demuxer=clip["demuxer"],
                fps=clip["fps"], duration_s=clip["duration_s"], motion=args["motion"],
            )  # fmt: skip
        if args["ass"]:
            await asyncio.to_thread((run.scratch / "captions.ass").write_text, args["ass"], "utf-8")
            (run.scratch / "fonts").symlink_to(self._fonts)
        try:
            written = await ffmpeg.run(
                segment_args(
                    picture,
                    encoding,
                    frames=frames,
                    grade=find_style(args["style"]).grade,
                    captions=bool(args["ass"]),
                    fade_in=args["fade_in"],
                    fade_out=args["fade_out"],
                ),
                cwd=run.scratch,
                timeout_s=args["timeout_s"],
                frames=frames,
                progress=run.progress,
                feeder=feeder,
            )
        except FfmpegFailed as error:
            if clip["kind"] != "generated":
                await self._blame_the_clip(ffmpeg, clip["demuxer"], run.scratch)
            raise error
        if written != frames and clip["kind"] == "generated":
            raise FfmpegFailed(f"the painter gave {written} of {frames} frames")
        if written != frames:
            raise MediaUnreadable(f"the clip gave {written} of {frames} frames: it is damaged or shorter than it says")
        digest = await self._assets.put(run.scratch / "segment.mp4")
        poster = await self._assets.put(run.scratch / "poster.jpg")
        output = {"digest": digest, "poster": poster, "frames": frames}
        return StepOutput(output=output, blobs=(digest, poster))

    async def _blame_the_clip(self, ffmpeg: Ffmpeg, demuxer: str, scratch: Path) -> None:
        """Decode the clip and do nothing else. Raises: MediaUnreadable if that fails as well."""
        try:
            await ffmpeg.run(
                [*input_options(demuxer), "-i", "source.media", "-map", "0:v:0", "-f", "null", "-"],
                cwd=scratch,
                timeout_s=600,
            )
        except FfmpegFailed as error:
            raise MediaUnreadable(f"the clip cannot be decoded: {error.detail}", tail=error.tail) from error


def fonts_folder() -> Path:
    """The shipped fonts. Source: package data; the wheel is always unpacked on disk."""
    return Path(str(resources.files("vidgend") / "data" / "fonts"))


async def render_segment(
    run: JobRun,
    brief: Brief,
    clip: Clip,
    *,
    settings: RenderSettings,
    ffmpeg: Ffmpeg,
    frames: int,
    ass: str,
    index: int,
    count: int,
    progress: Progress,
) -> Segment:
    """The encoded scene. Raises: MediaUnreadable if the clip is no good, FfmpegFailed, StepTimeout."""
    chosen = settings.for_quality(brief.quality)
    args: dict[str, Any] = {
        "clip": {
            "kind": clip.kind, "digest": clip.digest, "demuxer": clip.demuxer, "width_px": clip.width_px,
            "height_px": clip.height_px, "fps": clip.fps, "duration_s": clip.duration_s, "recipe": clip.recipe,
        },
        "encoding": {
            "width_px": brief.width_px, "height_px": brief.height_px, "fps": brief.fps, "preset": chosen.preset,
            "crf": chosen.crf, "threads": chosen.threads,
        },
        "frames": frames,
        "style": brief.style,
        "motion": index if clip.kind == "photo" else 0,
        "ass": ass,
        "fade_in": index == 0,
        "fade_out": index == count - 1,
    }  # fmt: skip
    key = run.key(KIND, args, CODE, ffmpeg.version)
    # Outside the key: how long one may wait says nothing about the picture.
    args["timeout_s"] = 300.0 + float(frames / brief.frame_rate) * 60
    spec = StepSpec(
        key=key,
        kind=KIND,
        args=args,
        label="ffmpeg",
        priority=-index,
        timeout_s=args["timeout_s"] + 60,
        max_attempts=1,
    )
    output = await run.step(spec, stage="rendering", progress=progress)
    return Segment(digest=output["digest"], frames=output["frames"], poster=output["poster"])
