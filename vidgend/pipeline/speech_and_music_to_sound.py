"""Speech + music -> sound: one timeline at 48 kHz, levelled, and encoded once. It needs the lengths of the scenes and
not their pictures, so it is made beside them, and stays when only a picture changes."""

from __future__ import annotations

import asyncio
import sys
import wave
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vidgend.errors import MediaUnreadable, NotFound, StepError, UploadLost
from vidgend.models import Brief, Scene
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.mood_to_tracks import FoundTrack, find_tracks
from vidgend.pipeline.music.arrangement import Piece, arrange
from vidgend.pipeline.music.bed import plan_json
from vidgend.pipeline.music.port import MusicLibrary
from vidgend.pipeline.probe import read_loudness
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.sound_args import (
    BED_BELOW_LU,
    LOUDNESS_LUFS,
    PART_LUFS,
    TRUE_PEAK_DB,
    decode_args,
    encode_args,
    loudness_args,
    mix_args,
    voice_loudness_args,
)
from vidgend.pipeline.sound_measure import SoundMeasure, measure_sound
from vidgend.pipeline.timeline import speech_start_sample
from vidgend.pipeline.track_to_parts import music_options
from vidgend.store.assets.store import AssetStore
from vidgend.timebase import SAMPLE_RATE_HZ, frames_to_samples

KIND = "sound"
CODE = (
    "speech_and_music_to_sound.py", "sound_args.py", "sound_facts.py", "sound_measure.py", "media_kind.py",
    "track_to_parts.py", "music/bed.py", "probe.py",
)  # fmt: skip
CEILING_DB = -2.0
"""Sample peak that the limiter allows at first, in dBFS: between samples, and through AAC, the sound gets louder."""
MOST_GAIN_DB = 30.0
"""What is softer than this below its level is noise, and would be loud noise."""
MOST_LIMITED_DB = 10.0
"""What the limiter has to take off the peaks beyond this can be heard."""
MOST_PART_GAIN_DB = 20.0
NEAR_LU = 0.2
"""So near to its loudness the sound is good enough."""
TRIES = 3
TIMEOUT_S = 3600.0


class MusicGone(NotFound):
    """A track that was in the store when it was listened to."""


@dataclass(frozen=True, kw_only=True)
class Sound:
    """The finished sound of a video, in AAC. `music` is what `JoinedVideo.music` is, `measure` a `SoundMeasure`."""

    digest: str
    music: dict[str, Any] | None
    measure: dict[str, Any]


class SoundStep:
    """args: samples, speech, music, ducking, volume_db -> digest, samples, measure"""

    def __init__(self, ffmpeg: FfmpegTool, assets: AssetStore) -> None:
        self._ffmpeg = ffmpeg
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        ffmpeg = await self._ffmpeg.get()
        samples: int = args["samples"]
        voices = await self._lay_voices(args["speech"], run.scratch, samples)
        gains_db = tuple([await _voice_gain_db(ffmpeg, run.scratch, number) for number in range(len(voices))])
        run.progress(0.1)
        if args["music"]:
            await self._lay_music(ffmpeg, args["music"], run.scratch)
        run.progress(0.15)
        mixed = await ffmpeg.capture(
            mix_args(
                gains_db,
                samples=samples,
                bed_gain_db=args["volume_db"] - BED_BELOW_LU if args["music"] else None,
                ducking=args["ducking"],
            ),
            cwd=run.scratch,
            timeout_s=TIMEOUT_S / 2,
            level="info",
            feeder=[sys.executable, "-m", "vidgend.pipeline.music.bed", "bed.json"] if args["music"] else None,
        )
        run.progress(0.5)
        measure = await _finish(ffmpeg, run, read_loudness(mixed.stderr_tail)[0])
        digest = await self._assets.put(run.scratch / "sound.m4a")
        output = {"digest": digest, "samples": samples, "measure": asdict(measure)}
        return StepOutput(output=output, blobs=(digest,))

    async def _lay_voices(self, speech: list[dict[str, Any]], scratch: Path, samples: int) -> list[str]:
        """`voice-<n>.pcm` for each voice, in the order of the names that are returned: what it says, at its place."""
        voices = list(dict.fromkeys(one["voice"] for one in speech))
        for number in range(len(voices)):
            await asyncio.to_thread(_reserve, scratch / f"voice-{number}.pcm", samples)
        for one in speech:
            path = scratch / f"voice-{voices.index(one['voice'])}.pcm"
            piece = (one["start"], one["samples"]) if "start" in one else None
            await asyncio.to_thread(_put, await self._assets.local(one["digest"]), path, one["at_sample"], piece)
        return voices

    async def _lay_music(self, ffmpeg: Ffmpeg, music: dict[str, Any], scratch: Path) -> None:
        """`track-<n>.pcm` for each track, as far as it is needed, and `bed.json`."""
        pieces = tuple(Piece(**piece) for piece in music["pieces"])
        for number, track in enumerate(music["tracks"]):
            try:
                path = await self._assets.local(track["digest"])
            except NotFound as error:
                raise MusicGone(f"the music ({track['digest'][:12]}…) is gone") from error
            options = await asyncio.to_thread(music_options, path)
            (scratch / f"track-{number}.media").symlink_to(path)
            needed = max(piece.end for piece in pieces if piece.track == number)
            await ffmpeg.run(
                decode_args(options, number=number, samples=needed + SAMPLE_RATE_HZ), cwd=scratch, timeout_s=600
            )
        plan = plan_json(pieces, [track["gain_db"] for track in music["tracks"]])
        await asyncio.to_thread((scratch / "bed.json").write_text, plan)


