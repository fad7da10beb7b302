"""The planner that needs no model: pure, deterministic, and it says only what the caller wrote.

- `scenes` are taken word for word.
- `script`, and a prompt that is one (two or more sentences with twelve or more words), is read word for word, cut at
  sentences and clauses.
- Any other prompt is an idea: its own phrases are spoken, and scenes without words carry the wished length.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from vidgend.models import Brief, Plan, PlannedScene
from vidgend.pipeline.planner.idea import idea_sentences, idea_to_phrases
from vidgend.pipeline.planner.keywords import main_phrases, queries_for
from vidgend.pipeline.planner.script import is_script, script_to_narrations
from vidgend.pipeline.text_language import brief_language
from vidgend.pipeline.vocabulary import search_language, speech_s, text_mood

PICTURE_S = 6.0
"""Wished time between two cuts. Stock clips are 5..20 s long, and a still view tires after about that time."""
LONGEST_PICTURE_S = 9.0
MAX_TITLE_CHARS = 70


class BuiltinPlanner:
    """See the module's text. Never fails."""

    name = "builtin"
    identity = "builtin"

    async def plan(self, brief: Brief) -> Plan:
        """The plan of `brief`, made in a thread since cutting a long script takes up to a second."""
        return await asyncio.to_thread(plan_brief, brief)


def plan_brief(brief: Brief) -> Plan:
    """The plan of `brief`; the same each time. Takes about 50 ms for each 1000 characters of script."""
    language = brief_language(brief)
    narrations, read_out = brief_narrations(brief, language=language)
    text = "\n".join([brief.prompt, *narrations] if brief.script or brief.scenes else narrations)
    words = search_language(text, language)
    about = main_phrases(text, language=words)
    if brief.scenes:
        scenes = [
            PlannedScene(
                narration=narration,
                queries=queries_for(narration, language=words, fallback=about, first=given.query),
                min_duration_s=given.duration_s or 0.0,
            )
            for narration, given in zip(narrations, brief.scenes, strict=True)
        ]
    else:
        scenes = [
            PlannedScene(narration=item, queries=queries_for(item, language=words, fallback=about))
            for item in narrations
        ]
    stretch = not read_out or wants_stretch(brief, scenes, language=language)
    if stretch and not brief.scenes:
        longest_s = LONGEST_PICTURE_S if read_out else PICTURE_S
        scenes = fill_with_pictures(scenes, duration_s=brief.duration_s, longest_s=longest_s)
    return Plan(
        title=title_of(narrations[0] if narrations[0] else brief.prompt),
        language=language,
        scenes=tuple(scenes),
        stretch=stretch,
        mood=text_mood(f"{brief.prompt} {text}"),
        planner="builtin",
    )


def reads_out(brief: Brief) -> bool:
    """Whether the caller's own text is spoken word for word."""
    own = bool(brief.scenes or (brief.script and brief.script.strip()))
    return own or is_script(idea_sentences(brief.prompt, language=brief_language(brief)))


def brief_narrations(brief: Brief, *, language: str) -> tuple[list[str], bool]:
    """What is spoken, scene by scene, and whether it is the caller's own text that must stay word for word."""
    if brief.scenes:
        return [scene.narration.strip() for scene in brief.scenes], True
    if brief.script and brief.script.strip():
        return script_to_narrations(brief.script, language=language), True
    sentences = idea_sentences(brief.prompt, language=language)
    if is_script(sentences):
        return script_to_narrations("\n\n".join(sentences), language=language), True
    return idea_to_phrases(sentences) or [brief.prompt.strip()], False


def wants_stretch(brief: Brief, scenes: Sequence[PlannedScene], *, language: str) -> bool:
    """Whether pictures must last longer than the words: the caller named a length that speech does not fill."""
    spoken_s = sum(max(speech_s(scene.narration, language), scene.min_duration_s) for scene in scenes)
    if not any(scene.narration for scene in scenes):
        return not all(scene.min_duration_s for scene in scenes)
    return brief.duration_given and spoken_s < brief.duration_s


def fill_with_pictures(
    scenes: Sequence[PlannedScene], *, duration_s: float, longest_s: float = PICTURE_S
) -> list[PlannedScene]:
    """Add scenes without words, so that none lasts much longer than `longest_s`.

    They search for the same things as the narrated ones, in another order. A few come after the last words, so that
    these stay together; many are spread between them. The timeline makes all of them about equally long.
    """
    total = max(len(scenes), round(duration_s / longest_s))
    silent = total - len(scenes)
    if silent <= len(scenes):
        return [*scenes, *(_silent(scene, 1) for scene in scenes[-silent:] if silent)]
    each, more = divmod(silent, len(scenes))
    filled: list[PlannedScene] = []
    for index, scene in enumerate(scenes):
        filled.append(scene)
        filled += [_silent(scene, turn) for turn in range(1, each + (index < more) + 1)]
    return filled


def _silent(scene: PlannedScene, turn: int) -> PlannedScene:
    cut = turn % len(scene.queries)
    return PlannedScene(narration="", queries=scene.queries[cut:] + scene.queries[:cut])


def title_of(text: str, *, limit: int = MAX_TITLE_CHARS) -> str:
    """The first sentence or line of `text`, at most `limit` characters, cut between words."""
    lines = text.strip().splitlines()
    line = " ".join(lines[0].split()) if lines else ""
    if len(line) <= limit:
        return line.rstrip(" .,;:。") or "Untitled"
    cut = line.rfind(" ", 0, limit)
    return line[: cut if cut > limit // 2 else limit - 1].rstrip(" .,;:") + "…"
