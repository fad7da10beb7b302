"""What clients send, as pydantic models, and how a request becomes a brief. Unknown fields are refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, field_validator, model_validator

from vidgend.errors import PromptEmpty
from vidgend.http.fields import (
    LETTER,
    MAX_SCENES,
    AssetId,
    Body,
    CallbackUrl,
    Flag,
    FontName,
    Fps,
    Language,
    Mood,
    Narration,
    PerQuery,
    PresetName,
    Priority,
    Query,
    Real,
    Seed,
    StyleName,
    VoiceName,
    given,
    not_both,
    unset,
)  # fmt: skip
from vidgend.models import (
    TRANSITION_S,
    Brief,
    CaptionOptions,
    Clip,
    MusicOptions,
    PrefetchBrief,
    SceneBrief,
    Transition,
    TransitionKind,
    VoiceOver,
)
from vidgend.pipeline.captions.presets import find_preset
from vidgend.pipeline.speech.markup import plain
from vidgend.pipeline.styles import find_style
from vidgend.pipeline.vocabulary import has_words
from vidgend.setting_types import NO_NUL
from vidgend.timebase import fps_text, parse_fps

ASPECTS: dict[str, tuple[int, int]] = {"16:9": (16, 9), "9:16": (9, 16), "1:1": (1, 1), "4:5": (4, 5)}

Aspect = Literal["16:9", "9:16", "1:1", "4:5"]
Resolution = Literal["1280x720", "1920x1080", "3840x2160"]


class AssetBody(Body):
    """An uploaded file. Its bare id says the same."""

    asset: AssetId


class ClipBody(AssetBody):
    """An uploaded video, and the second of it where the scene begins; unset: its best part is looked for."""

    in_point: Real | None = Field(None, ge=0, le=86_400)


class VoiceOverBody(AssetBody):
    """An uploaded recording, or video with sound, of somebody who speaks."""

    keep_background: Flag = Field(False, description="Take nothing of it away as noise.")


def _from_bare_id(value: Any) -> Any:
    return {"asset": value} if isinstance(value, str) else value


def _bare(body: type[AssetBody]) -> BeforeValidator:
    return BeforeValidator(_from_bare_id, json_schema_input_type=body | AssetId | None)


class CaptionBody(Body):
    enabled: Flag = True
    preset: PresetName | None = Field(None, description="How captions look; unset: as the style has it.")
    font: FontName | None = Field(None, description="A font family that is installed where the daemon runs.")
    position: Literal["bottom", "middle", "top"] | None = None
    highlight: Flag = True


class MusicBody(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [unset("asset"), {"properties": {"mood": {"type": "null"}, "none": {"const": False}}}]
        }
    )

    mood: Mood | None = None
    asset: AssetId | None = Field(None, description="Your own music: the asset_id of an upload.")
    none: Flag = False
    volume: Real = Field(1.0, ge=0, le=2)
    ducking: Flag = True

    @model_validator(mode="after")
    def _one_source(self) -> MusicBody:
        if self.asset is not None and (self.mood is not None or self.none):
            raise ValueError("give asset or mood or none, one of them")
        return self


class TransitionBody(Body):
    kind: TransitionKind
    duration: Real | None = Field(None, ge=0.1, le=2, description="In seconds; unset: what suits the kind.")


class SceneBody(Body):
    model_config = ConfigDict(json_schema_extra=not_both("clip", "image"))

    narration: Narration
    query: Query | None = None
    duration: Real | None = Field(None, gt=0, le=600)
    clip: Annotated[ClipBody | None, _bare(ClipBody)] = Field(None, description="Your own video.")
    image: Annotated[AssetBody | None, _bare(AssetBody)] = Field(None, description="Your own photo.")

    @model_validator(mode="after")
    def _one_picture(self) -> SceneBody:
        if self.clip is not None and self.image is not None:
            raise ValueError("give clip or image, not both")
        return self


class OutputBody(Body):
    """One of several videos of the request, and what is different in it."""

    name: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$", description="Unset: what differs.")
    aspect_ratio: Aspect | None = None
    resolution: Resolution | None = None
    language: Language | None = None
    voice: VoiceName | None = None
    narrations: tuple[Narration, ...] | None = Field(
        None, min_length=1, max_length=MAX_SCENES, description="What is said in it, scene by scene."
    )


class GenerateBody(Body):
    """The body of POST /mcp/generate. `prompt` may be left out where `script`, `scenes` or `narration_audio` say
    everything."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                given("prompt", "scenes", type="string", pattern=LETTER),
                given("script", "scenes", type="string", pattern=LETTER),
                given("scenes", "script", type="array"),
                given("narration_audio", "scenes", type=["string", "object"]),
            ],
            "examples": [
                {"prompt": "A beautiful sunset over the ocean", "duration_target": 16, "style": "cinematic"},
                {"scenes": [{"narration": "The sea at dawn.", "query": "sea"}], "quality": "draft", "music": "none"},
            ],
        }
    )

    prompt: Annotated[str, StringConstraints(max_length=10_000, pattern=NO_NUL)] = ""
    duration_target: Real | None = Field(None, ge=1, le=3600, description="Wished length in seconds.")
    style: StyleName = "cinematic"
    voice: VoiceName | None = None
    callback_url: CallbackUrl | None = None
    script: Annotated[str, StringConstraints(max_length=50_000, pattern=NO_NUL)] | None = None
    scenes: tuple[SceneBody, ...] | None = Field(None, min_length=1, max_length=MAX_SCENES)
    language: Language | None = None
    aspect_ratio: Aspect | None = None
    resolution: Resolution | None = None
    fps: Fps | None = None
    captions: CaptionBody | Flag = CaptionBody()
    music: MusicBody | Literal["none"] = MusicBody()
    transitions: TransitionBody | TransitionKind | None = Field(None, description="Unset: as the style has it.")
    quality: Literal["draft", "standard", "high"] = "standard"
    priority: Priority = 0
    seed: Seed | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    narration_audio: Annotated[VoiceOverBody | None, _bare(VoiceOverBody)] = Field(
        None, description="Your own voice-over: it is heard instead of a voice, and decides how long the video is."
    )
    review: Flag = Field(False, description="Stop when the storyboard is complete, until it is approved.")
    credits_card: Flag | None = Field(
        None, description="A card at the end with the authors of clips and music; unset: as the settings say."
    )
    outputs: tuple[OutputBody, ...] | None = Field(
        None, min_length=1, max_length=8, description="The videos to make, the main one first."
    )

    @field_validator("fps")
    @classmethod
    def _fps(cls, value: float | str | None) -> str | None:
        if value is None:
            return None
        text = str(value)
        return fps_text(parse_fps(text[:-2] if text.endswith(".0") else text))

    @field_validator("metadata")
    @classmethod
    def _metadata(cls, value: dict[str, Any]) -> dict[str, Any]:
        if len(repr(value)) > 10_000:
            raise ValueError("metadata is larger than 10 000 characters")
        return value

    @model_validator(mode="after")
    def _one_source(self) -> GenerateBody:
        if self.script is not None and self.scenes is not None:
            raise ValueError("give script or scenes, not both")
        return self


