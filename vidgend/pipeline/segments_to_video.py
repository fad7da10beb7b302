"""Segments + sound -> video: both copied, nothing encoded; and a thumbnail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from vidgend.errors import FfmpegFailed
from vidgend.models import Brief, Segment, Storyboard
from vidgend.pipeline.captions.text import clean
from vidgend.pipeline.encoding import timescale_of
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.join_args import join_args
from vidgend.pipeline.run import JobRun, both
from vidgend.pipeline.speech_and_music_to_sound import Sound
from vidgend.store.assets.store import AssetStore
from vidgend.timebase import frames_to_s, parse_fps, to_us

JOIN, THUMBNAIL = "join", "thumbnail"
CODE = ("segments_to_video.py", "encoding.py", "join_args.py")


class JoinStep:
    """args: segments, sound, title, fps -> digest, frames"""

    def __init__(self, ffmpeg: FfmpegTool, assets: AssetStore) -> None:
        self._ffmpeg = ffmpeg
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        ffmpeg = await self._ffmpeg.get()
        fps = parse_fps(args["fps"])
        await self._place(args, run.scratch, fps)
        frames = sum(segment["frames"] for segment in args["segments"])
        await ffmpeg.run(
            join_args(title=args["title"], timescale=timescale_of(fps)),
            cwd=run.scratch,
            timeout_s=1800,
            frames=frames,
            progress=run.progress,
        )
        digest = await self._assets.put(run.scratch / "video.mp4")
        return StepOutput(output={"digest": digest, "frames": frames}, blobs=(digest,))

    async def _place(self, args: dict[str, Any], scratch: Path, fps: Fraction) -> None:
        """Links with fixed names, and the concat list.

        Durations are differences of rounded running sums, so that ffmpeg's microseconds do not drift.
        """
        rows = ["ffconcat version 1.0"]
        before = 0
        for number, segment in enumerate(args["segments"]):
            (scratch / f"segment-{number}.mp4").symlink_to(await self._assets.local(segment["digest"]))
            after = before + segment["frames"]
            length_us = to_us(frames_to_s(after, fps)) - to_us(frames_to_s(before, fps))
            rows += [f"file segment-{number}.mp4", f"duration {length_us}us"]
            before = after
        (scratch / "sound.m4a").symlink_to(await self._assets.local(args["sound"]))
        await asyncio.to_thread((scratch / "segments.txt").write_text, "\n".join(rows) + "\n")


class ThumbnailStep:
    """args: posters -> the digest of the liveliest one that is neither dark nor washed out"""

    def __init__(self, ffmpeg: FfmpegTool, assets: AssetStore) -> None:
        self._ffmpeg = ffmpeg
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        ffmpeg = await self._ffmpeg.get()
        best: tuple[float, str] | None = None
        for digest in args["posters"]:
            shown = await ffmpeg.capture(
                [
                    "-f", "jpeg_pipe", "-i", str(await self._assets.local(digest)),
                    "-vf", "scale=64:64,format=gray", "-f", "rawvideo", "pipe:1",
                ],
                cwd=run.scratch,
            )  # fmt: skip
            luma = np.frombuffer(shown.stdout, np.uint8)
            if luma.size == 0:
                raise FfmpegFailed("a poster could not be read")
            mean, spread = float(luma.mean()), float(luma.std())
            score = spread - max(0.0, 60 - mean) - max(0.0, mean - 190)
            if best is None or score > best[0]:
                best = (score, digest)
        assert best is not None
        return StepOutput(output={"digest": best[1]}, blobs=(best[1],))


@dataclass(frozen=True, kw_only=True)
class JoinedVideo:
    """The finished file, before anyone has looked at it."""

    digest: str
    thumbnail: str
    frames: int
    music: dict[str, Any] | None
    """Title, mood and licence of the first track, and all `tracks` that are heard; None for none."""
    sound: dict[str, Any]
    """The `SoundMeasure` of the sound that was copied into it."""


def pieces_of(bodies: Sequence[Segment], transitions: Sequence[Segment | None]) -> tuple[Segment, ...]:
    """All segments in the order in which they are shown; `transitions` are between the bodies, None for a cut."""
    after = (*transitions, *[None] * (len(bodies) - len(transitions)))
    return tuple(piece for both in zip(bodies, after, strict=True) for piece in both if piece is not None)


async def join_video(
    run: JobRun, brief: Brief, storyboard: Storyboard, segments: tuple[Segment, ...], sound: Sound
) -> JoinedVideo:
    """All segments and the sound in one MP4; with transitions there are more segments than scenes.

    Raises: FfmpegFailed, StorageFull, StepTimeout.
    """
    args = {
        "segments": [{"digest": segment.digest, "frames": segment.frames} for segment in segments],
        "sound": sound.digest,
        "title": clean(storyboard.title)[:200],
        "fps": brief.fps,
    }
    spec = StepSpec(
        key=run.key(JOIN, args, CODE),
        kind=JOIN,
        args=args,
        label="io",  # copied, not encoded
        timeout_s=3600,
        max_attempts=2,  # the second one only if it got stuck
    )
    poster_args = {"posters": [segment.poster for segment in segments if segment.poster is not None][:12]}
    poster = StepSpec(
        key=run.key(THUMBNAIL, poster_args, CODE),
        kind=THUMBNAIL,
        args=poster_args,
        label="io",
        timeout_s=120,
    )
    joined, thumbnail = await both(run.step(spec, stage="publishing"), run.step(poster, stage="publishing"))
    return JoinedVideo(
        digest=joined["digest"],
        thumbnail=thumbnail["digest"],
        frames=joined["frames"],
        music=sound.music,
        sound=sound.measure,
    )
