"""Video -> report: the finished file is looked at before anyone gets it."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from vidgend.errors import StepError
from vidgend.models import Brief, Substitution
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.probe import packets, read_loudness
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.segments_to_video import JoinedVideo
from vidgend.pipeline.sound_args import LOUDNESS_LUFS
from vidgend.store.assets.store import AssetStore
from vidgend.timebase import frames_to_s, parse_fps

KIND = "check"
CODE = ("video_to_report.py", "probe.py")


class CheckStep:
    """args: digest -> tracks, and the black and silent stretches in seconds"""

    def __init__(self, ffmpeg: FfmpegTool, assets: AssetStore) -> None:
        self._ffmpeg = ffmpeg
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        ffmpeg = await self._ffmpeg.get()
        path = await self._assets.local(args["digest"])
        tracks = await packets(ffmpeg, path)
        # Key frames tell black stretches at a hundredth of the cost of decoding everything; they are at most 2 s
        # apart, so that one dark key frame (a fade) is not yet a black stretch.
        looked = await ffmpeg.capture(
            [
                "-skip_frame", "nokey", "-i", str(path),
                "-vf", "blackdetect=black_min_duration=2.1:picture_black_ratio_th=0.98",
                "-af", "ebur128=peak=true:framelog=quiet,silencedetect=noise=-60dB:duration=2", "-f", "null", "-",
            ],
            cwd=run.scratch,
            level="info",
        )  # fmt: skip
        black = re.findall(r"black_start:([\d.]+) black_end:([\d.]+)", looked.stderr_tail)
        silent = re.findall(r"silence_end: ([\d.]+) \| silence_duration: ([\d.]+)", looked.stderr_tail)
        level, peak = read_loudness(looked.stderr_tail)
        output = {
            "loudness_lufs": level,
            "true_peak_db": peak,
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
            "black": [[float(start), float(end)] for start, end in black],
            "silent": [[round(float(end) - float(length), 3), float(end)] for end, length in silent],
        }
        return StepOutput(output=output, blobs=(args["digest"],))


async def check_video(run: JobRun, brief: Brief, video: JoinedVideo, *, speech_end_s: Fraction) -> dict[str, Any]:
    """Look at the finished file and refuse it if it is not what was meant. Returns the report's `video` part.

    Raises: StepError if frames are missing or doubled, the size is wrong, or sound and picture differ by a frame.
    """
    args = {"digest": video.digest}
    spec = StepSpec(
        key=run.key(KIND, args, CODE),
        kind=KIND,
        args=args,
        label="ffmpeg",
        timeout_s=900,
        stall_s=0,  # it only reads
    )
    seen = await run.step(spec, stage="publishing")
    fps = parse_fps(brief.fps)
    picture, sound = seen["tracks"].get("video"), seen["tracks"].get("audio")
    if picture is None or sound is None:
        raise StepError("the finished file lacks picture or sound")
    length_s = frames_to_s(video.frames, fps)
    difference_s = abs(Fraction(picture["duration_s"]) - Fraction(sound["duration_s"]))
    problems = [
        text
        for bad, text in (
            (picture["packets"] != video.frames, f"{picture['packets']} frames instead of {video.frames}"),
            (abs(Fraction(picture["duration_s"]) - length_s) * fps >= 1, "the picture's length is wrong"),
            (not picture["monotonic"], "the picture's time stamps jump"),
            ((picture["width_px"], picture["height_px"]) != (brief.width_px, brief.height_px), "wrong size"),
            (difference_s * fps >= 1, f"sound and picture differ by {float(difference_s):.3f} s"),
            (speech_end_s > length_s, "the narration runs past the end"),
        )
        if bad
    ]
    if problems:
        raise StepError(f"the finished video failed its check: {'; '.join(problems)}")
    level = seen["loudness_lufs"]
    if level is not None and abs(level - LOUDNESS_LUFS) > 1:
        await run.substitute(
            Substitution(
                stage="publishing", wanted=f"{LOUDNESS_LUFS:g} LUFS", used=f"{level:g} LUFS",
                reason="the sound cannot be brought to its loudness without distortion",
            )
        )  # fmt: skip
    return {
        "frames": video.frames,
        "fps": brief.fps,
        "duration_s": float(length_s),
        "audio_duration_s": float(Fraction(sound["duration_s"])),
        "loudness_lufs": seen["loudness_lufs"],
        "true_peak_db": seen["true_peak_db"],
        "black_s": seen["black"],
        "silent_s": seen["silent"],
        "video_generations": 1,
        "music": video.music,
    }