class PrefetchBody(Body):
    """The body of POST /mcp/prefetch: what to fetch ahead, as one of `queries`, `prompt`, `video` and `storyboard`.

    `prompt` stands for a `video` with that prompt and nothing else. What is fetched for a video is found by the same
    request to /mcp/generate.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                given("queries", "prompt", "video", "storyboard", type="array"),
                given("prompt", "queries", "video", "storyboard", type="string", pattern=LETTER),
                given("video", "queries", "prompt", "storyboard", "orientation", type="object"),
                given("storyboard", "queries", "prompt", "video", "orientation", type="string"),
            ],
            "examples": [{"queries": ["sea", "forest"]}, {"prompt": "A walk through the forest"}],
        }
    )

    queries: tuple[Query, ...] | None = Field(None, min_length=1, max_length=50)
    prompt: Annotated[str, StringConstraints(min_length=1, max_length=10_000, pattern=NO_NUL)] | None = None
    video: GenerateBody | None = Field(None, description="A request as for /mcp/generate.")
    storyboard: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,64}$", description="A job that has one.")
    orientation: Literal["landscape", "portrait", "square"] | None = None
    per_query: PerQuery | None = Field(
        None, description="Clips for each query, or each scene. Unset: 3 for a query, 1 for a scene."
    )

    @model_validator(mode="after")
    def _one_source(self) -> PrefetchBody:
        sources = (self.queries, self.prompt, self.video, self.storyboard)
        if sum(source is not None for source in sources) != 1:
            raise ValueError("give queries, prompt, video or storyboard, one of them")
        if self.orientation is not None and self.queries is None and self.prompt is None:
            raise ValueError("orientation goes with queries or a prompt; a video says its aspect_ratio")
        return self


PER_QUERY, PER_SCENE = 3, 1
"""How many clips are fetched ahead unless the request says."""


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What the settings say where a request says nothing."""

    width_px: int
    height_px: int
    fps: str
    voice: str
    music: bool = True
    credits_card: bool = False
    duration_s: float = 60.0


