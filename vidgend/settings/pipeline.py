"""Settings of the pipeline: how much runs at once, who plans, films and speaks, and what a video looks like."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, SecretStr, StringConstraints, field_validator, model_validator

from vidgend.pipeline.encoders.port import Preset
from vidgend.pipeline.encoders.scales import DEFAULT_CRF
from vidgend.pipeline.footage.openverse_wire import Licence
from vidgend.setting_types import NO_NUL, AbsolutePath, ApiKey, ServiceUrl, each_once, parse_resolution
from vidgend.settings.part import Part
from vidgend.timebase import parse_fps


class Queue(Part):
    """The job queue."""

    max_concurrent_jobs: int = Field(2, ge=1, le=64, description="Jobs that run at once; the slots bound their work.")
    max_queued: int = Field(1000, ge=1, description="Jobs that may wait; more get 503.")
    job_timeout_s: float = Field(3600, gt=0, description="Seconds after which a running job is failed.")
    stall_timeout_s: float = Field(
        300,
        gt=0,
        description="Seconds without any progress after which a step is stopped and tried again; ffmpeg gets 2/5.",
    )


class Slots(Part):
    """How much of each kind of work runs at once. 0: from the machine."""

    gpu: int = Field(1, ge=0, description="Work on the GPU. 0: 1. One model at a time fits most cards' memory.")
    ffmpeg: int = Field(
        0, ge=0, description="Encodes; a voice on the CPU takes the place of one. 0: one more than half the cores."
    )
    net: int = Field(4, ge=0, description="Downloads, and as many searches beside them. 0: 4.")
    model_idle_s: float = Field(
        300, ge=0, description="Seconds without use after which a voice or recogniser leaves the memory. 0: never."
    )


class PlannerSettings(Part):
    """Who turns a prompt into scenes."""

    engine: Literal["auto", "builtin", "llm"] = Field(
        "auto", description="auto: the model if base_url and model are set, else builtin."
    )
    base_url: ServiceUrl = Field(
        "", description="An OpenAI-compatible endpoint, such as http://127.0.0.1:11434/v1 for Ollama."
    )
    model: str = Field("", description="The model's name there.")
    api_key: ApiKey = Field(SecretStr(""), description="Its key, if it wants one.")
    timeout_s: float = Field(120, gt=0, description="Seconds for a whole plan, retries included.")
    price_in_per_million: float = Field(
        0,
        ge=0,
        le=1e6,
        allow_inf_nan=False,
        description="What a million tokens that the model reads cost, in usage.currency.",
    )
    price_out_per_million: float = Field(
        0, ge=0, le=1e9, allow_inf_nan=False, description="What a million tokens that it writes cost."
    )

    @model_validator(mode="after")
    def _complete(self) -> PlannerSettings:
        if self.engine == "llm" and not (self.base_url and self.model):
            raise ValueError("engine llm needs base_url and model")
        return self


QUOTA_SPANS_S = {"minute_quota": 60.0, "hourly_quota": 3600.0, "daily_quota": 86_400.0, "monthly_quota": 31 * 86_400.0}
"""The fields with which the settings of a service bound its requests, and in what time each does."""


def quota(default: int, span: str) -> Any:
    """A field of that kind."""
    text = f"Requests in any {span}; at most half of them go at once. 0: any number."
    return Field(default, ge=0, le=999_999, description=text)


class Pexels(Part):
    """Stock footage from Pexels."""

    api_key: ApiKey = Field(SecretStr(""), description="Free from pexels.com/api. Empty: Pexels is not used.")
    base_url: ServiceUrl = Field("https://api.pexels.com", description="Another address for a proxy or a stand-in.")
    hourly_quota: int = quota(200, "hour")
    monthly_quota: int = quota(20_000, "31 days")


class Pixabay(Part):
    """Stock footage from Pixabay."""

    api_key: ApiKey = Field(SecretStr(""), description="Free from pixabay.com/api/docs. Empty: Pixabay is not used.")
    base_url: ServiceUrl = Field("https://pixabay.com/api", description="Another address for a proxy or a stand-in.")
    minute_quota: int = quota(100, "minute")


class Openverse(Part):
    """Openly licensed photos, found through Openverse without a key; used if footage.providers names it."""

    base_url: ServiceUrl = Field("https://api.openverse.org", description="Another address for a proxy or a stand-in.")
    minute_quota: int = quota(20, "minute")
    daily_quota: int = quota(200, "day")
    licences: tuple[Licence, ...] = Field(
        ("cc0", "pdm", "by"),
        min_length=1,
        description="Which licences are taken. by-sa asks that the video be shared under it as well (docs/footage.md).",
    )


class Library(Part):
    """Your own videos and photos, found by what their names, folders and captions say (docs/library.md)."""

    folders: tuple[AbsolutePath, ...] = Field(
        (), description="Folders to look in, sub-folders included. Watched; read, never changed."
    )


class Footage(Part):
    """Where pictures come from."""

    providers: tuple[Literal["library", "pexels", "pixabay", "openverse", "generated"], ...] = Field(
        ("library", "pexels", "pixabay", "generated"),
        min_length=1,
        description="In this order; a scene with no match falls through. generated paints moving backgrounds.",
    )
    relevance: Literal["auto", "bm25"] = Field(
        "auto",
        description="How it is told which clip fits. auto: by the small embedding model where it is installed, else by "
        "words (bm25).",
    )
    image_model: AbsolutePath | None = Field(
        None,
        description="A folder with a CLIP model (ONNX), by which clips are also chosen by what their preview pictures "
        "show (docs/relevance.md). Unset: by what is said of them alone.",
    )
    offline: bool = Field(
        False, description="Ask no provider: only what was fetched or prefetched before, the library and paintings."
    )
    quota_wait_s: float = Field(
        30, ge=0, le=60, description="Seconds that a search waits for its place in a quota before it falls through."
    )
    pexels: Pexels = Pexels()
    pixabay: Pixabay = Pixabay()
    openverse: Openverse = Openverse()
    library: Library = Library()

    @field_validator("providers")
    @classmethod
    def _providers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return each_once(value)

    @property
    def quotas(self) -> dict[str, dict[float, int]]:
        """By service: requests that are allowed in a window of so many seconds."""
        return {
            name: {
                length_s: limit for field, length_s in QUOTA_SPANS_S.items() if (limit := getattr(service, field, 0))
            }
            for name, service in self
            if isinstance(service, BaseModel)
        }


OneWord = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^\S+$")]
Respelling = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\S")]


class SpeechServerSettings(Part):
    """A speech server with OpenAI's /audio/speech, such as Kokoro-FastAPI."""

    base_url: ServiceUrl = Field("", description="Such as http://127.0.0.1:8880/v1. Empty: none is used.")
    model: str = Field("kokoro", description="The model's name there.")
    api_key: ApiKey = Field(SecretStr(""), description="Its key, if it wants one.")
    voices: tuple[str, ...] = Field(("af_heart",), min_length=1, description="Names of voices that it has.")
    language: str = Field("en-US", description="What its voices speak whose names do not say it (Kokoro's do).")


