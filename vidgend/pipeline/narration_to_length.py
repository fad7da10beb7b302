"""Narration -> the same told in the wished time: spoken once to be measured, and made shorter or longer once.

Only for words that a model wrote for an idea; what the caller wrote is spoken as it is, however long it takes. What is
still missing afterwards is filled with pictures, what is too much makes the video longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from vidgend.errors import StepError, ToolMissing
from vidgend.models import Brief, Scene, Storyboard, Substitution
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.planner.builtin import reads_out
from vidgend.pipeline.planner.llm_wire import MAX_NARRATION_CHARS
from vidgend.pipeline.planner.port import Rewriter
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.styles import find_style
from vidgend.pipeline.timeline import SceneNeed, needed_frames
from vidgend.timebase import SAMPLE_RATE_HZ

KIND = "relength"
CODE = ("narration_to_length.py", "planner")
MOST_OFF = 0.05
"""Of the wished length; within it, nobody is asked."""

SpeakAll = Callable[[Storyboard], Awaitable[Sequence[int]]]
"""Samples of speech of each scene, 0 for one without words."""


class RelengthStep:
    """args: texts, targets (characters), title, language -> texts"""

    def __init__(self, rewriter: Rewriter | None) -> None:
        self._rewriter = rewriter

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        if self._rewriter is None:
            raise ToolMissing("there is no language model", hint="Set planner.base_url and planner.model.")
        texts = await self._rewriter.rewrite(
            args["texts"], targets=args["targets"], title=args["title"], language=args["language"]
        )
        return StepOutput(output={"texts": list(texts)})


@dataclass(frozen=True, kw_only=True)
class Length:
    """How long a video is by its words alone: `spoken_s` of speech, `narrated_s` with the pauses around scenes."""

    spoken_s: float
    narrated_s: float

    def off(self, wished_s: float) -> float:
        """The share of the wished length that it is too long, or too short (negative)."""
        return self.narrated_s / wished_s - 1


def length_of(brief: Brief, samples: Sequence[int]) -> Length:
    """`samples` of speech of each scene; scenes without words take no time here."""
    told = [count for count in samples if count]
    pace = find_style(brief.style).pace
    frames = sum(
        needed_frames(index, len(told), SceneNeed(speech_samples=count, pace=pace), brief.frame_rate)
        for index, count in enumerate(told)
    )
    return Length(spoken_s=sum(told) / SAMPLE_RATE_HZ, narrated_s=float(Fraction(frames) / brief.frame_rate))


def length_report(brief: Brief, scenes: Sequence[Scene]) -> dict[str, Any]:
    """For the report: the wished length, and what the words take of it."""
    length = length_of(brief, [scene.speech.samples if scene.speech else 0 for scene in scenes])
    return {
        "wished_s": brief.duration_s if brief.duration_given else None,
        "spoken_s": round(length.spoken_s, 3),
        "narrated_s": round(length.narrated_s, 3),
    }


async def fit_narration(
    run: JobRun, brief: Brief, storyboard: Storyboard, *, rewriter: Rewriter | None, speak_all: SpeakAll
) -> Storyboard:
    """The storyboard with a narration whose speech is within MOST_OFF of the wished length, if the model manages that
    in one go; else the nearer one of the two. Speaking it again later finds it done.

    Raises: what speaking raises.
    """
    told = [scene for scene in storyboard.scenes if scene.narration]
    by_model = storyboard.planner == "llm" and storyboard.stretch and rewriter is not None
    if not (by_model and told) or await asyncio.to_thread(reads_out, brief):
        return storyboard
    assert rewriter is not None
    before = length_of(brief, await speak_all(storyboard))
    wished_s = brief.duration_s
    if abs(before.off(wished_s)) <= MOST_OFF or not before.spoken_s:
        return _without_fillers(storyboard, before, wished_s)
    wanted_s = before.spoken_s - (before.narrated_s - wished_s)
    factor = max(0.1, wanted_s / before.spoken_s)
    asked = f"asking the model for {factor:.0%} of it"
    await run.note(f"the narration takes {before.narrated_s:.1f} of {wished_s:g} s; {asked}")
    texts = [scene.narration for scene in told]
    targets = [min(MAX_NARRATION_CHARS, max(1, round(len(text) * factor))) for text in texts]
    try:
        left = iter(await _rewritten(run, storyboard, texts, targets, rewriter))
        other = replace(
            storyboard,
            scenes=tuple(
                replace(scene, narration=next(left), markup=None) if scene.narration else scene
                for scene in storyboard.scenes
            ),
        )
        after = length_of(brief, await speak_all(other))
    except StepError as error:
        await run.substitute(_still_off(before, wished_s, error.detail))
        return _without_fillers(storyboard, before, wished_s)
    await run.note(f"the narration takes {after.narrated_s:.1f} of {wished_s:g} s now")
    best, length = (other, after) if abs(after.off(wished_s)) < abs(before.off(wished_s)) else (storyboard, before)
    if abs(length.off(wished_s)) > MOST_OFF:
        await run.substitute(_still_off(length, wished_s, "that is as near as the model came"))
    return _without_fillers(best, length, wished_s)


async def _rewritten(
    run: JobRun, storyboard: Storyboard, texts: list[str], targets: list[int], rewriter: Rewriter
) -> tuple[str, ...]:
    args = {"texts": texts, "targets": targets, "title": storyboard.title, "language": storyboard.language}
    spec = StepSpec(
        key=run.key(KIND, args, CODE, rewriter.identity),
        kind=KIND,
        args=args,
        label="llm",
        timeout_s=600.0,
        stall_s=0,  # the model does not say how far it is
        max_attempts=1,
    )
    return tuple((await run.step(spec, stage="planning"))["texts"])


def _without_fillers(storyboard: Storyboard, length: Length, wished_s: float) -> Storyboard:
    """Words that fill the time need no pictures between them that carry none."""
    if length.off(wished_s) < -MOST_OFF:
        return storyboard
    kept = [scene for scene in storyboard.scenes if scene.narration]
    scenes = tuple(replace(scene, index=index, id=f"s{index + 1}") for index, scene in enumerate(kept))
    return replace(storyboard, scenes=scenes)


def _still_off(length: Length, wished_s: float, reason: str) -> Substitution:
    filled = "pictures fill the rest" if length.narrated_s < wished_s else "the video is longer"
    return Substitution(
        stage="planning",
        wanted=f"a narration of {wished_s:g} s",
        used=f"one of {length.narrated_s:.1f} s; {filled}",
        reason=reason,
    )
