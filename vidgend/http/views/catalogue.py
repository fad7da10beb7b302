"""What there is to choose from: voices and styles."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from pydantic import Field

from vidgend.http.views.base import Url, View
from vidgend.models import TransitionKind
from vidgend.pipeline.sample_texts import sample_text
from vidgend.pipeline.styles.look import Style
from vidgend.pipeline.voice_catalogue import Listed


class VoiceView(View):
    id: str = Field(description="The engine's name of the voice; goes into `voice`.")
    engine: str = Field(description="What makes its speech.")
    language: str = Field(description="What it speaks, as a language tag.")
    gender: str = Field(description="How it sounds.")
    tags: list[str] = Field(description="Other names of it that go into `voice`.")
    usable: bool = Field(description="Whether it can be used here.")
    reason: str | None = Field(description="Why it cannot.")
    get: str | None = Field(description="How to get it.")
    sample_url: Url | None = Field(None, description="A sentence in this voice, as WAV; null if none can be made.")


class VoicesView(View):
    voices: list[VoiceView] = Field(description="The voices.")
    default: str = Field(description="The voice of a request that names none.")


class StyleView(View):
    name: str = Field(description="Goes into `style`.")
    description: str = Field(description="How it looks.")
    mood: str = Field(description="The mood of its music.")
    captions: str = Field(description="The preset of its captions.")
    transition: TransitionKind = Field(description="How one scene gives way to the next.")


class StylesView(View):
    styles: list[StyleView] = Field(description="The styles.")
    default: str = Field(description="The style of a request that names none.")


def voices_view(listed: Iterable[Listed], default: str, base_url: str) -> VoicesView:
    return VoicesView.model_construct(voices=[voice_view(one, base_url) for one in listed], default=default)


def voice_view(one: Listed, base_url: str) -> VoiceView:
    """`base_url` "" leaves out where its sample is, for there is no server."""
    voice = one.voice
    view = VoiceView.model_construct(
        id=voice.id,
        engine=voice.engine,
        language=voice.language,
        gender=voice.gender,
        tags=list(voice.tags),
        usable=one.usable,
        reason=one.reason or None,
        get=one.get or None,
    )
    if not base_url:
        return view
    sampled = one.usable and sample_text(voice.language)
    return view.model_copy(update={"sample_url": f"{base_url}{sample_path(voice.id)}" if sampled else None})


def sample_path(name: str) -> str:
    """Where a daemon has the sample of a voice, by id, tag or blend."""
    return f"/mcp/voices/{quote(name, safe='')}/sample"


def styles_view(styles: Iterable[Style], default: str) -> StylesView:
    return StylesView.model_construct(
        styles=[
            StyleView.model_construct(
                name=style.name,
                description=style.description,
                mood=style.mood,
                captions=style.caption_preset,
                transition=style.transition.kind,
            )
            for style in styles
        ],
        default=default,
    )
