"""Voice -> text: what somebody said in a recording, each word with its time."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.recording_to_voice import Voice
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.transcriber.port import Transcriber, Transcript
from vidgend.store.assets.store import AssetStore
from vidgend.timebase import SAMPLE_RATE_HZ

KIND = "transcribe"
CODE = ("voice_to_text.py", "transcriber")
_TRANSCRIPT = TypeAdapter(Transcript)


class TranscribeStep:
    """args: digest, language -> a Transcript"""

    def __init__(self, transcriber: Transcriber | None, assets: AssetStore) -> None:
        self._transcriber = transcriber
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        assert self._transcriber is not None, "nobody asks for it without one"
        heard = await self._transcriber.transcribe(
            await self._assets.local(args["digest"]), language=args["language"], timeout_s=args["timeout_s"]
        )
        return StepOutput(output=_TRANSCRIPT.dump_python(heard, mode="json"))


async def transcribe(run: JobRun, voice: Voice, transcriber: Transcriber, *, language: str | None) -> Transcript:
    """What is said in a voice; `language` None: as it is heard. Raises: StepError, StepTimeout."""
    length_s = voice.samples / SAMPLE_RATE_HZ
    args: dict[str, Any] = {"digest": voice.digest, "language": language}
    key = run.key(KIND, args, CODE, transcriber.identity)
    # A large model on a slow machine takes several seconds for one of speech.
    args |= {"length_s": length_s, "timeout_s": 600 + 10 * length_s}
    spec = StepSpec(
        key=key,
        kind=KIND,
        args=args,
        label=transcriber.label,
        priority=1,  # everything else waits for it
        timeout_s=args["timeout_s"] + 600,
        stall_s=0,  # the recogniser does not say how far it is
        max_attempts=1,
    )
    return _TRANSCRIPT.validate_python(await run.step(spec, stage="planning"))
