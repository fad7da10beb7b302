"""Speech -> words: the script's own words in time. The recogniser never writes the text.

Sources, truest first: the engine's own times, those of the known words looked for in the sound, a recogniser's mapped
onto the script, the length of the words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from vidgend.errors import StepError
from vidgend.models import Scene, Speech, Substitution, Word, Words
from vidgend.pipeline.aligner.port import Aligner
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.speech.pronunciation import as_written
from vidgend.pipeline.speech.sentences import Narrated, sentences
from vidgend.store.assets.store import AssetStore

KIND = "align"
CODE = ("speech_to_words.py", "aligner", "speech", "whisper")
_WORDS = TypeAdapter(Words)


class AlignStep:
    """args: aligner, digest, words, language -> words"""

    def __init__(self, aligners: Sequence[Aligner], assets: AssetStore) -> None:
        self._aligners = {aligner.name: aligner for aligner in aligners}
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        words = await self._aligners[args["aligner"]].align(
            await self._assets.local(args["digest"]),
            tuple(args["words"]),
            language=args["language"],
            timeout_s=600,
        )
        return StepOutput(output={"words": _WORDS.dump_python(words, mode="json")})


async def find_words(
    run: JobRun,
    scene: Scene,
    speech: Speech,
    *,
    language: str,
    pronunciations: Mapping[str, str],
    aligners: Sequence[Aligner],
) -> Words:
    """Times for the words of a scene's narration. `aligners` are asked in order; the last one always answers. They are
    given what was said for the words, as markup and `pronunciations` have it."""
    if "".join(word.text for word in speech.words) == "".join(scene.narration.split()):
        return Words(source="engine", words=speech.words)
    spoken = await asyncio.to_thread(sentences, scene.written, language=language, pronunciations=pronunciations)
    said = [word for one in spoken.sentences for word in one.said.split()]
    failed: StepError | None = None
    asked = [aligner for aligner in aligners if aligner.hears(language)]
    for aligner in asked:
        args = {"aligner": aligner.name, "digest": speech.digest, "words": said, "language": language}
        spec = StepSpec(
            key=run.key(KIND, args, CODE, aligner.identity),
            kind=KIND,
            args=args,
            label=aligner.label,
            timeout_s=900,
            stall_s=0,  # the recogniser does not say how far it is
            priority=1,  # before the narration of later scenes, so that this one can render
            max_attempts=1,
        )
        try:
            output = await run.step(spec, stage="aligning", scene=scene.index)
        except StepError as error:
            failed = error
            continue
        words = _WORDS.validate_python(output["words"])
        reason = failed.detail if failed is not None else words.reason
        if reason:
            await run.substitute(
                Substitution(stage="aligning", scene=None, wanted=asked[0].name, used=aligner.name, reason=reason)
            )
        return replace(words, words=_as_written(words.words, spoken))
    assert failed is not None, "there is always an aligner"
    raise failed


def _as_written(words: Sequence[Word], spoken: Narrated) -> tuple[Word, ...]:
    """The times of the words of the narration, from those of what was said."""
    found: list[Word] = []
    at = 0
    for one in spoken.sentences:
        said = words[at : at + sum(one.counts)]
        at += len(said)
        found += as_written(said, one.words, one.counts, glued=one.glued)
    return tuple(found)
