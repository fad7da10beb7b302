"""Narration -> speech: the chosen engine speaks, the sound is brought to 48 kHz mono, and word times come along."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from vidgend.errors import LanguageUnsupported, SpeechFailed, StepError, ToolMissing, UnknownVoice
from vidgend.models import Scene, Speech, Substitution, Word
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.quality_checks import speech_silence_limit_s
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.port import SpeechEngine
from vidgend.pipeline.speech.pronunciation import as_written, respell
from vidgend.pipeline.speech.voices import resolve
from vidgend.store.assets.store import AssetStore
from vidgend.timebase import SAMPLE_RATE_HZ

KIND = "speech"
CODE = ("scene_to_speech.py", "speech")
_WORDS = TypeAdapter(tuple[Word, ...])


class SpeechStep:
    """args: engine, voice, language, speed, text, said (how to say it, if not as it is written), counts (the words of
    `said` for each of `text`) -> digest, samples (48 kHz), words, the longest silence in s"""

    def __init__(self, engines: Sequence[SpeechEngine], ffmpeg: FfmpegTool, assets: AssetStore) -> None:
        self._engines = {engine.name: engine for engine in engines}
        self._ffmpeg = ffmpeg
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        said = await self._engines[args["engine"]].synthesize(
            args.get("said", args["text"]),
            voice=args["voice"],
            language=args["language"],
            speed=args["speed"],
            path=run.scratch / "said.wav",
            timeout_s=args["timeout_s"],
        )
        run.progress(0.9)
        ffmpeg = await self._ffmpeg.get()
        await ffmpeg.run(
            [
                "-f", "wav", "-i", "said.wav", "-ac", "1", "-ar", str(SAMPLE_RATE_HZ), "-c:a", "pcm_s16le",
                "-map_metadata", "-1", "-fflags", "+bitexact", "speech.wav", "-y",
            ],
            cwd=run.scratch,
            timeout_s=120,
        )  # fmt: skip
        samples, silent_s = await asyncio.to_thread(_heard, run.scratch / "speech.wav")
        digest = await self._assets.put(run.scratch / "speech.wav")
        heard = said.words
        if "said" in args:
            heard = as_written(heard, args["text"], args["counts"])
        words = _WORDS.dump_python(heard, mode="json")
        output = {"digest": digest, "samples": samples, "words": words, "silent_s": silent_s}
        return StepOutput(output=output, blobs=(digest,))


def _heard(path: Path) -> tuple[int, float]:
    """(samples, the longest silence in seconds)"""
    samples, rate_hz = sound.read_wav(path)
    silences = sound.pauses(samples, rate_hz, 0.0)
    return len(samples), round(max(end_s - start_s for start_s, end_s in silences), 3)


async def speak(
    run: JobRun,
    scene: Scene,
    *,
    voice: str,
    language: str | None,
    speed: float,
    engines: Sequence[SpeechEngine],
    pronunciations: Mapping[str, str],
) -> Speech:
    """Speak the scene with the best engine that has the voice; the next one takes over if it fails, or if another take
    is silent as the one before. `pronunciations` says how some words are to be said.

    Raises: the last engine's error; UnknownVoice, LanguageUnsupported, ToolMissing.
    """
    if not engines:
        raise ToolMissing("no speech engine is installed")
    respelled = respell(scene.narration, pronunciations)
    left = list(engines)
    failed: StepError | None = None
    unheard: Speech | None = None
    while left:
        try:
            chosen = resolve(voice, language, left)
        except (UnknownVoice, LanguageUnsupported):
            if failed is None:
                raise
            break
        engine, reason = chosen.engine, chosen.reason
        if failed is not None or reason:
            await run.substitute(
                Substitution(
                    stage="narrating",
                    scene=None,
                    wanted=f"voice {voice}",
                    used=f"{engine.name} {chosen.voice.id}",
                    reason=failed.detail if failed is not None else reason,
                )
            )
        args: dict[str, Any] = {
            "engine": engine.name,
            "voice": chosen.voice.id,
            "language": language or chosen.voice.language,
            "speed": speed,
            "text": scene.narration,
        }
        if respelled is not None:
            args |= {"said": respelled.text, "counts": list(respelled.counts)}
        if scene.take:
            args["take"] = scene.take  # another key: the same words, said once more
        key = run.key(KIND, args, CODE, engine.identity)
        # Slow machines: 2 s of work for a second of speech, at about 14 characters a second.
        args["timeout_s"] = 120.0 + len(scene.narration) / 14 * 6
        spec = StepSpec(
            key=key,
            kind=KIND,
            args=args,
            label=engine.label,
            timeout_s=args["timeout_s"] + 600,
            max_attempts=2,
            priority=-scene.index,
        )
        try:
            output = await run.step(spec, stage="narrating", scene=scene.index)
        except StepError as error:
            failed = error
            left.remove(engine)
            continue
        speech = Speech(
            digest=output["digest"],
            samples=output["samples"],
            engine=engine.name,
            voice=chosen.voice.id,
            words=_WORDS.validate_python(output["words"]),
            silent_s=output["silent_s"],
        )
        if not scene.take or speech.silent_s <= speech_silence_limit_s(speech.samples):
            return speech
        unheard, failed = unheard or speech, SpeechFailed(f"{engine.name} cannot be heard, again")
        left.remove(engine)
    if unheard is not None:
        return unheard
    assert failed is not None
    raise failed