def _reserve(path: Path, samples: int) -> None:
    """Silence that takes no room on the disk."""
    with path.open("wb") as file:
        file.truncate(samples * 2)


def _put(speech: Path, voice: Path, at_sample: int, piece: tuple[int, int] | None) -> None:
    """Copy a spoken scene to its place; of a voice-over that `piece` (the first sample of it, and how many). Raises:
    StepError if it is not what speech steps make."""
    with wave.open(str(speech), "rb") as sound:
        if (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) != (1, 2, SAMPLE_RATE_HZ):
            raise StepError("the speech of a scene is not mono, 16 bits, 48 kHz")
        start, samples = piece or (0, sound.getnframes())
        sound.setpos(min(start, sound.getnframes()))
        spoken = sound.readframes(samples)
    with voice.open("r+b") as file:
        file.seek(at_sample * 2)
        file.write(spoken)


async def _voice_gain_db(ffmpeg: Ffmpeg, scratch: Path, number: int) -> float:
    """Engines speak up to 10 LU apart; the same gain for all that a voice says keeps its loud and its quiet words."""
    heard = await ffmpeg.capture(voice_loudness_args(number), cwd=scratch, level="info")
    level, _ = read_loudness(heard.stderr_tail)
    return _part_gain_db(level) if level is not None else 0.0


def _part_gain_db(level_lufs: float) -> float:
    return max(-MOST_PART_GAIN_DB, min(MOST_PART_GAIN_DB, PART_LUFS - level_lufs))


async def _finish(ffmpeg: Ffmpeg, run: StepRun, mixed_lufs: float | None) -> SoundMeasure:
    """`mix.wav` -> `sound.m4a` at its loudness and below its peak, as measured in what was encoded.

    The limiter takes a little loudness away, so the gain is found by listening to what comes out. Where AAC overshoots,
    the ceiling is lowered and the encode done again.
    """
    ceiling_db, gain_db, most_db = CEILING_DB, 0.0, 0.0
    if mixed_lufs is not None:
        gain_db = LOUDNESS_LUFS - mixed_lufs
        most_db = min(MOST_GAIN_DB, gain_db + MOST_LIMITED_DB)
        for _ in range(TRIES):
            gain_db = min(gain_db, most_db)
            heard = await ffmpeg.capture(loudness_args(gain_db, ceiling_db), cwd=run.scratch, level="info")
            missing = LOUDNESS_LUFS - (read_loudness(heard.stderr_tail)[0] or LOUDNESS_LUFS)
            if abs(missing) < NEAR_LU / 2:
                break
            gain_db += missing
    run.progress(0.65)
    for number in range(TRIES):
        gain_db = min(gain_db, most_db)
        await ffmpeg.run(encode_args(gain_db, ceiling_db), cwd=run.scratch, timeout_s=TIMEOUT_S / 2)
        measure = await measure_sound(ffmpeg, run.scratch / "sound.m4a", run.scratch)
        level, peak = measure.loudness_lufs, measure.true_peak_db
        run.progress(0.85 + 0.05 * number)
        over_db = max(0.0, peak - TRUE_PEAK_DB) if peak is not None else 0.0
        missing = LOUDNESS_LUFS - level if level is not None else 0.0
        if not over_db and (abs(missing) <= NEAR_LU or gain_db + missing > most_db):
            break
        ceiling_db -= over_db + 0.1 if over_db else 0.0
        gain_db += missing
    return measure


