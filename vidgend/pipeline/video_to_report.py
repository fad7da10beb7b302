"""Video -> report: the finished file is looked at before anyone gets it."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidgend.errors import StepError
from vidgend.models import Brief, Caption, Scene, Segment, Storyboard
from vidgend.pipeline.captions.fit import CaptionFit, chars_per_s
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.probe import packets
from vidgend.pipeline.quality_checks import (
    FATAL,
    Check,
    FileFacts,
    Planned,
    SceneFacts,
    encodes_check,
    file_checks,
    scene_checks,
)
from vidgend.pipeline.run import JobRun, both
from vidgend.pipeline.segments_to_video import JoinedVideo
from vidgend.pipeline.sound_measure import measure_sound
from vidgend.pipeline.storyboard_edit import chosen_by_hand
from vidgend.pipeline.video_text import longest_pause_s, speech_end_s
from vidgend.pipeline.vocabulary import has_words
from vidgend.store.assets.store import AssetStore
from vidgend.timebase import frames_to_s

KIND = "check"
CODE = ("video_to_report.py", "probe.py", "sound_measure.py")


class CheckStep:
    """args: digest, sound (the `SoundMeasure` of what should be in it) -> tracks, loudness, and the black and silent
    stretches in seconds"""

    def __init__(self, ffmpeg: FfmpegTool, assets: AssetStore) -> None:
        self._ffmpeg = ffmpeg
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        ffmpeg = await self._ffmpeg.get()
        path = await self._assets.local(args["digest"])
        tracks, black = await both(packets(ffmpeg, path), _black(ffmpeg, path, run.scratch))
        sound = args["sound"]
        if "audio" in tracks and tracks["audio"].digest != sound["packets"]:  # it is not what was measured
            sound = asdict(await measure_sound(ffmpeg, path, run.scratch))
        output = {
            "loudness_lufs": sound["loudness_lufs"],
            "true_peak_db": sound["true_peak_db"],
            "tracks": {
                kind: {
                    "packets": track.packets,
                    "start_s": str(track.start_s),
                    "duration_s": str(track.duration_s),
                    "monotonic": track.monotonic,
                    "width_px": track.width_px,
                    "height_px": track.height_px,
                }
                for kind, track in tracks.items()
            },
            "black": black,
            "silent": sound["silent"],
        }
        return StepOutput(output=output, blobs=(args["digest"],))


async def _black(ffmpeg: Ffmpeg, path: Path, scratch: Path) -> list[list[float]]:
    """(start, end) in seconds of what is black in a file."""
    # Key frames tell black stretches at a hundredth of the cost of decoding everything; they are at most 2 s
    # apart, so that one dark key frame (a fade) is not yet a black stretch.
    looked = await ffmpeg.capture(
        [
            "-skip_frame", "nokey", "-i", str(path), "-an",
            "-vf", "blackdetect=black_min_duration=2.1:picture_black_ratio_th=0.98", "-f", "null", "-",
        ],
        cwd=scratch,
        level="info",
    )  # fmt: skip
    found = re.findall(r"black_start:([\d.]+) black_end:([\d.]+)", looked.stderr_tail)
    return [[float(start), float(end)] for start, end in found]


@dataclass(frozen=True, kw_only=True)
class CheckedVideo:
    """A finished file that is usable, whether or not every check passed. `report` is the video's part of the report,
    `pieces` are the segments that it is made of, `captions` each scene's, in its own time."""

    video: JoinedVideo
    storyboard: Storyboard
    captions: list[tuple[Caption, ...]]
    pieces: tuple[Segment, ...]
    checks: tuple[Check, ...]
    report: dict[str, Any]


