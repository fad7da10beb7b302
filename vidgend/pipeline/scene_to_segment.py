"""Clip + captions + length -> segment: one ffmpeg, one decode, one encode, exact frames, and a poster on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vidgend.cores import cores
from vidgend.errors import FfmpegFailed, MediaUnreadable
from vidgend.models import Brief, Segment
from vidgend.pipeline.captions.fonts import FontCatalog
from vidgend.pipeline.encoders.port import Preset
from vidgend.pipeline.encoders.scales import LARGE_PX
from vidgend.pipeline.encoders.select import find_encoder
from vidgend.pipeline.encoding import Encoding
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.picture_scan import as_output, from_output, read_scan, scan_size
from vidgend.pipeline.probe import input_options
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.segment_args import segment_args
from vidgend.pipeline.shot_ends import ShotEnds
from vidgend.pipeline.shot_picture import ShotPicture, lay_picture
from vidgend.pipeline.styles import find_style
from vidgend.pipeline.timeline import Shot
from vidgend.store.assets.store import AssetStore
from vidgend.timebase import parse_fps

KIND = "segment"
CODE = (
    "scene_to_segment.py", "shot_picture.py", "encoding.py", "encoders", "clip_args.py", "picture_args.py",
    "photo_args.py", "colour_args.py", "bounce.py", "exif.py", "segment_args.py", "shot_ends.py", "timeline.py",
    "captions/font_files.py", "styles", "footage/paint", "picture_scan.py",
    "fingerprint.py",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RenderSettings:
    """Which encoder, x264's word for the speed and x264's number for the quality, whatever the encoder, and how many
    threads one encode may use (0: it decides).

    `hardware_id` tells one card and driver from another, by what they write into the header of a file; "" for
    software. Segments of two of them could not be joined.
    """

    encoder: str = "libx264"
    preset: Preset
    crf: int
    threads: int
    hardware_id: str = ""

    def for_quality(self, quality: str) -> RenderSettings:
        """`draft` is for a look, `high` for keeping; `standard` is what the settings say."""
        if quality == "draft":
            return replace(self, preset="ultrafast", crf=max(self.crf, 28))
        if quality == "high":
            return replace(self, preset="slow", crf=min(self.crf, 18))
        return self


def encoding_for(args: dict[str, Any], run: StepRun) -> Encoding:
    """How a step encodes: on its own threads, or on every core if no other encode and no model wants any."""
    encoding = encoding_of(args)
    return encoding.on_all(cores()) if run.alone and encoding.threads else encoding


def encoding_of(args: dict[str, Any]) -> Encoding:
    """The encoding of a step that encodes, from its arguments."""
    chosen = args["encoding"]
    style = find_style(args["style"]) if "style" in args else None
    return Encoding(
        width_px=chosen["width_px"], height_px=chosen["height_px"], fps=parse_fps(chosen["fps"]),
        encoder=chosen["encoder"], preset=chosen["preset"], crf=chosen["crf"], threads=args["threads"],
        bar_px=style.bar_px(chosen["width_px"], chosen["height_px"]) if style else 0,
        rough=chosen.get("rough", False),
    )  # fmt: skip


def encoding_args(brief: Brief, settings: RenderSettings) -> dict[str, Any]:
    """What all segments of a video have in common."""
    chosen = settings.for_quality(brief.quality)
    width_px, height_px = brief.picture_px
    args = {
        "width_px": width_px, "height_px": height_px, "fps": brief.fps, "encoder": chosen.encoder,
        "preset": chosen.preset, "crf": chosen.crf,
    }  # fmt: skip
    if brief.quality == "draft":
        args["rough"] = True
    return {**args, "hardware_id": chosen.hardware_id} if chosen.hardware_id else args


class SegmentStep:
    """args: clip, shot, motion, encoding, style, ass, fonts, fade_in, fade_out -> digest, poster, frames, seen"""

    def __init__(
        self, ffmpeg: FfmpegTool, assets: AssetStore, fonts: FontCatalog, ends: ShotEnds | None = None
    ) -> None:
        self._ffmpeg = ffmpeg
        self._assets = assets
        self._fonts = fonts
        self._ends = ends

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        ffmpeg = await self._ffmpeg.get()
        encoding = encoding_for(args, run)
        style = find_style(args["style"])
        shot = Shot(**args["shot"])
        frames = shot.body_frames
        clip = args["clip"]
        ends = self._ends is not None and self._ends.wanted(shot, encoding)
        laid = await lay_picture(
            ffmpeg, self._assets, args, encoding, run.scratch, first=0 if ends else shot.head,
            count=shot.frames if ends else frames, timeout_s=args["timeout_s"],
        )  # fmt: skip
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
                    ends=ends,
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
                if (
                    "received no packets" in error.tail and "Error while opening encoder" not in error.tail
                ):  # it ended before the frames of one of the files began
                    raise MediaUnreadable("the clip is damaged or shorter than it says", tail=error.tail) from error
            raise error
        if written != frames and clip["kind"] == "generated":
            raise FfmpegFailed(f"the painter gave {written} of {frames} frames")
        if written != frames:
            raise MediaUnreadable(f"the clip gave {written} of {frames} frames: it is damaged or shorter than it says")
        if self._ends is not None and ends:
            await self._ends.keep(args, style.name, encoding, run.scratch)
        digest = await self._assets.put(run.scratch / "segment.mp4")
        poster = await self._assets.put(run.scratch / "poster.jpg")
        raw = await asyncio.to_thread((run.scratch / "scan.raw").read_bytes)
        size_px = scan_size(encoding.width_px, encoding.picture_height_px)
        seen = await asyncio.to_thread(read_scan, raw, size_px=size_px, frames=frames, fps=encoding.fps)
        output = {
            "digest": digest, "poster": poster, "frames": frames, "encoded_frames": written, "seen": as_output(seen),
            "picture": clip["kind"],
        }  # fmt: skip
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


def places_of(picture_px: tuple[int, int]) -> int:
    """How many slots an encode of that size takes. One of more than `LARGE_PX` takes two, with the threads of both: two
    of them at once would take 2.5 GB and more."""
    return 2 if picture_px[0] * picture_px[1] > LARGE_PX else 1


KeyOf = Callable[[str, dict[str, Any], tuple[str, ...], str], str]
"""`JobRun.key`."""


def encode_spec(
    key_of: KeyOf,
    kind: str,
    args: dict[str, Any],
    code: tuple[str, ...],
    ffmpeg: Ffmpeg,
    *,
    settings: RenderSettings,
    priority: int,
    timeout_s: float,
) -> StepSpec:
    """The step of one encode. How long it may take and on how many threads says nothing about the picture, and stays
    outside the key (`Encoding`). On hardware nothing is tried twice: software is next (`video_encoder.py`).
    """
    places = places_of((args["encoding"]["width_px"], args["encoding"]["height_px"]))
    return StepSpec(
        key=key_of(kind, args, code, ffmpeg.version),
        kind=kind,
        args=args | {"timeout_s": timeout_s, "threads": settings.threads * places},
        label="ffmpeg",
        places=places,
        spreads=True,
        priority=priority,
        timeout_s=timeout_s + 60,
        max_attempts=1 if find_encoder(settings.encoder).hardware else 2,  # the second one only if it got stuck
    )


def segment_spec(
    key_of: KeyOf, brief: Brief, shown: ShotPicture, *, settings: RenderSettings, ffmpeg: Ffmpeg, count: int
) -> StepSpec:
    """The step that encodes the body of a scene's shot; `count` is how many scenes there are."""
    args: dict[str, Any] = {
        **shown.args(brief),
        "encoding": encoding_args(brief, settings),
        "style": brief.style,
        "fonts": shown.fonts,
        "fade_in": shown.index == 0,
        "fade_out": shown.index == count - 1,
    }
    width_px, height_px = brief.picture_px
    larger = max(1.0, width_px * height_px / (1920 * 1080))
    timeout_s = 300.0 + float(shown.shot.frames / brief.frame_rate) * 60 * larger
    return encode_spec(
        key_of, KIND, args, CODE, ffmpeg, settings=settings, priority=-shown.index, timeout_s=timeout_s
    )  # fmt: skip


async def render_segment(
    run: JobRun,
    brief: Brief,
    shown: ShotPicture,
    *,
    settings: RenderSettings,
    ffmpeg: Ffmpeg,
    count: int,
) -> Segment:
    """The encoded body of a scene's shot; `count` is how many scenes there are.

    Raises: MediaUnreadable if the clip is no good, FfmpegFailed, StepTimeout.
    """
    spec = segment_spec(run.key, brief, shown, settings=settings, ffmpeg=ffmpeg, count=count)
    output = await run.step(spec, stage="rendering", scene=shown.index)
    return Segment(
        digest=output["digest"], frames=output["frames"], poster=output["poster"], seen=from_output(output["seen"])
    )