async def make_sound(
    run: JobRun, brief: Brief, scenes: Sequence[Scene], *, music: MusicLibrary, mood: str, more_frames: int = 0
) -> Sound:
    """The sound of a video whose scenes have their speech and their `frames`; `mood` counts if the brief names none.
    `more_frames` come after the last scene.

    Raises: FfmpegFailed, StorageFull, StepTimeout, UploadLost.
    """
    fps = brief.frame_rate
    start = 0
    speech: list[dict[str, Any]] = []
    for scene in scenes:
        if scene.speech is not None:
            at_sample = speech_start_sample(start, scene.index, fps, recorded=scene.recorded)
            voice = f"{scene.speech.engine} {scene.speech.voice}"
            one = {"digest": scene.speech.digest, "at_sample": at_sample, "voice": voice}
            if scene.speech.start is not None:
                one |= {"start": scene.speech.start, "samples": scene.speech.samples}
            speech.append(one)
        start += scene.frames or 0
    samples = frames_to_samples(start + more_frames, fps)
    tracks = await find_tracks(run, brief, music=music, mood=mood, samples=samples)
    pieces = arrange([track.heard.parts for track in tracks], samples, seed=brief.seed) if tracks else ()
    used = [tracks[number] for number in dict.fromkeys(piece.track for piece in pieces)]
    args = {
        "samples": samples,
        "speech": speech,
        "music": _music_args(tracks, used, pieces) if used else None,
        "ducking": brief.music.ducking,
        "volume_db": round(float(20 * np.log10(max(brief.music.volume, 0.01))), 2),
    }
    spec = StepSpec(
        key=run.key(KIND, args, CODE),
        kind=KIND,
        args=args,
        label="ffmpeg",
        # As the scene in the middle: it is there before the last ones are, and no early scene waits for it.
        priority=-(len(scenes) // 2),
        timeout_s=2 * TIMEOUT_S,
        max_attempts=2,  # the second one only if it got stuck
    )
    try:
        output = await run.step(spec, stage="publishing")
    except MusicGone as error:
        if brief.music.asset is None:
            raise
        raise UploadLost(f"the music {used[0].title!r} ({brief.music.asset[:12]}…) is gone") from error
    except MediaUnreadable as error:  # it could be listened to before, so the file has gone bad since
        raise StepError(f"the music cannot be read: {error.detail}", tail=error.tail) from error
    return Sound(digest=output["digest"], music=_credit(used) if used else None, measure=output["measure"])


def _music_args(tracks: Sequence[FoundTrack], used: list[FoundTrack], pieces: Sequence[Piece]) -> dict[str, Any]:
    """Tracks that are not heard are not named, so that the sound is the same with and without them."""
    numbers = {id(track): number for number, track in enumerate(used)}
    names = ("track", "start", "samples", "at", "fade")
    return {
        "tracks": [
            {"digest": track.digest, "gain_db": round(_part_gain_db(track.heard.loudness_lufs), 2)} for track in used
        ],
        "pieces": [
            dict(zip(names, (numbers[id(tracks[piece.track])], *astuple(piece)[1:]), strict=True)) for piece in pieces
        ],
    }


def _credit(used: list[FoundTrack]) -> dict[str, Any]:
    first = used[0]
    return {
        "title": first.title,
        "mood": first.mood,
        "licence": first.licence,
        "tracks": [
            {"title": track.title, "licence": track.licence}
            | {name: text for name in ("author", "page_url", "licence_url") if (text := getattr(track, name))}
            for track in used
        ],
    }