async def check_video(
    run: JobRun,
    brief: Brief,
    video: JoinedVideo,
    storyboard: Storyboard,
    bodies: Sequence[Segment],
    pieces: tuple[Segment, ...],
    captions: list[tuple[Caption, ...]],
    fits: Sequence[CaptionFit | None],
) -> CheckedVideo:
    """Look at the finished file and at what is known of its scenes. `captions` and `fits` are of each scene, as are
    `bodies`; `pieces` are all segments of the video, a closing card among them, which is left as it is.

    Raises: StepError if it is not what was meant: frames are missing or doubled, the size is wrong, sound and picture
    differ by a frame.
    """
    args = {"digest": video.digest, "sound": video.sound}
    spec = StepSpec(
        key=run.key(KIND, args, CODE),
        kind=KIND,
        args=args,
        label="ffmpeg",
        timeout_s=900,
        stall_s=0,  # it only reads
    )
    output = await run.step(spec, stage="publishing")
    seen, scenes = _facts(output), storyboard.scenes
    card_s = frames_to_s(sum(scene.frames or 0 for scene in scenes), brief.frame_rate)
    seen = replace(seen, black=tuple(one for one in seen.black if sum(one) / 2 < card_s))
    shown = _scene_facts(scenes, bodies, captions, fits)
    spoken = any(scene.speech is not None for scene in scenes)
    planned = Planned(
        frames=video.frames,
        fps=brief.frame_rate,
        size_px=brief.picture_px,
        speech_end_s=speech_end_s(brief, scenes),
        silence_s=0.0 if video.music else longest_pause_s(brief, scenes, video.frames) + _asked_pause_s(scenes),
        has_sound=spoken or video.music is not None,
    )
    of_scenes = await asyncio.to_thread(scene_checks, shown, seen, planned.fps)  # each is compared with each
    checks = (*file_checks(seen, planned), *of_scenes)
    problems = [
        f"{one.name}: {one.found} instead of {one.wanted}" for one in checks if one.name in FATAL and not one.passed
    ]
    if problems:
        raise StepError(f"the finished video failed its check: {'; '.join(problems)}")
    report = {
        "frames": video.frames,
        "fps": brief.fps,
        "duration_s": float(frames_to_s(video.frames, planned.fps)),
        "audio_duration_s": float(seen.sound_s),
        "loudness_lufs": seen.loudness_lufs,
        "true_peak_db": seen.true_peak_db,
        "black_s": [list(one) for one in seen.black],
        "silent_s": [list(one) for one in seen.silent],
        "video_generations": 1,
        "music": video.music,
    }
    return CheckedVideo(
        video=video, storyboard=storyboard, captions=captions, pieces=pieces, checks=checks,
        report=report,
    )  # fmt: skip


async def full_report(run: JobRun, checked: CheckedVideo) -> dict[str, Any]:
    """The whole report, with what the run took until now."""
    await run.job.memory.look()
    frames, shown = checked.video.frames, Counter(piece.digest for piece in checked.pieces)
    encoded = discarded = 0
    for digest, count in run.encoded:
        encoded += count
        discarded += count if not shown[digest] else 0
        shown[digest] -= shown[digest] > 0
    checks = (*checked.checks, encodes_check(encoded, discarded, frames))
    wall_s = time.monotonic() - run.began
    return {
        **checked.report,
        "passed": all(check.passed for check in checks),
        "checks": [check.as_json() for check in checks],
        "repaired": [
            {"scene": scene.index + 1, **asdict(scene.repair)}
            for scene in checked.storyboard.scenes
            if scene.repair is not None
        ],
        "encodes_per_frame": round(encoded / frames, 3),
        "wall_s": round(wall_s, 2),
        "real_time_factor": round(wall_s / checked.report["duration_s"], 3),
        "stage_s": {stage: round(seconds, 2) for stage, seconds in run.seconds.items()},
        "slot_wait_s": {label: round(seconds, 2) for label, seconds in run.slot_waits_s.items()},
        "peak_memory_bytes": run.job.memory.peak_bytes,
    }


def _facts(output: dict[str, Any]) -> FileFacts:
    """Raises: StepError if the file lacks one of its tracks."""
    picture, sound = output["tracks"].get("video"), output["tracks"].get("audio")
    if picture is None or sound is None:
        raise StepError("the finished file lacks picture or sound")
    return FileFacts(
        frames=picture["packets"],
        picture_s=Fraction(picture["duration_s"]),
        sound_s=Fraction(sound["duration_s"]),
        monotonic=picture["monotonic"] and sound["monotonic"],
        size_px=(picture["width_px"], picture["height_px"]),
        loudness_lufs=output["loudness_lufs"],
        true_peak_db=output["true_peak_db"],
        black=tuple((start, end) for start, end in output["black"]),
        silent=tuple((start, end) for start, end in output["silent"]),
    )


def _scene_facts(
    scenes: Sequence[Scene],
    bodies: Sequence[Segment],
    captions: Sequence[tuple[Caption, ...]],
    fits: Sequence[CaptionFit | None],
) -> tuple[SceneFacts, ...]:
    return tuple(
        SceneFacts(
            number=scene.index + 1,
            start_frame=scene.start_frame or 0,
            kind=scene.clip.kind if scene.clip else "video",
            picture=f"{scene.clip.provider} {scene.clip.id}" if scene.clip else "",
            digest=scene.clip.digest if scene.clip else None,
            by_hand=chosen_by_hand(scene),
            seen=body.seen,
            speech_samples=scene.speech.samples if scene.speech and _repeatable(scene) else 0,
            speech_silent_s=scene.speech.silent_s if scene.speech else 0.0,
            fit=fit,
            chars_per_s=chars_per_s(shown),
        )
        for scene, body, shown, fit in zip(scenes, bodies, captions, fits, strict=True)
    )


def _asked_pause_s(scenes: Sequence[Scene]) -> float:
    return max((scene.speech.pause_s for scene in scenes if scene.speech), default=0.0)


def _repeatable(scene: Scene) -> bool:
    """Whether there is something to be heard, and it could be said again; the pauses of a voice-over are meant."""
    return not scene.recorded and has_words(scene.narration)
