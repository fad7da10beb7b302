"""Scene -> shot: its clip, its captions as they are drawn, its place between two transitions. Nothing is encoded."""

from __future__ import annotations

import asyncio

from vidgend.models import Brief, Caption, Scene
from vidgend.pipeline.captions.fonts import FontCatalog, as_args
from vidgend.pipeline.shot_picture import ShotPicture
from vidgend.pipeline.timeline import Shot
from vidgend.pipeline.video_text import burnt_captions


async def lay_out(
    brief: Brief, scene: Scene, captions: tuple[Caption, ...], *, language: str, shot: Shot, fonts: FontCatalog
) -> tuple[ShotPicture, frozenset[str]]:
    """What a step needs to draw a scene that has its clip, and the characters that no font can draw.

    `captions` are the scene's, in its own time; `language` is the storyboard's. Raises: UnknownFont.
    """
    assert scene.clip is not None
    burnt = await asyncio.to_thread(burnt_captions, brief, captions, language=brief.language or language, fonts=fonts)
    picture = ShotPicture(
        index=scene.index,
        motion=scene.index if scene.motion is None else scene.motion,
        clip=scene.clip,
        shot=shot,
        ass=burnt.ass,
        fonts=as_args(burnt.faces),
        fit=burnt.fit,
    )
    return picture, burnt.undrawn
