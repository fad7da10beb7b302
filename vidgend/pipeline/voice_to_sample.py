"""Voice -> sample: a sentence in its language, spoken by the engine that jobs would have, kept as their speech is.

Samples give way to videos. They are spoken one at a time, and one is begun only while the model is not used and, where
it runs on the cores, has a place among the encodes or finds one free. A few may wait for that, others are turned away.
One that was begun is spoken to its end, whoever still wants it: to stop it would stop the model, which the next
sentence of a video would have to load again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from vidgend.errors import (
    LanguageUnsupported,
    NotFound,
    SpeechFailed,
    ToolMissing,
    UnknownVoice,
    VoiceBusy,
    VoiceUnavailable,
)
from vidgend.pipeline.executor.port import Executor, Label, Load, StepSpec, run_step
from vidgend.pipeline.run import key_with
from vidgend.pipeline.sample_texts import sample_text
from vidgend.pipeline.scene_to_speech import narration_spec
from vidgend.pipeline.sentence_to_speech import speech_spec
from vidgend.pipeline.speech.port import SpeechEngine
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


@dataclass(eq=False)
class _Spoken:
    """A sample that is not there yet. The task gives the output of its step, or None if it took too long."""

    task: asyncio.Task[dict[str, Any] | None] = field(init=False)
    wanted_by: int = 0
    begun: bool = False


class VoiceSamples:
    """`is_done` tells by its key whether a step's output is there, `speed` is that of the narrations. `aclose` before
    the executor's."""

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
        self._to_come: dict[str, _Spoken] = {}
        """By the key of the step."""

    async def make(self, name: str) -> str:
        """The digest of a WAV (48 kHz, mono) of a voice, which is an id, a tag or a blend.

        If this is cancelled, the sample is given up unless somebody else wants it or it is being spoken. Raises:
        UnknownVoice, VoiceUnavailable, VoiceBusy, and what the speech step raises.
        """
        spec = self._spec(speaker(name, self._engines))
        try:
            async with asyncio.timeout(self._deadline_s):
                try:
                    return await self._made(spec)
                except NotFound:  # the sentence went before it was made a WAV
                    return await self._made(spec)
        except TimeoutError:
            raise VoiceBusy(f"the sample was not made within {self._deadline_s:g} s") from None
        except NotFound as error:
            raise VoiceBusy(f"the sample went while it was made: {error.detail}") from None
        except ToolMissing as error:
            raise VoiceUnavailable(error.detail, hint=error.hint) from None

    async def aclose(self) -> None:
        """Stop what is being spoken and all who wait."""
        tasks = [one.task for one in self._to_come.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _made(self, spec: StepSpec) -> str:
        spoken = await self._spoken(spec)
        if not spoken["heard"]:
            raise SpeechFailed(f"{spec.args['engine']} cannot be heard with the voice {spec.args['voice']}")
        parts = [{"digest": spoken["digest"], "pause_s": 0.0}]
        joined = await self._run(narration_spec(parts, end_s=0.0, priority=_LAST, key_of=_KEY_OF))
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
        while True:
            one = self._to_come.get(spec.key) or self._begin(spec)
            one.wanted_by += 1
            try:
                await asyncio.wait({one.task})
            finally:
                one.wanted_by -= 1
                if not one.wanted_by and not one.begun:
                    one.task.cancel()
                    self._forget(spec.key, one)
            if one.task.cancelled():
                raise VoiceBusy("vidgend is stopping")
            output = one.task.result()
            if output is not None:
                return output
            # The time of those who asked before is up, ours is not.

    def _begin(self, spec: StepSpec) -> _Spoken:
        """Raises: VoiceBusy."""
        if len(self._to_come) > MOST_WAITING:
            raise VoiceBusy(f"{len(self._to_come)} others are asked for already")
        one = _Spoken()
        one.task = asyncio.create_task(self._speak(spec, one), name=f"a sample of {spec.args['voice']}")
        one.task.add_done_callback(lambda _: self._forget(spec.key, one))
        self._to_come[spec.key] = one
        return one

    def _forget(self, key: str, one: _Spoken) -> None:
        if self._to_come.get(key) is one:
            del self._to_come[key]
        if one.task.done() and not one.task.cancelled():
            one.task.exception()  # if nobody waits any more, nobody has to be told

    async def _speak(self, spec: StepSpec, one: _Spoken) -> dict[str, Any] | None:
        try:
            async with asyncio.timeout(self._deadline_s) as limit, self._turn:
                if not await self._is_done(spec.key):
                    await self._wait_for_room(spec.label)
                one.begun = True
                limit.reschedule(asyncio.get_running_loop().time() + self._deadline_s)  # what is begun has all of it
                return await self._run(spec)
        except TimeoutError:
            return None

    async def _wait_for_room(self, label: Label) -> None:
        """Until no job waits for what the sample would take."""
        while True:
            if _has_room(label, await self._executor.load()):
                return
            await asyncio.sleep(_LOOK_S)

    async def _run(self, spec: StepSpec) -> dict[str, Any]:
        event = await run_step(self._executor, spec)
        if event.error is not None:
            raise event.error
        if event.state == "cancelled":
            raise VoiceBusy("vidgend is stopping")
        return event.output


def _has_room(label: Label, load: Mapping[Label, Load]) -> bool:
    """Encodes that wait would want the place of a model on the cores, also of one that is in memory."""
    return not load[label].queued and load[label].free > 0 and not (label == "cpu" and load["ffmpeg"].queued)


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