class SpeechSettings(Part):
    """The narrator."""

    engine: Literal["auto", "server", "kokoro", "kokoro-onnx", "piper", "espeak-ng"] = Field(
        "auto", description="auto: the best one there is (`vidgend doctor` says which and why)."
    )
    voice: str = Field("en-US-neutral", description="Default voice: a tag, or an engine's id (`vidgend voices`).")
    speed: float = Field(1.0, ge=0.5, le=2.0, description="1.0 is the voice's own pace.")
    threads: int = Field(0, ge=0, le=256, description="CPU threads of the engine. 0: all cores.")
    pronunciations: dict[OneWord, Respelling] = Field(
        default_factory=dict, max_length=10_000,
        description='How to write words so that they are said right: { nginx = "engine ex" }. Captions keep the word.',
    )  # fmt: skip
    listen: bool = Field(
        False,
        description="Have the recogniser (aligner.model) write down each sentence that was spoken, and have it spoken "
        "again if that is not what it should say.",
    )
    server: SpeechServerSettings = Field(default_factory=SpeechServerSettings)

    @model_validator(mode="after")
    def _complete(self) -> SpeechSettings:
        if self.engine == "server" and not self.server.base_url:
            raise ValueError("engine server needs server.base_url")
        return self


class AlignerSettings(Part):
    """Word times for voices that give none of their own."""

    engine: Literal["auto", "forced", "whisper", "proportional"] = Field(
        "auto",
        description="auto: the voice's own times, else for English forced alignment (pocketsphinx) if installed, else "
        "whisper if installed, else by word length. A name: the voice's own times, else that one, else by word length.",
    )
    model: str = Field("base", pattern=NO_NUL, description="faster-whisper model: a name, or a folder.")


