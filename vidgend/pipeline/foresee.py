"""Which segments of a storyboard are there already, before anything is made of it.

It builds the same steps as `produce.py` and looks whether they are done. A scene that has yet to be spoken, or to find
its clip, cannot be there; neither can the transitions beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal

from vidgend.models import Brief, Scene, Storyboard
from vidgend.pipeline.captions.fonts import FontCatalog
from vidgend.pipeline.credits import credits_of
from vidgend.pipeline.credits_to_card import card_spec, lay_out_card
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.scene_lengths import SceneLengths
from vidgend.pipeline.scene_to_segment import KeyOf, RenderSettings, segment_spec
from vidgend.pipeline.scene_to_shot import lay_out
from vidgend.pipeline.scenes_to_transition import transition_spec
from vidgend.pipeline.shot_picture import ShotPicture
from vidgend.pipeline.video_text import scene_captions

IsDone = Callable[[str], Awaitable[bool]]
"""Whether the step with that key is done and all that it gave is there."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The body of scene number `scene`, or the transition after it; or the closing card, after the last scene."""

    kind: Literal["scene", "transition", "card"]
    scene: int


@dataclass(frozen=True, kw_only=True)
class Reuse:
    """The segments of a video: those that are there, and those that are to be made."""

    reused: tuple[Piece, ...]
    rebuilt: tuple[Piece, ...]


class _NotKnown(Exception):
    """It depends on speech that has yet to be made."""


async def foresee(
    brief: Brief,
    storyboard: Storyboard,
    *,
    key_of: KeyOf,
    is_done: IsDone,
    settings: RenderSettings,
    ffmpeg: Ffmpeg,
    fonts: FontCatalog,
) -> Reuse:
    """Raises: UnknownFont."""
    spoken = [asyncio.get_running_loop().create_future() for _ in storyboard.scenes]
    for future, scene in zip(spoken, storyboard.scenes, strict=True):
        if scene.speech is not None or not scene.narration.strip():
            future.set_result(scene.speech.samples if scene.speech else 0)
        else:
            future.set_exception(_NotKnown())
            future.exception()  # looked at: nobody has to wait for it
    lengths = SceneLengths(brief, storyboard, spoken)
    shots = [await _shot(brief, storyboard, scene, lengths, fonts) for scene in storyboard.scenes]
    found: dict[Piece, bool] = {}
    for index, shot in enumerate(shots):
        done = False
        if shot is not None:
            spec = segment_spec(key_of, brief, shot, settings=settings, ffmpeg=ffmpeg, count=len(shots))
            done = await is_done(spec.key)
        found[Piece(kind="scene", scene=index + 1)] = done
        following = shots[index + 1] if index + 1 < len(shots) else None
        if index + 1 == len(shots) or lengths.wish.kind == "cut" or (shot is not None and not shot.shot.tail):
            continue
        done = False
        if shot is not None and following is not None:
            kind = lengths.wish.kind
            between = transition_spec(key_of, brief, shot, following, kind=kind, settings=settings, ffmpeg=ffmpeg)
            done = await is_done(between.key)
        found[Piece(kind="transition", scene=index + 1)] = done
    if brief.credits_card:
        found[Piece(kind="card", scene=len(shots))] = await _card_is_done(
            brief, storyboard, key_of=key_of, is_done=is_done, settings=settings, ffmpeg=ffmpeg, fonts=fonts
        )
    return Reuse(
        reused=tuple(piece for piece, done in found.items() if done),
        rebuilt=tuple(piece for piece, done in found.items() if not done),
    )


async def _card_is_done(
    brief: Brief,
    storyboard: Storyboard,
    *,
    key_of: KeyOf,
    is_done: IsDone,
    settings: RenderSettings,
    ffmpeg: Ffmpeg,
    fonts: FontCatalog,
) -> bool:
    """As far as clips and songs are known; a video that gets longer may get another song besides."""
    scenes = storyboard.scenes
    if storyboard.songs is None or any(scene.clip is None for scene in scenes):
        return False
    shown, _ = await lay_out_card(
        brief, credits_of(brief, scenes, storyboard.songs), language=storyboard.language, scenes=len(scenes),
        fonts=fonts,
    )  # fmt: skip
    return await is_done(card_spec(key_of, brief, shown, settings=settings, ffmpeg=ffmpeg).key)


async def _shot(
    brief: Brief, storyboard: Storyboard, scene: Scene, lengths: SceneLengths, fonts: FontCatalog
) -> ShotPicture | None:
    if scene.clip is None or (scene.speech is not None and scene.words is None):
        return None
    try:
        scene = replace(scene, frames=await lengths.frames(scene.index))
        shot = await lengths.shot(scene.index)
    except _NotKnown:
        return None
    captions = await asyncio.to_thread(scene_captions, brief, scene)
    picture, _ = await lay_out(brief, scene, captions, language=storyboard.language, shot=shot, fonts=fonts)
    return picture
