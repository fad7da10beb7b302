"""Segments + speech + music -> video: segments copied, one sound timeline, one AAC encode, and a thumbnail."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from vidgend.errors import FfmpegFailed, StepError
from vidgend.models import Brief, Scene, Segment, Storyboard, Substitution
from vidgend.pipeline.captions.text import clean
from vidgend.pipeline.encoding import timescale_of
from vidgend.pipeline.executor.port import Progress, StepOutput, StepRun, StepSpec
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.join_args import join_args
from vidgend.pipeline.music.port import MusicLibrary
from vidgend.pipeline.probe import read_loudness
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.sound_args import LOUDNESS_LUFS, SpokenAt, loudness_args, mix_args
from vidgend.pipeline.timeline import speech_start_sample
from vidgend.store.assets.store import AssetStore
from vidgend.timebase import frames_to_s, frames_to_samples, parse_fps, to_us

TRACK, JOIN, THUMBNAIL = "track", "join", "thumbnail"
CODE = ("segments_to_video.py", "encoding.py", "join_args.py", "sound_args.py")
MUSIC_GAIN_DB = -15.0
"""The bed against the voice, before ducking. The free tracks are at -11 to -14 LUFS, Kokoro at -20 (both measured)."""


class TrackStep:
    """args: mood, seed, title, size_bytes, mtime_ns -> digest, title, mood, licence"""

    def __init__(self, music: MusicLibrary, assets: AssetStore) -> None:
        self._music = music
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        track = await asyncio.to_thread(self._music.pick, args["mood"], seed=args["seed"])
        if track is None:
            raise StepError("the music is gone")
        path = run.scratch / "track"
        await asyncio.to_thread(shutil.copyfile, track.path, path)
        digest = await self._assets.put(path)
        output = {"digest": digest, "title": track.title, "mood": track.mood, "licence": track.licence}
        return StepOutput(output=output, blobs=(digest,))


async def _loudness(ffmpeg: Ffmpeg, cwd: Path, gain_db: float) -> float | None:
    """Integrated loudness in LUFS of the mix with that gain; None for silence."""
    finished = await ffmpeg.capture(loudness_args(gain_db), cwd=cwd, level="info")
    return read_loudness(finished.stderr_tail)[0]


class JoinStep:
    """args: segments, speech, music, ducking, volume, title, fps -> digest, frames"""

    def __init__(self, ffmpeg: FfmpegTool, assets: AssetStore) -> None:
        self._ffmpeg = ffmpeg
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        ffmpeg = await self._ffmpeg.get()
        fps = parse_fps(args["fps"])
        await self._place(args, run.scratch, fps)
        frames = sum(segment["frames"] for segment in args["segments"])
        spoken = tuple(
            SpokenAt(number=number, at_sample=speech["at_sample"]) for number, speech in enumerate(args["speech"])
        )
        run.progress(0.05)
        await ffmpeg.run(
            mix_args(
                spoken,
                samples=frames_to_samples(frames, fps),
                music=args["music"] is not None,
                music_gain_db=MUSIC_GAIN_DB + args["volume_db"] + (0.0 if spoken else 10.0),
                ducking=args["ducking"],
            ),
            cwd=run.scratch,
            timeout_s=1800,
        )
        run.progress(0.45)
        gain_db = await self._level(ffmpeg, run.scratch)
        run.progress(0.7)
        await ffmpeg.run(
            join_args(gain_db=gain_db, title=args["title"], timescale=timescale_of(fps)),
            cwd=run.scratch,
            timeout_s=1800,
        )
        digest = await self._assets.put(run.scratch / "video.mp4")
        output = {
            "digest": digest,
            "frames": frames,
        }
        return StepOutput(output=output, blobs=(digest,))

    async def _level(self, ffmpeg: Ffmpeg, scratch: Path) -> float:
        """The gain in dB that brings the mix to its loudness through the limiter.

        The limiter takes a little loudness away, so the gain is corrected by what is missing, three times at most.
        """
        gain_db = 0.0
        heard = await _loudness(ffmpeg, scratch, gain_db)
        for _ in range(3):
            if heard is None or abs(heard - LOUDNESS_LUFS) < 0.2:
                break
            gain_db = min(30.0, gain_db + LOUDNESS_LUFS - heard)
            heard = await _loudness(ffmpeg, scratch, gain_db)
        return gain_db

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
        for number, speech in enumerate(args["speech"]):
            (scratch / f"speech-{number}.wav").symlink_to(await self._assets.local(speech["digest"]))
        if args["music"] is not None:
            (scratch / "music.media").symlink_to(await self._assets.local(args["music"]))
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
    music: dict[str, str] | None


async def find_music(run: JobRun, brief: Brief, *, music: MusicLibrary, mood: str) -> dict[str, Any] | None:
    """The track for this video: digest, title, licence. None if the brief or the library has none."""
    if not brief.music.enabled or brief.music.volume <= 0:
        return None
    wanted = brief.music.mood or mood

    def pick() -> dict[str, Any] | None:
        found = music.pick(wanted, seed=brief.seed)
        if found is None:
            return None
        stat = found.path.stat()
        return {
            "mood": wanted, "seed": brief.seed, "title": found.title, "size_bytes": stat.st_size,
            "mtime_ns": stat.st_mtime_ns,
        }  # fmt: skip

    # Picked anew every time: the user's folder may have changed since the last video.
    args = await asyncio.to_thread(pick)
    if args is None:
        reason = f"the music library ({music.name}) has no track"
        await run.substitute(Substitution(stage="publishing", wanted="music", used="no music", reason=reason))
        return None
    spec = StepSpec(
        key=run.key(TRACK, args, CODE, music.name),
        kind=TRACK,
        args=args,
        label="io",
        timeout_s=60,
    )
    track = await run.step(spec, stage="publishing")
    if brief.music.mood and track["mood"].lower() != brief.music.mood.lower():
        reason = f"there is none called so; there are {', '.join(music.moods()) or 'no moods'}"
        await run.substitute(
            Substitution(
                stage="publishing", wanted=f"{brief.music.mood} music", used=f"{track['mood']} music", reason=reason
            )
        )
    return track


def pieces_of(bodies: Sequence[Segment], transitions: Sequence[Segment | None]) -> tuple[Segment, ...]:
    """All segments in the order in which they are shown; `transitions` are between the bodies, None for a cut."""
    after = (*transitions, *[None] * (len(bodies) - len(transitions)))
    return tuple(piece for both in zip(bodies, after, strict=True) for piece in both if piece is not None)


async def join_video(
    run: JobRun,
    brief: Brief,
    storyboard: Storyboard,
    scenes: tuple[Scene, ...],
    segments: tuple[Segment, ...],
    *,
    track: dict[str, Any] | None,
    progress: Progress,
) -> JoinedVideo:
    """All segments and all sound in one MP4. Raises: FfmpegFailed, StorageFull, StepTimeout.

    Speech starts where its scene does, which transitions do not change; `segments` may be more than there are scenes.
    """
    fps = parse_fps(brief.fps)
    speech = [
        {"digest": scene.speech.digest, "at_sample": speech_start_sample(scene.start_frame or 0, scene.index, fps)}
        for scene in scenes
        if scene.speech is not None
    ]
    args = {
        "segments": [{"digest": segment.digest, "frames": segment.frames} for segment in segments],
        "speech": speech,
        "music": track["digest"] if track else None,
        "ducking": brief.music.ducking,
        "volume_db": float(20 * np.log10(max(brief.music.volume, 0.01))),
        "title": clean(storyboard.title)[:200],
        "fps": brief.fps,
    }  # fmt: skip
    spec = StepSpec(
        key=run.key(JOIN, args, CODE),
        kind=JOIN,
        args=args,
        label="ffmpeg",
        timeout_s=3600,
        max_attempts=1,
    )
    joined = await run.step(spec, stage="publishing", progress=progress)
    poster_args = {"posters": [segment.poster for segment in segments if segment.poster is not None][:12]}
    poster = StepSpec(
        key=run.key(THUMBNAIL, poster_args, CODE),
        kind=THUMBNAIL,
        args=poster_args,
        label="io",
        timeout_s=120,
    )
    thumbnail = await run.step(poster, stage="publishing")
    return JoinedVideo(
        digest=joined["digest"],
        thumbnail=thumbnail["digest"],
        frames=joined["frames"],
        music={name: track[name] for name in ("title", "mood", "licence")} if track else None,
    )
