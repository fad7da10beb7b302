"""Voice -> sample: a sentence in its language, spoken by the engine that jobs would have, kept as their speech is.

Samples give way to videos. They are spoken one at a time, and one is begun only while nothing waits for the model and,
where the model runs on the cores, a place among the encodes is free. A few may wait for that, others are turned away.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from vidgend.errors import (
    LanguageUnsupported,
    SpeechFailed,
    ToolMissing,
    UnknownVoice,
    VoiceBusy,
    VoiceUnavailable,
)
from vidgend.pipeline.executor.port import Executor, Label, StepSpec, run_step
from vidgend.pipeline.run import key_with
from vidgend.pipeline.scene_to_speech import narration_spec
from vidgend.pipeline.sentence_to_speech import speech_spec
from vidgend.pipeline.speech.port import SpeechEngine
from vidgend.pipeline.speech.samples import sample_text
from vidgend.pipeline.speech.voices import Resolved, known_voice, resolve

MOST_WAITING = 4
"""Different samples that wait for the one that is being spoken."""
DEADLINE_S = 60.0
"""For the wait and the sample together. Loading Kokoro and speaking take 10 s on two slow cores."""
LONGEST_NAME = 300
"""In characters; a blend of eight voices has 200."""
_LAST = -1_000_000
"""After every sentence of every job."""
_LOOK_S = 0.2

_KEY_OF = partial(key_with, "")
"""Samples are nobody's, so they are shared."""


class VoiceSamples:
    """`is_done` tells by its key whether a step's output is there, `speed` is that of the narrations."""

    def __init__(
        self,
        *,
        engines: Sequence[SpeechEngine],
        executor: Executor,
        is_done: Callable[[str], Awaitable[bool]],
        speed: float,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._engines = engines
        self._executor = executor
        self._is_done = is_done
        self._speed = speed
        self._deadline_s = deadline_s
        self._turn = asyncio.Lock()
        self._asked: Counter[str] = Counter()
        """By its key, how many want a sample that is not there yet."""

    async def make(self, name: str) -> str:
        """The digest of a WAV (48 kHz, mono) of a voice, which is an id, a tag or a blend.

        Raises: UnknownVoice, VoiceUnavailable, VoiceBusy, and what the speech step raises.
        """
        spec = self._spec(speaker(name, self._engines))
        try:
            async with asyncio.timeout(self._deadline_s):
                spoken = await self._spoken(spec)
                if not spoken["heard"]:
                    raise SpeechFailed(f"{spec.args['engine']} cannot be heard with the voice {spec.args['voice']}")
                parts = [{"digest": spoken["digest"], "pause_s": 0.0}]
                joined = await self._run(narration_spec(parts, end_s=0.0, priority=_LAST, key_of=_KEY_OF))
        except TimeoutError:
            raise VoiceBusy(f"the sample was not made within {self._deadline_s:g} s") from None
        digest: str = joined["digest"]
        return digest

    def _spec(self, chosen: Resolved) -> StepSpec:
        voice = chosen.voice
        text = sample_text(voice.language)
        if not text:
            raise VoiceUnavailable(f"there is no sentence in {voice.language} for samples", hint="")
        return speech_spec(
            text,
            engine=chosen.engine,
            voice=voice.id,
            language=voice.language,
            speed=self._speed,
            priority=_LAST,
            key_of=_KEY_OF,
        )

    async def _spoken(self, spec: StepSpec) -> dict[str, Any]:
        if await self._is_done(spec.key):
            return await self._run(spec)
        if spec.key not in self._asked and len(self._asked) > MOST_WAITING:
            raise VoiceBusy(f"{len(self._asked)} others are asked for already")
        self._asked[spec.key] += 1
        try:
            async with self._turn:
                if not await self._is_done(spec.key):
                    await self._wait_for_room(spec.label)
                return await self._run(spec)
        finally:
            self._asked[spec.key] -= 1
            if not self._asked[spec.key]:
                del self._asked[spec.key]

    async def _wait_for_room(self, label: Label) -> None:
        """Until no job waits for what the sample would take."""
        while True:
            if _has_room(label, await self._executor.load(), self._executor.slots["ffmpeg"]):
                return
            await asyncio.sleep(_LOOK_S)

    async def _run(self, spec: StepSpec) -> dict[str, Any]:
        event = await run_step(self._executor, spec)
        if event.error is not None:
            raise event.error
        if event.state == "cancelled":
            raise VoiceBusy("vidgend is stopping")
        return event.output


def _has_room(label: Label, load: dict[str, tuple[int, int]], encodes: int) -> bool:
    queued, _ = load[label]
    encodes_queued, encodes_held = load["ffmpeg"]
    if label != "cpu":
        return not queued
    # A model that is in memory has one of their places already, which is not among those held.
    return not queued and not encodes_queued and encodes_held < encodes


def speaker(name: str, engines: Sequence[SpeechEngine]) -> Resolved:
    """Who speaks with that voice, and nobody in its stead. Raises: UnknownVoice, VoiceUnavailable."""
    if len(name) > LONGEST_NAME:
        raise UnknownVoice(f"no voice has a name of more than {LONGEST_NAME} characters")
    try:
        if not engines:
            raise ToolMissing("no speech engine is installed")
        chosen = resolve(name, None, engines)
    except (LanguageUnsupported, ToolMissing) as error:
        raise VoiceUnavailable(error.detail) from None
    if not chosen.reason:
        return chosen
    if "+" in name or known_voice(name) is not None:
        raise VoiceUnavailable(chosen.reason)
    raise UnknownVoice(chosen.reason)
