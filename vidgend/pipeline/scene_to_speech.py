"""Narration -> speech: the chosen engine speaks, the sound is brought to 48 kHz mono, and word times come along."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from vidgend.errors import LanguageUnsupported, StepError, ToolMissing, UnknownVoice
from vidgend.models import Scene, Speech, Substitution, Word
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.speech.port import SpeechEngine
from vidgend.pipeline.speech.voices import resolve
from vidgend.store.assets.store import AssetStore
from vidgend.timebase import SAMPLE_RATE_HZ

KIND = "speech"
CODE = ("scene_to_speech.py", "speech")
_WORDS = TypeAdapter(tuple[Word, ...])


class SpeechStep:
    """args: engine, voice, language, speed, text -> digest, samples (48 kHz), words"""

    def __init__(self, engines: Sequence[SpeechEngine], ffmpeg: FfmpegTool, assets: AssetStore) -> None:
        self._engines = {engine.name: engine for engine in engines}
        self._ffmpeg = ffmpeg
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        said = await self._engines[args["engine"]].synthesize(
            args["text"],
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
        samples = _samples(run.scratch / "speech.wav")
        digest = await self._assets.put(run.scratch / "speech.wav")
        output = {"digest": digest, "samples": samples, "words": _WORDS.dump_python(said.words, mode="json")}
        return StepOutput(output=output, blobs=(digest,))


def _samples(path: Path) -> int:
    with wave.open(str(path), "rb") as sound:
        return sound.getnframes()


async def speak(
    run: JobRun, scene: Scene, *, voice: str, language: str | None, speed: float, engines: Sequence[SpeechEngine]
) -> Speech:
    """Speak the scene with the best engine that has the voice; the next one takes over if it fails.

    Raises: the last engine's error; UnknownVoice, LanguageUnsupported, ToolMissing.
    """
    if not engines:
        raise ToolMissing("no speech engine is installed")
    left = list(engines)
    failed: StepError | None = None
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
        key = run.key(KIND, args, CODE, engine.identity)
        # Slow machines: 2 s of work for a second of speech, at about 14 characters a second.
        args["timeout_s"] = 120.0 + len(scene.narration) / 14 * 6
        spec = StepSpec(
            key=key,
            kind=KIND,
            args=args,
            label="gpu" if engine.uses_gpu else "cpu",
            timeout_s=args["timeout_s"] + 600,
            max_attempts=2,
            priority=-scene.index,
        )
        try:
            output = await run.step(spec, stage="narrating")
        except StepError as error:
            failed = error
            left.remove(engine)
            continue
        return Speech(
            digest=output["digest"],
            samples=output["samples"],
            engine=engine.name,
            voice=chosen.voice.id,
            words=_WORDS.validate_python(output["words"]),
        )
    assert failed is not None
    raise failed