class Render(Part):
    """The picture."""

    resolution: str = Field("1920x1080", description="Default size, also as 720p, 1080p, 4k.")
    fps: str = Field("30", description="Default frame rate, also as 29.97 or 30000/1001.")
    encoder: Literal[
        "auto", "libx264", "libx265", "libsvtav1", "h264_nvenc", "hevc_nvenc", "av1_nvenc", "h264_qsv", "hevc_qsv",
        "av1_qsv", "h264_vaapi", "hevc_vaapi", "av1_vaapi", "h264_videotoolbox", "hevc_videotoolbox",
    ] = Field(
        "libx264",
        description="Video encoder. auto: H.264 on hardware that works, else libx264. Where hardware fails, software "
        "takes over.",
    )  # fmt: skip
    preset: Preset = Field(
        "auto", description="Speed against size, in x264's words for every encoder. auto: measured for each."
    )
    crf: int = Field(
        DEFAULT_CRF, ge=0, le=40, description="Quality on x264's scale for every encoder; lower is better and larger."
    )
    ffmpeg: str = Field("", pattern=NO_NUL, description="Path of ffmpeg. Empty: from the PATH, else the packaged one.")

    @field_validator("resolution")
    @classmethod
    def _resolution(cls, value: str) -> str:
        width, height = parse_resolution(value)
        return f"{width}x{height}"

    @field_validator("fps", mode="before")
    @classmethod
    def _fps(cls, value: Any) -> str:
        parse_fps(value)
        return str(value)


class Music(Part):
    """The music under the narration."""

    enabled: bool = Field(True, description="Whether videos have music unless the request says otherwise.")
    folder: AbsolutePath | None = Field(
        None, description="Your own tracks; sub-folder names are moods. Unset: the free ones."
    )


class Captions(Part):
    """The text in the picture."""

    font: str = Field("", description="Font family of captions. Empty: Inter, which comes with vidgend.")
    fonts_folder: AbsolutePath | None = Field(
        None, description="Your own font files (.ttf, .otf, .ttc); requests name them by family. Unset: none."
    )


class Credits(Part):
    """Who made the clips and songs of a video. The result and its credits.json always say so."""

    card: bool = Field(
        False, description="A closing card of 3 to 8 s with their names, for requests that do not say credits_card."
    )
    description: bool = Field(
        True, description="A text to put under the video where it is published: title, chapters, credits."
    )


class UsageSettings(Part):
    """What language models may cost; `vidgend usage` tells what they have."""

    currency: str = Field(
        "USD", min_length=1, max_length=8, pattern=r"^\S+$", description="Of the prices in [planner]; only a label."
    )
    monthly_cap: float = Field(
        0,
        ge=0,
        allow_inf_nan=False,
        description="When a calendar month (UTC) has cost this much, the model is not asked any more. 0: no cap.",
    )
