"""`outputs` of a request: several videos of one plan. Each starts from the request; the first is the main video."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vidgend.errors import FeatureUnavailable
from vidgend.http.problems import InvalidFields
from vidgend.models import Brief, Output
from vidgend.pipeline.planner.builtin import reads_out
from vidgend.pipeline.speech.markup import plain
from vidgend.pipeline.speech.voices import primary, voice_in
from vidgend.pipeline.storyboard_to_outputs import another_language
from vidgend.pipeline.text_language import brief_language, script_language

if TYPE_CHECKING:
    from vidgend.http.wire import GenerateBody, OutputBody

_SHAPES = {"16x9": 16 / 9, "9x16": 9 / 16, "1x1": 1.0, "4x5": 4 / 5}
_NO_MODEL = "Set planner.base_url and planner.model, or give `narrations` (together with `scenes`)."


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """One entry of `outputs`, as a request of its own. `texts` are what is said, () if the request's words are."""

    brief: Brief
    language: str
    texts: tuple[str, ...]


def with_outputs(body: GenerateBody, to_brief: Callable[[GenerateBody], Brief]) -> Brief:
    """The brief of the first output, with the others in it. `to_brief` makes one of a body without outputs.

    Raises: InvalidFields, and what `to_brief` raises.
    """
    outputs = body.outputs or ()
    _check(body, outputs)
    alone = body.model_copy(update={"outputs": None})
    source = brief_language(to_brief(alone))
    known: dict[str, tuple[str, ...]] = {}
    """By language: what is said in it, so that it has to be given but once."""
    if body.scenes:
        known[primary(source)] = tuple(scene.narration for scene in body.scenes)
    for output in outputs:
        if output.narrations:
            known.setdefault(primary(output.language or source), output.narrations)
    wishes = [_wish(alone, output, source, known, to_brief) for output in outputs]
    names = _names([output.name for output in outputs], wishes)
    main = wishes[0]
    brief = main.brief
    if main.texts:
        scenes = zip(brief.scenes, main.texts, strict=True)
        brief = replace(brief, scenes=tuple(replace(scene, narration=text) for scene, text in scenes))
    others = tuple(_output(wish, main, name) for wish, name in zip(wishes[1:], names[1:], strict=True))
    return replace(brief, output_name=names[0], outputs=others)


def _check(body: GenerateBody, outputs: Sequence[OutputBody]) -> None:
    errors: list[dict[str, str]] = []
    taken: set[str] = set()
    for number, output in enumerate(outputs):
        if output.name is not None and output.name.casefold() in taken:
            errors.append({"pointer": f"/outputs/{number}/name", "detail": "another output has this name"})
        taken.add((output.name or "").casefold())
        if output.narrations is None:
            continue
        pointer = f"/outputs/{number}/narrations"
        scenes = body.scenes or ()
        if not scenes:
            errors.append({"pointer": pointer, "detail": "needs `scenes`, one text for each of them"})
        elif len(output.narrations) != len(scenes):
            detail = f"has {len(output.narrations)} texts for {len(scenes)} scenes"
            errors.append({"pointer": pointer, "detail": detail})
        else:
            errors += [
                {"pointer": f"{pointer}/{at}", "detail": f"is empty, but scene {at + 1} says something"}
                for at, (text, scene) in enumerate(zip(output.narrations, scenes, strict=True))
                if plain(scene.narration).strip() and not plain(text).strip()
            ]
    if errors:
        raise InvalidFields(errors)


def _wish(
    alone: GenerateBody,
    output: OutputBody,
    source: str,
    known: dict[str, tuple[str, ...]],
    to_brief: Callable[[GenerateBody], Brief],
) -> _Wish:
    names = ("aspect_ratio", "resolution", "language", "voice")
    changes: dict[str, Any] = {name: value for name in names if (value := getattr(output, name)) is not None}
    brief = to_brief(alone.model_copy(update=changes))
    if output.language is not None and output.voice is None and primary(output.language) != primary(source):
        brief = replace(brief, voice=voice_in(output.language, like=brief.voice))
    language = brief.language or source
    return _Wish(brief=brief, language=language, texts=output.narrations or known.get(primary(language), ()))


def _output(wish: _Wish, main: _Wish, name: str) -> Output:
    own = wish.brief
    alike = own.language == main.brief.language and primary(wish.language) == primary(main.language)
    return Output(
        name=name,
        width_px=own.width_px,
        height_px=own.height_px,
        voice=own.voice if own.voice != main.brief.voice else None,
        language=None if alike else wish.language,
        narrations=wish.texts if wish.texts != main.texts else (),
    )


def _names(given: Sequence[str | None], wishes: Sequence[_Wish]) -> list[str]:
    """A name for each: the given one, else what it has in shape, size, language and voice that not all have."""
    traits = [
        (_shape(wish.brief), f"{wish.brief.width_px}x{wish.brief.height_px}", wish.language, wish.brief.voice)
        for wish in wishes
    ]
    differs = [len({trait[at] for trait in traits}) > 1 for at in range(4)]
    # The size says no more than the shape, and the voice no more than the language, unless some share these.
    differs[1] = differs[1] and len({trait[:2] for trait in traits}) > len({trait[0] for trait in traits})
    differs[3] = differs[3] and len({trait[2:] for trait in traits}) > len({trait[2] for trait in traits})
    taken = {name.casefold() for name in given if name is not None}
    names = []
    for name, trait in zip(given, traits, strict=True):
        if name is None:
            parts = [part for part, tells in zip(trait, differs, strict=True) if tells]
            stem = re.sub(r"[^A-Za-z0-9.-]+", "_", "-".join(parts)).strip("._-")[:32] or "main"
            choices = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
            name = next(choice for choice in choices if choice.casefold() not in taken)
            taken.add(name.casefold())
        names.append(name)
    return names


def _shape(brief: Brief) -> str:
    ratio = brief.width_px / brief.height_px
    near = [name for name, shape in _SHAPES.items() if abs(ratio / shape - 1) < 0.01]
    return near[0] if near else f"{brief.width_px}x{brief.height_px}"


async def check_languages(body: GenerateBody, brief: Brief, *, can_translate: bool) -> bool:
    """Whether the words of some output must be translated by a language model. `brief` is what `with_outputs` made of
    `body`.

    Raises: InvalidFields, FeatureUnavailable.
    """
    if not body.outputs:
        return False
    needed = False
    main = brief_language(brief)
    given = [scene.narration for scene in brief.scenes] != [scene.narration for scene in body.scenes or ()]
    # Of Latin letters nobody knows the language; then the first output says it.
    source = body.language or script_language(brief)
    if source is not None and primary(source) != primary(main) and not given:
        if await asyncio.to_thread(reads_out, brief):
            detail = f"the text of the request is in {source}: let an output in that language come first"
            raise InvalidFields([{"pointer": "/outputs/0/language", "detail": detail}])
        if not can_translate:
            raise _no_model(brief.output_name, main)
        needed = True
    for output in brief.outputs:
        if another_language(output, main) and not output.narrations:
            if not can_translate:
                raise _no_model(output.name, output.language or main)
            needed = True
    return needed


def _no_model(name: str, language: str) -> FeatureUnavailable:
    return FeatureUnavailable(
        f"output {name}: there is no language model to translate the words into {language}", hint=_NO_MODEL
    )
