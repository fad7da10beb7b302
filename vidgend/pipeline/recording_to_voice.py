"""Recording -> voice: what somebody spoke, decoded once, its noise taken away, and where it pauses."""

from __future__ import annotations

import asyncio
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from vidgend.errors import FfmpegFailed, MediaUnreadable, NotFound, NothingSaid, StepError, UploadLost
from vidgend.models import VoiceOver
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.media_kind import HEAD_BYTES, sniff
from vidgend.pipeline.recording_args import HIGH_PASS_HZ, clean_args, decode_args
from vidgend.pipeline.recording_levels import (
    NOTHING_DB,
    hushes_of,
    is_silent,
    levels_of,
    loud_runs,
    noise_of,
    pauses_between,
    silence_db,
)
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.sound_facts import probe_sound, sound_options
from vidgend.store.assets.store import AssetStore

KIND = "recording"
CODE = (
    "recording_to_voice.py", "recording_args.py", "recording_levels.py", "sound_facts.py", "media_kind.py",
    "speech/sound.py",
)  # fmt: skip
LONGEST_S = 3600.0
"""No video is longer."""
TIMEOUT_S = 900.0


@dataclass(frozen=True, kw_only=True)
class Voice:
    """A recording as it is heard in the video: a mono 48 kHz WAV in the store, `samples` long. `sounding` is where
    there is sound in it, `pauses` are those in between; all (start, end) in seconds. `hushes` are the quietest moments,
    one in each HUSH_EVERY_S."""

    digest: str
    samples: int
    sounding: tuple[float, float]
    pauses: tuple[tuple[float, float], ...]
    hushes: tuple[float, ...]


_VOICE = TypeAdapter(Voice)


class _Gone(NotFound):
    """The upload is no longer in the store."""


class RecordingStep:
    """args: asset, keep_background -> a Voice"""

    def __init__(self, ffmpeg: FfmpegTool, assets: AssetStore) -> None:
        self._ffmpeg = ffmpeg
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        ffmpeg = await self._ffmpeg.get()
        try:
            path = await self._assets.local(args["asset"])
        except NotFound as error:
            raise _Gone("it is gone") from error
        (run.scratch / "recording.media").symlink_to(path)
        demuxer = await asyncio.to_thread(_demuxer, path)
        await probe_sound(ffmpeg, path, demuxer, picture=True)  # says why, where ffmpeg would say what it lacks
        try:
            await ffmpeg.run(
                decode_args(sound_options(demuxer), longest_s=LONGEST_S), cwd=run.scratch, timeout_s=TIMEOUT_S
            )
        except FfmpegFailed as error:
            raise MediaUnreadable(f"the recording cannot be decoded: {error.detail}", tail=error.tail) from error
        run.progress(0.4)
        heard = run.scratch / "raw.wav"
        levels = await asyncio.to_thread(levels_of, heard)
        if is_silent(levels):
            raise NothingSaid("the recording is silent")
        if not args["keep_background"]:
            heard = run.scratch / "voice.wav"
            await ffmpeg.run(clean_args(noise_of(levels)), cwd=run.scratch, timeout_s=TIMEOUT_S)
            levels = await asyncio.to_thread(levels_of, heard)
            if is_silent(levels):
                raise NothingSaid(f"there is nothing in the recording but hum, below {HIGH_PASS_HZ} Hz")
        run.progress(0.9)
        threshold_db = silence_db(levels)
        words = loud_runs(levels, threshold_db)
        # A background that is wanted is no silence.
        around = loud_runs(levels, NOTHING_DB) if args["keep_background"] else words
        samples = await asyncio.to_thread(_samples, heard)
        digest = await self._assets.put(heard)
        voice = Voice(
            digest=digest,
            samples=samples,
            sounding=(around[0][0], around[-1][1]),
            pauses=tuple(pauses_between(words)),
            hushes=tuple(hushes_of(levels)),
        )
        return StepOutput(output=_VOICE.dump_python(voice, mode="json"), blobs=(digest,))


def _demuxer(path: Path) -> str:
    with path.open("rb") as file:
        kind = sniff(file.read(HEAD_BYTES))
    if kind is None or kind.kind == "photo":
        raise MediaUnreadable("the recording is not a sound file of a kind that is taken")
    return kind.demuxer


def _samples(path: Path) -> int:
    with wave.open(str(path), "rb") as file:
        return file.getnframes()


async def hear_recording(run: JobRun, given: VoiceOver) -> Voice:
    """The voice of an upload; found done when it was asked for before. Raises: UploadLost, NothingSaid, StepError."""
    args = {"asset": given.asset, "keep_background": given.keep_background}
    spec = StepSpec(
        key=run.key(KIND, args, CODE),
        kind=KIND,
        args={**args, "length_s": given.duration_s},
        label="ffmpeg",
        priority=1,  # everything else waits for it
        timeout_s=3 * TIMEOUT_S,
        max_attempts=2,
    )
    try:
        return _VOICE.validate_python(await run.step(spec, stage="planning"))
    except _Gone as error:
        raise UploadLost(f"the voice-over {given.title!r} ({given.asset[:12]}…) is gone") from error
    except MediaUnreadable as error:
        raise StepError(f"the voice-over {given.title!r}: {error.detail}", tail=error.tail) from error
