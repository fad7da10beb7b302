"""Storyboard -> the storyboards of further videos of the same plan: the same clips in another shape, or other words.

What two videos have in common is not looked for here: it has the same step keys, so it is made once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from vidgend.models import Brief, Clip, Output, Scene, Storyboard
from vidgend.pipeline.footage.generated import emitted_size
from vidgend.pipeline.narration_to_translation import translate
from vidgend.pipeline.planner.builtin import title_of
from vidgend.pipeline.planner.port import Translator
from vidgend.pipeline.quality_checks import PART_OF
from vidgend.pipeline.run import JobRun, OutputRun
from vidgend.pipeline.speech.markup import narration_fields, plain
from vidgend.pipeline.speech.voices import primary
from vidgend.pipeline.vocabulary import has_words


class Made(Protocol):
    """A video that was made of a storyboard, with what it found for the scenes."""

    @property
    def storyboard(self) -> Storyboard: ...


class RecentlyShown(Protocol):
    async def recently_shown(self) -> Mapping[tuple[str, str], float]: ...


class Unkept:
    """Keeps no storyboard: those of further videos follow from the main one's, and a repair may come to nothing.
    `keeper` is the job's own."""

    def __init__(self, keeper: RecentlyShown) -> None:
        self._keeper = keeper

    async def load(self) -> Storyboard | None:
        return None

    async def save(self, storyboard: Storyboard) -> None:
        """Nothing."""

    async def recently_shown(self) -> Mapping[tuple[str, str], float]:
        """As the main video does: its clips are the same, and what a scene shows instead is chosen alike."""
        return await self._keeper.recently_shown()


Video = TypeVar("Video", bound=Made)


@dataclass(frozen=True, kw_only=True)
class Words:
    """What is said in a video, scene by scene."""

    title: str
    language: str
    texts: tuple[str, ...]


def another_language(output: Output, language: str) -> bool:
    """Whether the words of an output are in another language than `language`; a region is no other language."""
    return output.language is not None and primary(output.language) != primary(language)


def brief_of(brief: Brief, output: Output) -> Brief:
    """The request as if it asked for this output alone."""
    return replace(
        brief,
        output_name=output.name,
        outputs=(),
        width_px=output.width_px,
        height_px=output.height_px,
        voice=output.voice or brief.voice,
        language=output.language or brief.language,
    )


def given_texts(brief: Brief, output: Output, storyboard: Storyboard) -> list[str | None]:
    """The request's own text of the output for each scene; None where there is none, or where the scene by now says
    something else than the one for which it was written."""
    written = {
        f"s{number}": (scene.narration.strip(), text.strip())
        for number, (scene, text) in enumerate(zip(brief.scenes, output.narrations, strict=False), 1)
    }
    found: list[str | None] = []
    for scene in storyboard.scenes:
        source, text = written.get(scene.id or f"s{scene.index + 1}", ("", None))
        found.append(text if source == scene.written.strip() else None)
    return found


def to_translate(brief: Brief, output: Output, storyboard: Storyboard) -> list[int]:
    """The scenes (by index) whose words the output lacks in its language."""
    if not another_language(output, storyboard.language):
        return []
    given = given_texts(brief, output, storyboard)
    return [scene.index for scene in storyboard.scenes if given[scene.index] is None and has_words(scene.narration)]


async def find_words_of(
    run: JobRun, brief: Brief, output: Output, storyboard: Storyboard, translator: Translator | None
) -> Words:
    """What is said in an output: the request's texts for it, else the storyboard's, translated where need be.

    Raises: as `translate`.
    """
    language = storyboard.language
    texts = [scene.written for scene in storyboard.scenes]
    title = storyboard.title
    for index, text in enumerate(given_texts(brief, output, storyboard)):
        texts[index] = texts[index] if text is None else text
    lacking = to_translate(brief, output, storyboard)
    if another_language(output, language):
        assert output.language is not None
        source, language = language, output.language
        if lacking:
            await run.note(f"translating {len(lacking)} scenes into {language}")
            named, translated = await translate(
                run, [plain(texts[index]) for index in lacking], title=title, source=source, target=language,
                translator=translator,
            )  # fmt: skip
            for index, text in zip(lacking, translated, strict=True):
                texts[index] = text
            title = named
        if output.narrations:
            title = title_of(next((text for text in map(plain, texts) if has_words(text)), title))
    return Words(title=title, language=language, texts=tuple(texts))


