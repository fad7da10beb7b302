"""The planner that asks a language model.

The model writes scenes for an idea. A script, or scenes that the caller wrote, stay word for word: then it only
adds searches, a title and a mood. Falling back to the builtin planner is the caller's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from vidgend.models import Brief, Plan, PlannedScene
from vidgend.pipeline.planner.builtin import (
    LONGEST_PICTURE_S,
    brief_narrations,
    fill_with_pictures,
    plan_brief,
    title_of,
)
from vidgend.pipeline.planner.llm_chat import LlmChat, Wish
from vidgend.pipeline.planner.llm_wire import (
    MAX_SCENES,
    SYSTEM,
    PlanAnswer,
    answer_schema,
    check_idea,
    check_searches,
    idea_message,
    parse_answer,
    searches_message,
)
from vidgend.pipeline.text_language import brief_language

_WISH = Wish(name="plan", system=SYSTEM, schema=answer_schema())


class LlmPlanner:
    """`chat` bounds the time of the whole of `plan`."""

    name = "llm"

    def __init__(self, chat: LlmChat) -> None:
        self._chat = chat
        self.identity = chat.identity

    async def plan(self, brief: Brief) -> Plan:
        """Raises: ProviderUnauthorized, ProviderRateLimited, ProviderError, ProviderGarbage, StepTimeout."""
        language = brief_language(brief)
        narrations, fixed = await asyncio.to_thread(brief_narrations, brief, language=language)
        if fixed:
            return await self._add_searches(brief, narrations, language)
        return await self._write(brief, language)

    async def _write(self, brief: Brief, language: str) -> Plan:
        answer = await self._ask(
            idea_message(brief, language=language),
            lambda given: check_idea(given, brief=brief, language=language),
        )
        scenes = [PlannedScene(narration=item.narration, queries=tuple(item.queries)) for item in answer.scenes]
        if not scenes[0].narration:
            scenes.sort(key=lambda scene: not scene.narration)
        scenes = fill_with_pictures(scenes, duration_s=brief.duration_s, longest_s=LONGEST_PICTURE_S)
        return Plan(
            title=title_of(answer.title or brief.prompt),
            language=language,
            scenes=tuple(scenes),
            stretch=True,
            mood=answer.mood,
            planner=self.name,
        )

    async def _add_searches(self, brief: Brief, narrations: list[str], language: str) -> Plan:
        """The builtin plan with the model's searches. Scenes past MAX_SCENES keep the builtin ones."""
        plan = await asyncio.to_thread(plan_brief, brief)
        asked = [text for text in narrations if text][:MAX_SCENES]
        if not asked:
            return replace(plan, planner=self.name)
        answer = await self._ask(searches_message(asked, language=language), lambda given: check_searches(given, asked))
        better = dict(zip(asked, (tuple(item.queries) for item in answer.scenes), strict=True))
        queries: tuple[str, ...] = ()
        scenes = []
        for index, scene in enumerate(plan.scenes):
            own = brief.scenes[index].query if brief.scenes else None
            queries = better.get(scene.narration, ()) if scene.narration else queries[1:] + queries[:1]
            merged = tuple(dict.fromkeys([*([own] if own else []), *queries]))[:3]
            scenes.append(replace(scene, queries=merged or scene.queries))
        return replace(
            plan,
            title=title_of(answer.title) if answer.title else plan.title,
            mood=answer.mood or plan.mood,
            scenes=tuple(scenes),
            planner=self.name,
        )

    async def _ask(self, message: str, check: Callable[[PlanAnswer], None]) -> PlanAnswer:
        def read(text: str) -> PlanAnswer:
            answer = parse_answer(text)
            check(answer)
            return answer

        return await self._chat.ask(_WISH, message, read)
