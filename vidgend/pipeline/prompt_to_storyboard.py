"""Prompt -> storyboard: ask the planners in order; the first that answers wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from vidgend.errors import StepError
from vidgend.models import Brief, CaptionOptions, MusicOptions, Plan, Scene, Storyboard, Substitution
from vidgend.pipeline.executor.port import Label, StepOutput, StepRun, StepSpec
from vidgend.pipeline.planner.port import Planner
from vidgend.pipeline.planner.visible import FILE as ENGLISH_WORDS
from vidgend.pipeline.planner.visual_words import FILE as VISUAL_WORDS
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.speech.markup import divide, plain_brief

KIND = "plan"
CODE = ("planner", "vocabulary.py", ENGLISH_WORDS, VISUAL_WORDS)
_BRIEF = TypeAdapter(Brief)
_PLAN = TypeAdapter(Plan)


class PlanStep:
    """args: planner (name), brief -> plan"""

    def __init__(self, planners: Sequence[Planner]) -> None:
        self._planners = {planner.name: planner for planner in planners}

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        plan = await self._planners[args["planner"]].plan(_BRIEF.validate_python(args["brief"]))
        return StepOutput(output={"plan": _PLAN.dump_python(plan, mode="json")})


async def make_storyboard(run: JobRun, brief: Brief, planners: Sequence[Planner]) -> Storyboard:
    """The storyboard of the first planner that answers. Raises: the last planner's error."""
    failed: StepError | None = None
    # Only what a plan depends on: a draft and its final are one plan.
    words = plain_brief(brief)
    asked = replace(
        words,
        scenes=tuple(replace(scene, clip=None) for scene in words.scenes),
        quality="standard",
        review=False,
        captions=CaptionOptions(),
        music=MusicOptions(),
        transitions=None,
        output_name="",
        outputs=(),
    )
    for planner in planners:
        args = {"planner": planner.name, "brief": _BRIEF.dump_python(asked, mode="json")}
        label: Label = "io" if planner.name == "builtin" else "llm"
        key = run.key(KIND, args, CODE, planner.identity)
        spec = StepSpec(key=key, kind=KIND, args=args, label=label, timeout_s=600, max_attempts=1)
        try:
            output = await run.step(spec, stage="planning")
        except StepError as error:
            failed = error
            continue
        if failed is not None:
            await run.substitute(
                Substitution(stage="planning", wanted=planners[0].name, used=planner.name, reason=failed.detail)
            )
        plan = _PLAN.validate_python(output["plan"])
        own = [scene.clip for scene in brief.scenes]  # planners keep the scenes that somebody wrote
        markup = _markup(brief, plan)
        return Storyboard(
            title=plan.title,
            language=plan.language,
            planner=plan.planner,
            stretch=plan.stretch,
            mood=plan.mood,
            fps=brief.fps,
            scenes=tuple(
                Scene(
                    index=index,
                    id=f"s{index + 1}",
                    narration=scene.narration,
                    markup=markup[index],
                    queries=scene.queries,
                    min_duration_s=scene.min_duration_s,
                    clip=own[index] if own else None,
                    why="the request names it" if own and own[index] else "",
                )
                for index, scene in enumerate(plan.scenes)
            ),
        )
    assert failed is not None, "there is always a planner"
    raise failed


def _markup(brief: Brief, plan: Plan) -> list[str | None]:
    """How each scene is to be spoken, where the request says so: planners are given the words alone."""
    texts = [scene.narration for scene in plan.scenes]
    if brief.scenes:
        scenes = zip(brief.scenes, texts, strict=False)
        given = [divide(scene.narration, [text])[0] for scene, text in scenes]
        return [*given, *[None] * (len(texts) - len(given))]
    return divide(brief.script or brief.prompt, texts)