def frame_size(aspect: str | None, resolution: str | None, defaults: Defaults) -> tuple[int, int]:
    """(width, height) in pixels: the resolution names the long side for 16:9 and 9:16, the short side else."""
    width, height = (int(side) for side in resolution.split("x")) if resolution else (
        defaults.width_px, defaults.height_px,
    )  # fmt: skip
    if aspect is None:
        return width, height
    across, down = ASPECTS[aspect]
    short = min(width, height)
    size = (short * across / down, float(short)) if across >= down else (float(short), short * down / across)
    return round(size[0] / 2) * 2, round(size[1] / 2) * 2


def transition_of(wish: TransitionBody | TransitionKind | None) -> Transition | None:
    if wish is None:
        return None
    body = TransitionBody(kind=wish, duration=None) if isinstance(wish, str) else wish
    usual_s = TRANSITION_S[body.kind]
    return Transition(kind=body.kind, duration_s=usual_s if body.duration is None or not usual_s else body.duration)


def captions_of(body: CaptionBody) -> CaptionOptions:
    """Raises: UnknownPreset."""
    return CaptionOptions(
        enabled=body.enabled,
        preset=find_preset(body.preset).name if body.preset is not None else None,
        font=body.font,
        highlight=body.highlight,
        position=body.position,
    )


def to_brief(
    body: GenerateBody,
    defaults: Defaults,
    clips: Mapping[int, Clip] | None = None,
    music_title: str | None = None,
    voice_over: VoiceOver | None = None,
) -> Brief:
    """Fill in every default. `clips` are the uploads that the request's scenes name, by the number of the scene from 0
    on; `music_title` is what its own music is called, `voice_over` the recording that it names. With `outputs` it is
    the brief of the first, see outputs.py.

    Raises: PromptEmpty, UnknownStyle, UnknownPreset, InvalidFields.
    """
    # They bring the planner and the voices along, which a client need not wait for.
    from vidgend.http.outputs import with_outputs
    from vidgend.pipeline.text_language import given_language

    if body.outputs:
        return with_outputs(body, lambda one: to_brief(one, defaults, clips, music_title, voice_over))
    has_scenes = body.scenes is not None and any(scene.narration.strip() for scene in body.scenes)
    speaks = body.narration_audio is not None
    if not body.prompt.strip() and not (body.script or "").strip() and not has_scenes and not speaks:
        raise PromptEmpty("/scenes/0/narration: no scene has any words" if body.scenes else "")
    texts = [body.script or "", *(scene.narration for scene in body.scenes or ())]
    own = any(text.strip() for text in texts)
    texts = [text for text in texts if text.strip()] or [body.prompt]
    if (own or not speaks) and not any(has_words(plain(text)) for text in texts):
        raise PromptEmpty("there is no word in the text, only signs")
    captions = CaptionBody(enabled=body.captions) if isinstance(body.captions, bool) else body.captions
    music = MusicBody(none=True) if isinstance(body.music, str) else body.music
    width_px, height_px = frame_size(body.aspect_ratio, body.resolution, defaults)
    brief = Brief(
        prompt=body.prompt,
        script=body.script if body.script and body.script.strip() else None,
        scenes=tuple(
            SceneBrief(
                narration=scene.narration, query=scene.query, duration_s=scene.duration, clip=(clips or {}).get(number)
            )
            for number, scene in enumerate(body.scenes or ())
        ),
        duration_s=body.duration_target or defaults.duration_s,
        duration_given=body.duration_target is not None,
        style=find_style(body.style).name,
        voice=body.voice or defaults.voice,
        language=body.language,
        width_px=width_px,
        height_px=height_px,
        fps=body.fps if isinstance(body.fps, str) else defaults.fps,
        quality=body.quality,
        captions=captions_of(captions),
        music=MusicOptions(
            enabled=(defaults.music or music.asset is not None) and not music.none,
            mood=music.mood,
            asset=music.asset,
            title=music_title,
            volume=music.volume,
            ducking=music.ducking,
        ),
        transitions=transition_of(body.transitions),
        seed=body.seed if body.seed is not None else 0,
        review=body.review,
        narration_audio=voice_over,
        credits_card=defaults.credits_card if body.credits_card is None else body.credits_card,
    )
    if speaks and not own:
        return brief  # what language is spoken, the recording tells
    return replace(brief, language=given_language(brief, voice_given=body.voice is not None))


def to_prefetch(body: PrefetchBody, defaults: Defaults) -> PrefetchBrief:
    """Of a body with queries."""
    width_px, height_px = frame_size(aspect_of(body), None, defaults)
    per_query = body.per_query or PER_QUERY
    return PrefetchBrief(queries=body.queries or (), per_query=per_query, width_px=width_px, height_px=height_px)


def aspect_of(body: PrefetchBody) -> Aspect | None:
    aspects: dict[str, Aspect] = {"portrait": "9:16", "square": "1:1", "landscape": "16:9"}
    return aspects[body.orientation] if body.orientation is not None else None
