"""Credits -> the closing card: one more segment after the last scene, and not a scene.

    ... [ body n  ...fades to black ] [ card: from black, names, to black ]
    ... ~~~~~~~~~~ music ~~~~~~~~~~~~~~~~~~~~~~~~~~ and ends ~~~~~~~~~~~~~~

- It is no `Scene`: a storyboard, its edits, its review, subtitles, word times and the checks of scenes know nothing of
  it. It is a segment like any other (the same step function, one encode, exact frames) and is joined as the last one.
- The last scene fades to black as it does without a card, and the card fades in from black. So no body and no
  transition differs with and without it, and an edit of a scene encodes that scene, its transitions, and the card only
  if other names are on it.
- How long it is, the number of scenes alone decides: so it is known from the start, the sound need not wait for the
  clips, and a clip that is exchanged leaves the sound as it is. It comes on top of the video's own length.
- It is rendered when all clips are what they stay and the music is chosen; its step has the names in its key, so after
  a restart or an edit it is found, or made anew, like all else.
- The picture behind it is painted, dark and slow, graded as the style grades. Every output has its own, in its shape
  and its language.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from vidgend.models import Brief, Clip, Credit, MediaCredit, Segment, Substitution
from vidgend.pipeline.captions.fonts import FontCatalog, as_args, script_of
from vidgend.pipeline.card_ass import Card, card_script, undrawn_letters
from vidgend.pipeline.card_length import card_frames
from vidgend.pipeline.credit_words import ENGLISH, credit_words
from vidgend.pipeline.credits import short_names
from vidgend.pipeline.executor.port import StepSpec
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.footage.generated import emitted_size
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.scene_to_segment import CODE, KeyOf, RenderSettings, encode_spec, encoding_args
from vidgend.pipeline.shot_picture import ShotPicture
from vidgend.pipeline.timeline import Shot
from vidgend.pipeline.video_encoder import VideoEncoder
from vidgend.pipeline.video_text import frame_of
from vidgend.pipeline.video_to_description import heading
from vidgend.timebase import frames_to_s

KIND = "card"
PAINTED_SHORT_PX = 270
"""The shorter side of the painting, which is as soft as if it were out of focus. Painted at 1080p the card took three
times as long (measured)."""


async def lay_out_card(
    brief: Brief, credits: Sequence[MediaCredit], *, language: str, scenes: int, fonts: FontCatalog
) -> tuple[ShotPicture, Substitution | None]:
    """What the step needs to draw the card of a video of so many scenes, and what to tell about names that no font
    draws. Raises: UnknownFont."""
    frames = card_frames(brief, scenes)
    card = await asyncio.to_thread(_script, brief, credits, brief.language or language, frames, fonts)
    shown = ShotPicture(
        index=scenes, clip=_painting(brief), shot=Shot(frames=frames), ass=card.ass, fonts=as_args(card.faces)
    )  # fmt: skip
    return shown, _undrawn(card)


def _script(
    brief: Brief, credits: Sequence[MediaCredit], language: str, frames: int, fonts: FontCatalog
) -> Card:  # fmt: skip
    faces = fonts.preference(brief.captions.font, language)
    names = short_names(credits)
    words = credit_words(language)
    if undrawn_letters(words.both + words.footage + words.music + words.more + words.own, faces):
        words = ENGLISH
    return card_script(
        names,
        heading=heading(words, credits) if names else words.own,
        more=words.more,
        frame=frame_of(brief),
        faces=faces,
        until_s=float(frames_to_s(frames, brief.frame_rate)),
    )


def _undrawn(card: Card) -> Substitution | None:
    if not card.undrawn:
        return None
    scripts = ", ".join(sorted({script_of(char) for char in card.undrawn}))
    return Substitution(
        stage="rendering",
        wanted=f"names with {scripts} on the closing card",
        used="a card without them; the credits and the description have everything",
        reason="no installed font draws them: install the extra `fonts`, or put a font into captions.fonts_folder",
    )


def _painting(brief: Brief) -> Clip:
    width_px, height_px = brief.picture_px
    smaller = max(1.0, min(width_px, height_px) / PAINTED_SHORT_PX)
    width_px, height_px = emitted_size(round(width_px / smaller), round(height_px / smaller))
    return Clip(
        provider="generated", id=KIND, kind="generated", description="", query="", credit=Credit(provider="generated"),
        recipe={
            "theme": "abstract", "palette": "night", "variant": 0, "seed": brief.seed, "style": brief.style,
            "width_px": width_px, "height_px": height_px,
        },
    )  # fmt: skip


def card_spec(
    key_of: KeyOf, brief: Brief, shown: ShotPicture, *, settings: RenderSettings, ffmpeg: Ffmpeg
) -> StepSpec:  # fmt: skip
    """The step that encodes the card: as one of a scene that is first and last."""
    args: dict[str, Any] = {
        **shown.args(brief), "encoding": encoding_args(brief, settings), "style": brief.style, "fonts": shown.fonts,
        "fade_in": True, "fade_out": True,
    }  # fmt: skip
    timeout_s = 300.0 + shown.shot.frames * 2.0
    return encode_spec(
        key_of, KIND, args, CODE, ffmpeg, settings=settings, priority=-shown.index, timeout_s=timeout_s
    )  # fmt: skip


async def make_card(
    run: JobRun,
    brief: Brief,
    credits: Sequence[MediaCredit],
    *,
    language: str,
    scenes: int,
    fonts: FontCatalog,
    encoder: VideoEncoder,
    ffmpeg: Ffmpeg,
) -> Segment:
    """The encoded card of a video of so many scenes. It is no poster for the video. Raises: UnknownFont, FfmpegFailed,
    StepTimeout."""
    shown, undrawn = await lay_out_card(brief, credits, language=language, scenes=scenes, fonts=fonts)
    if undrawn is not None:
        await run.substitute(undrawn)

    async def render(settings: RenderSettings) -> Segment:
        spec = card_spec(run.key, brief, shown, settings=settings, ffmpeg=ffmpeg)
        output = await run.step(spec, stage="rendering")
        return Segment(digest=output["digest"], frames=output["frames"])

    return await encoder.make(render)
