"""A scene of a storyboard: what is said and shown in it, what else there was to choose from, and when."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Literal

from pydantic import Field

from vidgend.http.views.base import Url, View
from vidgend.http.views.credits import CreditView, credit_view
from vidgend.models import Candidate, Clip, MediaKind, RankedClip, Scene, Word, WordSource
from vidgend.pipeline.timeline import speech_start_sample
from vidgend.timebase import SAMPLE_RATE_HZ, frames_to_s


class ClipView(View):
    """What a scene shows."""

    provider: str = Field(description="Where it is from.")
    id: str = Field(description="Its id there.")
    kind: MediaKind = Field(description="What it is.")
    description: str = Field(description="What is to be seen.")
    query: str = Field(description="The search that found it.")
    credit: CreditView = Field(description="Who made it.")
    width: int | None = Field(description="Pixels.")
    height: int | None = Field(description="Pixels.")
    duration: float | None = Field(description="Seconds; null for a photo.")
    in_point: float | None = Field(
        description="Where the scene begins in it, in seconds; null: the best part of it is looked for."
    )
    sha256: str | None = Field(description="SHA-256 of the file, hexadecimal; null for a painting.")
    thumbnail_url: Url | None = Field(description="A small JPEG of it, if there is one.")


class ChoiceView(View):
    """A picture that a scene could show."""

    provider: str = Field(description="Where it is from.")
    id: str = Field(description="Its id there.")
    kind: MediaKind = Field(description="What it is.")
    description: str = Field(description="What is to be seen.")
    duration: float | None = Field(description="Seconds; null for a photo.")
    credit: CreditView = Field(description="Who made it.")
    thumbnail_url: Url | None = Field(description="A small JPEG of it, if there is one.")


class CandidateView(ChoiceView):
    """One of the pictures that were found for a scene."""

    chosen: bool = Field(description="Whether the scene shows it, or is to show it.")


class RankedView(View):
    """A candidate with its place among those of a scene."""

    provider: str = Field(description="Where it is from.")
    id: str = Field(description="Its id there.")
    description: str = Field(description="What is to be seen.")
    query: str = Field(description="The search that found it.")
    fit: float = Field(description="How well its words fit, 0..1.")
    score: float = Field(description="What it was ranked by.")
    parts: dict[str, float] = Field(description="What the score is made of, biggest first.")


class WordView(View):
    word: str = Field(description="As written.")
    start: float = Field(description="Seconds.")
    end: float = Field(description="Seconds.")
    confidence: float = Field(description="How sure the time is, 0..1.")


class SpeechView(View):
    engine: str = Field(description="What made the speech.")
    voice: str = Field(description="Whose voice it is.")


class SceneView(View):
    id: str = Field(description="Names the scene in every version, whatever its place.")
    index: int = Field(description="Its place, from 1.")
    narration: str = Field(description="What is said, with its markup.")
    queries: list[str] = Field(description="The searches for its picture, best first.")
    clip: ClipView | None = Field(description="What it shows; null before that is fetched.")
    choice: ChoiceView | None = Field(description="What somebody chose for it and is not fetched yet.")
    candidates: list[CandidateView] = Field(description="What was found for it.")
    why: str = Field(description="Why it shows what it shows.")
    ranking: list[RankedView] = Field(description="What was chosen by the words and what came next.")
    words: list[WordView] = Field(description="What is said, in time.")
    words_source: WordSource | None = Field(description="Where the times of the words come from.")
    words_from: Literal["speech", "video"] = Field(
        description="Whether the words count from the start of the scene's speech or of the video."
    )
    speech: SpeechView | None = Field(description="Who speaks; null before it is spoken.")
    start: float | None = Field(description="When it begins in the video, in seconds.")
    duration: float | None = Field(description="Seconds.")
    frames: int | None = Field(description="Its exact length in frames.")


Seen = Mapping[tuple[str, str], str | None]
"""The URL of the thumbnail of a picture, by provider and id."""


def scene_view(scene: Scene, fps: Fraction, thumbnails: Mapping[str, str]) -> SceneView:
    """Words count from the start of the video once the scene's place in it is known, until then from their speech.
    `thumbnails`: digest -> URL of those that are there."""
    seen = {(one.provider, one.id): thumbnails.get(one.digest) for one in scene.thumbnails}
    chosen = scene.choice.candidate if scene.choice else scene.clip
    start, shift_s = None, 0.0
    if scene.start_frame is not None:
        start = float(frames_to_s(scene.start_frame, fps))
        shift_s = speech_start_sample(scene.start_frame, scene.index, fps, recorded=scene.recorded) / SAMPLE_RATE_HZ
    return SceneView.model_construct(
        id=scene.id or f"s{scene.index + 1}",
        index=scene.index + 1,
        narration=scene.written,
        queries=list(scene.queries),
        clip=_clip(scene.clip, seen) if scene.clip else None,
        choice=_choice(chosen, seen) if isinstance(chosen, Candidate) else None,
        candidates=[_candidate(one, chosen, seen) for one in scene.candidates],
        why=scene.why,
        ranking=[_ranked(one) for one in scene.ranking],
        words=[_word(word, shift_s) for word in scene.words.words] if scene.words else [],
        words_source=scene.words.source if scene.words else None,
        words_from="speech" if start is None else "video",
        speech=SpeechView.model_construct(engine=scene.speech.engine, voice=scene.speech.voice)
        if scene.speech
        else None,
        start=round(start, 3) if start is not None else None,
        duration=round(float(frames_to_s(scene.frames, fps)), 3) if scene.frames is not None else None,
        frames=scene.frames,
    )


def _clip(clip: Clip, seen: Seen) -> ClipView:
    return ClipView.model_construct(
        provider=clip.provider,
        id=clip.id,
        kind=clip.kind,
        description=clip.description,
        query=clip.query,
        credit=credit_view(clip.credit),
        width=clip.width_px or None,
        height=clip.height_px or None,
        duration=clip.duration_s,
        in_point=clip.in_point_s,
        sha256=clip.digest,
        thumbnail_url=seen.get((clip.provider, clip.id)),
    )


def _choice(one: Candidate, seen: Seen) -> ChoiceView:
    return ChoiceView.model_construct(**_found(one, seen))


def _candidate(one: Candidate, chosen: Candidate | Clip | None, seen: Seen) -> CandidateView:
    is_chosen = chosen is not None and (one.provider, one.id) == (chosen.provider, chosen.id)
    return CandidateView.model_construct(**_found(one, seen), chosen=is_chosen)


def _found(one: Candidate, seen: Seen) -> dict[str, Any]:
    """What is said of a candidate, chosen or not."""
    return {
        "provider": one.provider, "id": one.id, "kind": one.kind, "description": one.description,
        "duration": one.duration_s, "credit": credit_view(one.credit),
        "thumbnail_url": seen.get((one.provider, one.id)),
    }  # fmt: skip


def _ranked(one: RankedClip) -> RankedView:
    return RankedView.model_construct(
        provider=one.provider,
        id=one.id,
        description=one.description,
        query=one.query,
        fit=one.fit,
        score=one.score,
        parts=dict(one.parts),
    )


def _word(word: Word, shift_s: float) -> WordView:
    return WordView.model_construct(
        word=word.text,
        start=round(word.start_s + shift_s, 3),
        end=round(word.end_s + shift_s, 3),
        confidence=round(word.confidence, 3),
    )
