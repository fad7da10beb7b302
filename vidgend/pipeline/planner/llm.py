"""The planner that asks a language model.

The model writes scenes for an idea. A script, or scenes that the caller wrote, stay word for word: then it only
adds searches, a title and a mood. Falling back to the builtin planner is the caller's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from vidgend.models import Brief, Plan, PlannedScene
from vidgend.pipeline.planner.builtin import brief_narrations, fill_with_pictures, plan_brief, title_of
from vidgend.pipeline.planner.keywords import main_phrases, queries_for
from vidgend.pipeline.planner.llm_chat import LlmChat, Wish
from vidgend.pipeline.planner.llm_wire import (
    MAX_NARRATION_CHARS,
    MAX_SCENES,
    PACE_PICTURE_S,
    SYSTEM,
    PlanAnswer,
    answer_schema,
    check_idea,
    check_searches,
    idea_message,
    parse_answer,
    searches_message,
    wished_scenes,
)
from vidgend.pipeline.planner.script import MIN_SCENE_S, join_texts, sentences_of
from vidgend.pipeline.planner.visible import kind_of
from vidgend.pipeline.text_language import brief_language
from vidgend.pipeline.vocabulary import STOP_WORDS, has_words, speech_s

_MOST_QUERY_WORDS = 5


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
        scenes = wished_scenes(brief)
        answer = await self._ask(
            _wish(scenes, written=True),
            idea_message(brief, language=language),
            lambda given: check_idea(given, brief=brief, language=language),
        )
        return await asyncio.to_thread(_plan_of, answer, brief, language)

    async def _add_searches(self, brief: Brief, narrations: list[str], language: str) -> Plan:
        """The builtin plan with the model's searches. Scenes past MAX_SCENES keep the builtin ones."""
        plan = await asyncio.to_thread(plan_brief, brief)
        asked = [text for text in narrations if text][:MAX_SCENES]
        if not asked:
            return replace(plan, planner=self.name)
        answer = await self._ask(
            _wish(len(asked), written=False),
            searches_message(asked, language=language),
            lambda given: check_searches(given, asked),
        )
        better = dict(zip(asked, (_searches(item.queries) for item in answer.scenes), strict=True))
        queries: tuple[str, ...] = ()
        scenes = []
        for index, scene in enumerate(plan.scenes):
            own = brief.scenes[index].query if brief.scenes else None
            queries = better.get(scene.narration, ()) if scene.narration else queries[1:] + queries[:1]
            merged = tuple(dict.fromkeys([*([own] if own else []), *queries, *scene.queries]))[:3]
            scenes.append(replace(scene, queries=merged))
        return replace(
            plan,
            title=title_of(answer.title) if answer.title else plan.title,
            mood=answer.mood or plan.mood,
            scenes=tuple(scenes),
            planner=self.name,
        )

    async def _ask(self, wish: Wish, message: str, check: Callable[[PlanAnswer], None]) -> PlanAnswer:
        def read(text: str) -> PlanAnswer:
            answer = parse_answer(text)
            check(answer)
            return answer

        return await self._chat.ask(wish, message, read)


def _wish(scenes: int, *, written: bool) -> Wish:
    return Wish(
        name="plan",
        system=SYSTEM,
        schema=answer_schema(written=written),
        counted=answer_schema(scenes=scenes, written=written),
    )


def _plan_of(answer: PlanAnswer, brief: Brief, language: str) -> Plan:
    """The plan that a checked answer means. A scene without a usable search gets those of the built-in planner."""
    longest_s = PACE_PICTURE_S[answer.pace]
    texts = [scene.narration if has_words(scene.narration) else "" for scene in answer.scenes]
    order = sorted(range(len(texts)), key=lambda index: not texts[index]) if not texts[0] else range(len(texts))
    said = [texts[index] for index in order]
    if answer.hook:
        said[0] = _opened(answer.hook, said[0])
    about = main_phrases(" ".join(said), language=language)
    scenes: list[PlannedScene] = []
    for index, narration in zip(order, said, strict=True):
        queries = _searches(answer.scenes[index].queries) or queries_for(narration, language=language, fallback=about)
        parts = _cut(narration, language, longest_s)
        for turn, part in enumerate(parts):
            turned = queries[turn % len(queries) :] + queries[: turn % len(queries)]
            scenes.append(PlannedScene(narration=part, queries=turned))
    return Plan(
        title=title_of(answer.title or brief.prompt),
        language=language,
        scenes=tuple(fill_with_pictures(scenes, duration_s=brief.duration_s, longest_s=longest_s)),
        stretch=True,
        mood=answer.mood,
        planner=LlmPlanner.name,
    )


def _searches(given: list[str]) -> tuple[str, ...]:
    """A whole sentence is no search: what can be seen in it is. Nor is a mood, or what nobody can film."""
    kept = [
        query
        for query in given
        if any(
            word.casefold() not in STOP_WORDS["en"] and kind_of(word) not in ("unseen", "look")
            for word in query.split()
        )
    ]
    short = (
        query if len(query.split()) <= _MOST_QUERY_WORDS else queries_for(query, language="en")[0] for query in kept
    )
    return tuple(dict.fromkeys(short))


def _opened(hook: str, narration: str) -> str:
    """The narration with the hook before it, which many models write twice."""
    plain = hook.casefold().strip(" .!?…")
    if narration.casefold().startswith(plain) or len(hook) + len(narration) >= MAX_NARRATION_CHARS:
        return narration
    return join_texts(hook if hook[-1] in ".!?…。！？।" else f"{hook}.", narration) if narration else hook


def _cut(narration: str, language: str, longest_s: float) -> list[str]:
    """Parts of whole sentences, each with a picture of at most about `longest_s`; a long sentence stays whole."""
    parts: list[str] = []
    for sentence in sentences_of(narration, language=language):
        if parts and speech_s(join_texts(parts[-1], sentence), language) <= longest_s:
            parts[-1] = join_texts(parts[-1], sentence)
        else:
            parts.append(sentence)
    if len(parts) > 1 and speech_s(parts[-1], language) < MIN_SCENE_S:
        parts[-2:] = [join_texts(*parts[-2:])]
    return parts or [narration]