def storyboard_of(shown: Storyboard, main: Brief, brief: Brief, words: Words) -> Storyboard:
    """The storyboard of an output: the clips of the main video `shown`, `words`, and what of the speech is the same."""
    size_px = (brief.width_px, brief.height_px)
    reshaped = size_px != (main.width_px, main.height_px)
    said = (main.voice, shown.language, tuple(scene.written for scene in shown.scenes))
    reworded = said != (brief.voice, words.language, words.texts)
    scenes = []
    for scene, text in zip(shown.scenes, words.texts, strict=True):
        clip = _repainted(scene.clip, size_px) if scene.clip is not None and reshaped else scene.clip
        scene = replace(scene, **narration_fields(text), clip=clip, start_frame=None)
        if reworded:
            scene = replace(scene, speech=None, words=None, frames=None, kept_frames=None)
        if reworded or reshaped:
            scene = _without_repair(scene, ("captions",))
        scenes.append(scene)
    return replace(
        shown, title=words.title, language=words.language, scenes=tuple(scenes), degraded=(),
        edited=shown.edited and not reworded,
    )  # fmt: skip


def plan_outputs(
    run: JobRun, brief: Brief, storyboard: Storyboard, encoding: Callable[[Brief], Mapping[str, Any]]
) -> None:
    """Say what the further outputs will have to do. `encoding` gives what their segments' steps get."""
    spoken: list[tuple[str, str, tuple[str, ...]]] = [(brief.voice, primary(storyboard.language), ())]
    for number, output in enumerate(brief.outputs, 1):
        own = brief_of(brief, output)
        translates = bool(to_translate(brief, output, storyboard))
        language = primary(output.language or storyboard.language)
        spoken.append((own.voice, language, output.narrations))
        run.progress.plan_video(
            own, storyboard, encoding(own), output=number, speech_of=spoken.index(spoken[-1]), translates=translates
        )  # fmt: skip


def main_run(job: JobRun, brief: Brief, making: set[int] | None = None) -> JobRun:
    """The run of the main video of a job."""
    if not brief.outputs:
        return job
    return OutputRun(job, number=0, name=brief.output_name, making=set() if making is None else making)


async def make_outputs(
    job: JobRun,
    brief: Brief,
    storyboard: Storyboard,
    *,
    translator: Translator | None,
    make: Callable[[JobRun, Brief, Storyboard], Awaitable[Video]],
) -> list[tuple[JobRun, Brief, Video]]:
    """All videos of a job, the main one first. The others are begun, side by side, once the clips of the main one are
    what they stay; meanwhile their words are translated.

    `make` makes a video of a storyboard. One failure stops all of them. Raises: what `make` raises, in a group.
    """
    if not brief.outputs:
        return [(job, brief, await make(job, brief, storyboard))]
    making: set[int] = set()
    run = main_run(job, brief, making)
    others = [
        OutputRun(job, number=number, name=output.name, making=making) for number, output in enumerate(brief.outputs, 1)
    ]
    main: asyncio.Future[Storyboard] = asyncio.get_running_loop().create_future()

    async def make_main() -> tuple[JobRun, Brief, Video]:
        made = await make(run, brief, storyboard)
        main.set_result(made.storyboard)
        return run, brief, made

    async def make_other(other: OutputRun, output: Output) -> tuple[JobRun, Brief, Video]:
        words = await find_words_of(other, brief, output, storyboard, translator)
        shown = await asyncio.shield(main)
        own = brief_of(brief, output)
        return other, own, await make(other, own, storyboard_of(shown, brief, own, words))

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(make_main(), name=f"video {brief.output_name}")]
        for other, output in zip(others, brief.outputs, strict=True):
            tasks.append(group.create_task(make_other(other, output), name=f"video {output.name}"))
    return [task.result() for task in tasks]


def _repainted(clip: Clip, size_px: tuple[int, int]) -> Clip:
    """A painted clip in another shape: the same picture, composed anew instead of cropped."""
    if clip.recipe is None:
        return clip
    width_px, height_px = emitted_size(*size_px)
    return replace(clip, recipe={**clip.recipe, "width_px": width_px, "height_px": height_px})


def _without_repair(scene: Scene, parts: tuple[str, ...]) -> Scene:
    """What was repaired in the main video and is another thing here has yet to show whether it is good."""
    if scene.repair is not None and PART_OF.get(scene.repair.check) in parts:
        scene = replace(scene, repair=None)
    return replace(scene, caption_chars=None)
