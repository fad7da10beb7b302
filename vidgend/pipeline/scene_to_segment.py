"""Clip + captions + length -> segment: one ffmpeg, one decode, one encode, exact frames, and a poster on the way."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidgend.errors import FfmpegFailed, MediaUnreadable
from vidgend.models import Brief, Segment
from vidgend.pipeline.captions.fonts import FontCatalog
from vidgend.pipeline.encoding import Encoding
from vidgend.pipeline.executor.port import Progress, StepOutput, StepRun, StepSpec
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.probe import input_options
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.segment_args import segment_args
from vidgend.pipeline.shot_picture import ShotPicture, lay_picture
from vidgend.pipeline.styles import find_style
from vidgend.pipeline.timeline import Shot
from vidgend.store.assets.store import AssetStore
from vidgend.timebase import parse_fps

KIND = "segment"
CODE = (
    "scene_to_segment.py", "shot_picture.py", "encoding.py", "clip_args.py", "picture_args.py", "photo_args.py",
    "colour_args.py", "bounce.py", "exif.py", "segment_args.py", "timeline.py", "captions/font_files.py", "styles",
    "footage/paint",
)  # fmt: skip


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


def encoding_args(brief: Brief, settings: RenderSettings) -> dict[str, Any]:
    chosen = settings.for_quality(brief.quality)
    return {
        "width_px": brief.width_px, "height_px": brief.height_px, "fps": brief.fps, "preset": chosen.preset,
        "crf": chosen.crf, "threads": chosen.threads,
    }  # fmt: skip


class SegmentStep:
    """args: clip, shot, motion, encoding, style, ass, fonts, fade_in, fade_out -> digest, poster, frames"""

    def __init__(self, ffmpeg: FfmpegTool, assets: AssetStore, fonts: FontCatalog) -> None:
        self._ffmpeg = ffmpeg
        self._assets = assets
        self._fonts = fonts

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        ffmpeg = await self._ffmpeg.get()
        encoding = encoding_of(args["encoding"])
        shot = Shot(**args["shot"])
        frames = shot.body_frames
        clip = args["clip"]
        laid = await lay_picture(
            ffmpeg, self._assets, args, encoding, run.scratch, first=shot.head, count=frames,
            timeout_s=args["timeout_s"],
        )  # fmt: skip
        style = find_style(args["style"])
        if args["ass"]:
            await asyncio.to_thread((run.scratch / "captions.ass").write_text, args["ass"], "utf-8")
            await asyncio.to_thread(self._fonts.lay_into, run.scratch / "fonts", args["fonts"], args["ass"])
        try:
            written = await ffmpeg.run(
                segment_args(
                    laid.picture,
                    encoding,
                    shot=shot,
                    grade=style.grade,
                    finish=style.finishing(encoding.width_px, encoding.height_px),
                    captions=bool(args["ass"]),
                    fade_in=args["fade_in"],
                    fade_out=args["fade_out"],
                ),
                cwd=run.scratch,
                timeout_s=args["timeout_s"],
                frames=frames,
                progress=run.progress,
                feeder=laid.feeder,
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
                [*input_options(demuxer), "-i", "source.media", "-map", "0:V:0", "-f", "null", "-"],
                cwd=scratch,
                timeout_s=600,
            )
        except FfmpegFailed as error:
            raise MediaUnreadable(f"the clip cannot be decoded: {error.detail}", tail=error.tail) from error


async def render_segment(
    run: JobRun,
    brief: Brief,
    shown: ShotPicture,
    *,
    settings: RenderSettings,
    ffmpeg: Ffmpeg,
    count: int,
    progress: Progress,
) -> Segment:
    """The encoded body of a scene's shot; `count` is how many scenes there are.

    Raises: MediaUnreadable if the clip is no good, FfmpegFailed, StepTimeout.
    """
    args: dict[str, Any] = {
        **shown.args(brief),
        "encoding": encoding_args(brief, settings),
        "style": brief.style,
        "fonts": shown.fonts,
        "fade_in": shown.index == 0,
        "fade_out": shown.index == count - 1,
    }
    key = run.key(KIND, args, CODE, ffmpeg.version)
    # Outside the key: how long one may wait says nothing about the picture.
    args["timeout_s"] = 300.0 + float(shown.shot.frames / brief.frame_rate) * 60
    spec = StepSpec(
        key=key,
        kind=KIND,
        args=args,
        label="ffmpeg",
        priority=-shown.index,
        timeout_s=args["timeout_s"] + 60,
        max_attempts=1,
    )
    output = await run.step(spec, stage="rendering", progress=progress)
    return Segment(digest=output["digest"], frames=output["frames"], poster=output["poster"])
