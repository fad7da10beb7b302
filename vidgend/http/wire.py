"""What clients send, as pydantic models, and how a request becomes a brief. Unknown fields are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from vidgend.errors import FeatureUnavailable, PromptEmpty
from vidgend.models import (
    TRANSITION_S,
    Brief,
    CaptionOptions,
    MusicOptions,
    PrefetchBrief,
    SceneBrief,
    Transition,
    TransitionKind,
)
from vidgend.pipeline.captions.presets import find_preset
from vidgend.pipeline.styles import find_style
from vidgend.timebase import fps_text, parse_fps

MAX_SCENES = 200
ASPECTS: dict[str, tuple[int, int]] = {"16:9": (16, 9), "9:16": (9, 16), "1:1": (1, 1), "4:5": (4, 5)}

_NO_NUL = r"^[^\x00]*$"
Query = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=_NO_NUL)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CaptionBody(_Body):
    enabled: bool = True
    preset: str | None = Field(None, max_length=40, description="How captions look; unset: as the style has it.")
    font: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_NO_NUL)] | None = Field(
        None, description="A font family that is installed where the daemon runs."
    )
    position: Literal["bottom", "middle", "top"] | None = None
    highlight: bool = True


class MusicBody(_Body):
    mood: str | None = Field(None, max_length=40)
    asset: Any = None
    none: bool = False
    volume: float = Field(1.0, ge=0, le=2)
    ducking: bool = True


class TransitionBody(_Body):
    kind: TransitionKind
    duration: float | None = Field(None, ge=0.1, le=2, description="In seconds; unset: what suits the kind.")


class SceneBody(_Body):
    narration: Annotated[str, StringConstraints(max_length=2000, pattern=_NO_NUL)]
    query: Query | None = None
    duration: float | None = Field(None, gt=0, le=600)
    clip: Any = None
    image: Any = None


class GenerateBody(_Body):
    """The body of POST /mcp/generate. `prompt` may be left out where `script` or `scenes` say everything."""

    prompt: Annotated[str, StringConstraints(max_length=10_000, pattern=_NO_NUL)] = ""
    duration_target: float | None = Field(None, ge=1, le=3600, description="Wished length in seconds.")
    style: str = Field("cinematic", max_length=40)
    voice: str | None = Field(None, max_length=100)
    callback_url: str | None = Field(None, max_length=2000, pattern=r"^https?://")
    script: Annotated[str, StringConstraints(max_length=50_000, pattern=_NO_NUL)] | None = None
    scenes: tuple[SceneBody, ...] | None = Field(None, min_length=1, max_length=MAX_SCENES)
    language: str | None = Field(None, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)
    aspect_ratio: Literal["16:9", "9:16", "1:1", "4:5"] | None = None
    resolution: Literal["1280x720", "1920x1080", "3840x2160"] | None = None
    fps: float | Annotated[str, StringConstraints(pattern=r"^\d{1,6}(\.\d{1,4}|/\d{1,6})?$")] | None = None
    captions: CaptionBody | bool = CaptionBody()
    music: MusicBody | Literal["none"] = MusicBody()
    transitions: TransitionBody | TransitionKind | None = Field(None, description="Unset: as the style has it.")
    quality: Literal["draft", "standard", "high"] = "standard"
    priority: int = Field(0, ge=-100, le=100)
    seed: int | None = Field(None, ge=0, le=2**31 - 1)
    metadata: dict[str, Any] = Field(default_factory=dict)
    narration_audio: Any = None
    review: bool = False
    outputs: Any = None

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


class PrefetchBody(_Body):
    """The body of POST /mcp/prefetch: searches to run ahead, or a prompt to take them from."""

    queries: tuple[Query, ...] | None = Field(None, min_length=1, max_length=50)
    prompt: Annotated[str, StringConstraints(min_length=1, max_length=10_000, pattern=_NO_NUL)] | None = None
    orientation: Literal["landscape", "portrait", "square"] | None = None
    per_query: int = Field(3, ge=1, le=20)

    @model_validator(mode="after")
    def _one_source(self) -> PrefetchBody:
        if (self.queries is None) == (self.prompt is None):
            raise ValueError("give queries or prompt, one of the two")
        return self


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What the settings say where a request says nothing."""

    width_px: int
    height_px: int
    fps: str
    voice: str
    music: bool = True
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


def _check_available(body: GenerateBody) -> None:
    """Fields that clients may know from the contract are told apart from misspelt ones. Raises: FeatureUnavailable."""
    wanted: dict[str, Any] = {
        "narration_audio": body.narration_audio,
        "review": body.review,
        "outputs": body.outputs,
    }
    if isinstance(body.music, MusicBody):
        wanted["music/asset"] = body.music.asset
    for number, scene in enumerate(body.scenes or ()):
        wanted |= {f"scenes/{number}/clip": scene.clip, f"scenes/{number}/image": scene.image}
    for place, value in wanted.items():
        if value:
            raise FeatureUnavailable(f"/{place} is part of the contract, but this version cannot do it yet")


def _transition(wish: TransitionBody | TransitionKind | None) -> Transition | None:
    if wish is None:
        return None
    body = TransitionBody(kind=wish, duration=None) if isinstance(wish, str) else wish
    usual_s = TRANSITION_S[body.kind]
    return Transition(kind=body.kind, duration_s=usual_s if body.duration is None or not usual_s else body.duration)


def to_brief(body: GenerateBody, defaults: Defaults) -> Brief:
    """Fill in every default. Raises: PromptEmpty, UnknownStyle, UnknownPreset, FeatureUnavailable."""
    _check_available(body)
    has_scenes = body.scenes is not None and any(scene.narration.strip() for scene in body.scenes)
    if not body.prompt.strip() and not (body.script or "").strip() and not has_scenes:
        raise PromptEmpty
    texts = [body.script or "", *(scene.narration for scene in body.scenes or ())]
    texts = [text for text in texts if text.strip()] or [body.prompt]
    if not any(char.isalnum() for text in texts for char in text):
        raise PromptEmpty("there is no word in the text, only signs")
    captions = CaptionBody(enabled=body.captions) if isinstance(body.captions, bool) else body.captions
    music = MusicBody(none=True) if isinstance(body.music, str) else body.music
    width_px, height_px = frame_size(body.aspect_ratio, body.resolution, defaults)
    return Brief(
        prompt=body.prompt,
        script=body.script if body.script and body.script.strip() else None,
        scenes=tuple(
            SceneBrief(narration=scene.narration, query=scene.query, duration_s=scene.duration)
            for scene in body.scenes or ()
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
        captions=CaptionOptions(
            enabled=captions.enabled,
            preset=find_preset(captions.preset).name if captions.preset is not None else None,
            font=captions.font,
            highlight=captions.highlight,
            position=captions.position,
        ),
        music=MusicOptions(
            enabled=defaults.music and not music.none, mood=music.mood, volume=music.volume, ducking=music.ducking
        ),
        transitions=_transition(body.transitions),
        seed=body.seed if body.seed is not None else 0,
    )


def to_prefetch(body: PrefetchBody, queries: tuple[str, ...], defaults: Defaults) -> PrefetchBrief:
    aspect = {"portrait": "9:16", "square": "1:1", "landscape": "16:9", None: None}[body.orientation]
    width_px, height_px = frame_size(aspect, None, defaults)
    return PrefetchBrief(queries=queries, per_query=body.per_query, width_px=width_px, height_px=height_px)
