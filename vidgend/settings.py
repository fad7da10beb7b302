"""The settings: one frozen tree from TOML and the environment. Every field has a default, a unit and a reason.

`vidgend.toml.example` is generated from these models (`vidgend config example`) and tested to be equal.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator, model_validator

from vidgend.pipeline.encoders.port import Preset
from vidgend.pipeline.encoders.scales import DEFAULT_CRF
from vidgend.pipeline.footage.openverse_wire import Licence
from vidgend.redaction import Redactor, password_in, secrets_of_environment
from vidgend.setting_types import NO_NUL, AbsolutePath, ApiKey, Origin, ServiceUrl, each_once
from vidgend.timebase import parse_fps

_NAMED_SIZES = {"480p": "854x480", "720p": "1280x720", "1080p": "1920x1080", "1440p": "2560x1440", "4k": "3840x2160",
                "2160p": "3840x2160"}  # fmt: skip


_EVERY_ADDRESS = ("0", "0.0.0.0", "::")
"""To listen on, not to connect to."""


def parse_resolution(text: str) -> tuple[int, int]:
    """(width, height) in pixels from `1920x1080` or `1080p`. Raises: ValueError; both must be even, 128..4096."""
    raw = _NAMED_SIZES.get(text.strip().lower(), text.strip().lower())
    width, cross, height = raw.partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise ValueError(f"not a resolution: {text!r}; write for example 1920x1080 or 1080p")
    size = int(width), int(height)
    if any(side % 2 or not 128 <= side <= 4096 for side in size):
        raise ValueError(f"resolution {text!r}: both sides must be even and between 128 and 4096 pixels")
    return size


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Http(_Part):
    """The server."""

    host: str = Field(
        "127.0.0.1",
        description="Address to listen on. Anything but loopback needs a key. Empty: no TCP, unix_socket alone.",
    )
    port: int = Field(8080, ge=0, le=65535, description="TCP port; 0 takes a free one.")
    unix_socket: AbsolutePath | None = Field(
        None, description="A unix socket to listen on as well, such as /run/vidgend/vidgend.sock. Unset: none."
    )
    unix_socket_mode: str = Field(
        "0600",
        pattern=r"^0?[0-7]{3}$",
        description="Its permissions, octal: whoever may write may call. With others among them a key is needed.",
    )
    tls_cert: AbsolutePath | None = Field(
        None, description="PEM file with the certificate and its chain: https instead of http. Unset: no TLS."
    )
    tls_key: AbsolutePath | None = Field(
        None, description="PEM file with its key. Both are read again when they change, and on SIGHUP."
    )
    public_url: str = Field(
        "", description="How clients reach this server, for the links it gives. Empty: as the request that asks did."
    )
    allowed_hosts: tuple[str, ...] = Field(
        (), description="Host names that requests may carry besides host and localhost (DNS rebinding guard)."
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = Field(
        (), description="Networks of proxies whose X-Forwarded-* headers are believed."
    )
    cors_origins: tuple[Origin, ...] = Field(
        (),
        description='Web pages of other origins that may call, such as ["https://n8n.lan"]. "*": all, which needs a '
        "key, since any page in the owner's browser can call then.",
    )
    max_connections: int = Field(
        2000,
        ge=10,
        le=100_000,
        description="Open connections; above it those that wait for a request make room. Each takes a file of the "
        "process (the limit is raised as far as the system allows) and some 10 kB.",
    )
    max_connections_per_address: int = Field(
        500,
        ge=1,
        le=100_000,
        description="Of them from one address (IPv6: one /64). Many clients of one machine, or behind one NAT, fit; "
        "trusted_proxies are not counted.",
    )
    api_key: SecretStr = Field(
        SecretStr(""),
        description="A bearer key that may do everything, for the owner `default`; also what this machine's commands "
        "send. Empty: those of `vidgend keys`, and where there are none, none is asked for, on loopback only.",
    )

    @field_validator("cors_origins")
    @classmethod
    def _cors_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "*" in value and len(value) > 1:
            raise ValueError('"*" stands alone')
        return each_once(value)

    @model_validator(mode="after")
    def _complete(self) -> Http:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together")
        if not self.host and self.unix_socket is None:
            raise ValueError("an empty host needs unix_socket")
        return self

    @property
    def scheme(self) -> str:
        return "https" if self.tls_cert is not None else "http"


class Queue(_Part):
    """The job queue."""

    max_concurrent_jobs: int = Field(2, ge=1, le=64, description="Jobs that run at once; the slots bound their work.")
    max_queued: int = Field(1000, ge=1, description="Jobs that may wait; more get 503.")
    job_timeout_s: float = Field(3600, gt=0, description="Seconds after which a running job is failed.")
    stall_timeout_s: float = Field(
        300,
        gt=0,
        description="Seconds without any progress after which a step is stopped and tried again; ffmpeg gets 2/5.",
    )


class Slots(_Part):
    """How much of each kind of work runs at once. 0: from the machine."""

    gpu: int = Field(1, ge=0, description="Work on the GPU. 0: 1. One model at a time fits most cards' memory.")
    ffmpeg: int = Field(
        0, ge=0, description="Encodes; a voice on the CPU takes the place of one. 0: one more than half the cores."
    )
    net: int = Field(4, ge=0, description="Downloads, and as many searches beside them. 0: 4.")
    model_idle_s: float = Field(
        300, ge=0, description="Seconds without use after which a voice or recogniser leaves the memory. 0: never."
    )


class PlannerSettings(_Part):
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


class Pexels(_Part):
    """Stock footage from Pexels."""

    api_key: ApiKey = Field(SecretStr(""), description="Free from pexels.com/api. Empty: Pexels is not used.")
    base_url: ServiceUrl = Field("https://api.pexels.com", description="Another address for a proxy or a stand-in.")
    hourly_quota: int = quota(200, "hour")
    monthly_quota: int = quota(20_000, "31 days")


class Pixabay(_Part):
    """Stock footage from Pixabay."""

    api_key: ApiKey = Field(SecretStr(""), description="Free from pixabay.com/api/docs. Empty: Pixabay is not used.")
    base_url: ServiceUrl = Field("https://pixabay.com/api", description="Another address for a proxy or a stand-in.")
    minute_quota: int = quota(100, "minute")


class Openverse(_Part):
    """Openly licensed photos, found through Openverse without a key; used if footage.providers names it."""

    base_url: ServiceUrl = Field("https://api.openverse.org", description="Another address for a proxy or a stand-in.")
    minute_quota: int = quota(20, "minute")
    daily_quota: int = quota(200, "day")
    licences: tuple[Licence, ...] = Field(
        ("cc0", "pdm", "by"),
        min_length=1,
        description="Which licences are taken. by-sa asks that the video be shared under it as well (docs/footage.md).",
    )


class Library(_Part):
    """Your own videos and photos, found by what their names, folders and captions say (docs/library.md)."""

    folders: tuple[AbsolutePath, ...] = Field(
        (), description="Folders to look in, sub-folders included. Watched; read, never changed."
    )


class Footage(_Part):
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


class SpeechServerSettings(_Part):
    """A speech server with OpenAI's /audio/speech, such as Kokoro-FastAPI."""

    base_url: ServiceUrl = Field("", description="Such as http://127.0.0.1:8880/v1. Empty: none is used.")
    model: str = Field("kokoro", description="The model's name there.")
    api_key: ApiKey = Field(SecretStr(""), description="Its key, if it wants one.")
    voices: tuple[str, ...] = Field(("af_heart",), min_length=1, description="Names of voices that it has.")
    language: str = Field("en-US", description="What its voices speak whose names do not say it (Kokoro's do).")


class SpeechSettings(_Part):
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


class AlignerSettings(_Part):
    """Word times for voices that give none of their own."""

    engine: Literal["auto", "forced", "whisper", "proportional"] = Field(
        "auto",
        description="auto: the voice's own times, else for English forced alignment (pocketsphinx) if installed, else "
        "whisper if installed, else by word length. A name: the voice's own times, else that one, else by word length.",
    )
    model: str = Field("base", pattern=NO_NUL, description="faster-whisper model: a name, or a folder.")


class Render(_Part):
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


class Music(_Part):
    """The music under the narration."""

    enabled: bool = Field(True, description="Whether videos have music unless the request says otherwise.")
    folder: AbsolutePath | None = Field(
        None, description="Your own tracks; sub-folder names are moods. Unset: the free ones."
    )


class Captions(_Part):
    """The text in the picture."""

    font: str = Field("", description="Font family of captions. Empty: Inter, which comes with vidgend.")
    fonts_folder: AbsolutePath | None = Field(
        None, description="Your own font files (.ttf, .otf, .ttc); requests name them by family. Unset: none."
    )


class Credits(_Part):
    """Who made the clips and songs of a video. The result and its credits.json always say so."""

    card: bool = Field(
        False, description="A closing card of 3 to 8 s with their names, for requests that do not say credits_card."
    )
    description: bool = Field(
        True, description="A text to put under the video where it is published: title, chapters, credits."
    )


class Store(_Part):
    """The database and the disk it lies on."""

    min_free_bytes: int = Field(
        536_870_912, ge=0, description="Bytes that stay free: below it no job is accepted or begun."
    )
    ballast_bytes: int = Field(
        67_108_864,
        ge=0,
        description="Bytes of a file that is given up when the disk is full, so that this can still be recorded.",
    )
    allow_network_filesystem: bool = Field(
        False, description="Take a data_dir on NFS, SMB or the like, where locks and syncs may be lies."
    )


class Assets(_Part):
    """Where clips, speech, segments and videos are kept."""

    url: str = Field("", description="file:///... or s3://bucket/prefix; empty: <data_dir>/assets.")
    endpoint: str = Field("", description="Address of an S3-compatible server. Empty: Amazon's own.")
    region: str = Field("us-east-1", description="The region that S3 requests are signed for.")
    access_key: str = Field("", description="S3 access key id.")
    secret_key: SecretStr = Field(SecretStr(""), description="S3 secret key.")
    presign: bool = Field(
        True, description="Whether results on S3 are linked to directly (signed, for a day) or go through vidgend."
    )
    quota_bytes: int = Field(
        0, ge=0, description="Bytes of results and uploads that may be kept; above it nothing is taken. 0: any."
    )
    max_upload_bytes: int = Field(
        2_000_000_000, ge=1, description="Bytes of the largest file that may be uploaded (POST /mcp/assets)."
    )
    fetch_timeout_s: float = Field(
        1800,
        gt=0,
        le=86_400,
        description="Seconds that taking a file from an address may last; enough for the largest at 10 Mbit/s.",
    )
    max_age_s: float = Field(0, ge=0, description="Seconds after which a finished job's files are deleted. 0: never.")
    max_bytes: int = Field(
        0, ge=0, description="Bytes of results; above it those of the oldest jobs are deleted. 0: any."
    )

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and parts.scheme not in ("file", "s3"):
            raise ValueError("give file:///path or s3://bucket/prefix")
        if parts.scheme == "file" and parts.netloc not in ("", "localhost"):
            raise ValueError("a file URL has three slashes: file:///path")
        if parts.scheme == "file" and not parts.path.startswith("/"):
            raise ValueError("a file URL has three slashes: file:///path")
        if parts.scheme == "s3" and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", parts.netloc):
            raise ValueError("an S3 URL names its bucket: s3://bucket/prefix")
        if parts.scheme == "s3" and (parts.query or parts.fragment or {".", ".."} & set(parts.path.split("/"))):
            raise ValueError("an S3 prefix is a plain path: s3://bucket/some/prefix")
        return value

    @field_validator("endpoint")
    @classmethod
    def _endpoint(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment):
            raise ValueError("give the server's address, such as http://nas.lan:9000")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _both_keys(self) -> Assets:
        if bool(self.access_key) != bool(self.secret_key.get_secret_value()):
            raise ValueError("access_key and secret_key belong together")
        return self


class Cache(_Part):
    """Finished steps, kept so that work is not done twice."""

    enabled: bool = Field(True, description="Whether jobs may use the finished steps of other jobs.")
    ttl_s: float = Field(604_800, gt=0, description="Seconds after which an unused clip or segment is deleted.")
    max_bytes: int = Field(20_000_000_000, ge=0, description="Bytes; above it the least recently used go.")


class Webhooks(_Part):
    """Calls to a job's callback_url."""

    enabled: bool = Field(True, description="Whether callback_url is accepted.")
    secret: SecretStr = Field(
        SecretStr(""), description="whsec_... to sign with (Standard Webhooks). Empty: made once, kept in data_dir."
    )


_Networks = tuple[IPv4Network | IPv6Network, ...]


class Egress(_Part):
    """Which private networks may be reached by addresses that come from outside; by default none. Metadata and
    link-local addresses stay closed whatever is allowed. What these settings name themselves (a planner's base_url)
    may be anywhere."""

    allow_networks: _Networks = Field((), description='For all of the purposes below; such as ["192.168.1.0/24"].')
    webhook_networks: _Networks = Field((), description="For callback_url.")
    media_networks: _Networks = Field((), description="For files that are taken from an address (POST /mcp/assets).")
    provider_networks: _Networks = Field((), description="For the links to files that footage providers give.")

    @property
    def for_webhooks(self) -> _Networks:
        return self.allow_networks + self.webhook_networks

    @property
    def for_media(self) -> _Networks:
        return self.allow_networks + self.media_networks

    @property
    def for_providers(self) -> _Networks:
        return self.allow_networks + self.provider_networks


class UsageSettings(_Part):
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


class Limits(_Part):
    """What one client or one owner of keys may take (docs/keys.md). None holds where no key is asked for, but those per
    owner."""

    requests_per_s: float = Field(
        1000,
        ge=0,
        allow_inf_nan=False,
        description="Requests a second of one key, and of one address with signed links. A client that polls as "
        "fast as it can does a few hundred. 0: any.",
    )
    burst: int = Field(2000, ge=1, description="As many of them at once after a quiet time.")
    anonymous_per_s: float = Field(
        20,
        ge=0,
        allow_inf_nan=False,
        description="Requests a second of one address without a valid key, where keys are asked for; a wrong key "
        "counts as ten. 0: any.",
    )
    anonymous_burst: int = Field(100, ge=10, description="As many of them at once after a quiet time.")
    queued_per_owner: int = Field(0, ge=0, description="Jobs of one owner that may wait; more get 429. 0: any.")
    provider_calls_per_day: int = Field(
        0,
        ge=0,
        description="Requests to footage providers on account of one owner in a day (UTC); above it the next provider "
        "is taken. 0: any.",
    )
    cost_per_month: float = Field(
        0,
        ge=0,
        allow_inf_nan=False,
        description="What the language model may cost on account of one owner in a month (UTC), in usage.currency. "
        "0: anything.",
    )


class Log(_Part):
    """The daemon's own log, on stderr."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is written.")
    format: Literal["auto", "json", "text"] = Field("auto", description="auto: text on a terminal, JSON elsewhere.")


def _default_data_dir() -> Path:
    state = os.environ.get("STATE_DIRECTORY")
    if state:
        return Path(state.split(":")[0])
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "vidgend"


class Settings(_Part):
    """All of it."""

    data_dir: AbsolutePath = Field(
        default_factory=_default_data_dir,
        validate_default=True,
        description="Database, models and assets. Unset: systemd's StateDirectory, else ~/.local/share/vidgend.",
    )
    http: Http = Http()
    queue: Queue = Queue()
    slots: Slots = Slots()
    planner: PlannerSettings = PlannerSettings()
    footage: Footage = Footage()
    speech: SpeechSettings = SpeechSettings()
    aligner: AlignerSettings = AlignerSettings()
    render: Render = Render()
    music: Music = Music()
    captions: Captions = Captions()
    credits: Credits = Credits()
    store: Store = Store()
    assets: Assets = Assets()
    cache: Cache = Cache()
    webhooks: Webhooks = Webhooks()
    egress: Egress = Egress()
    usage: UsageSettings = UsageSettings()
    limits: Limits = Limits()
    log: Log = Log()

    def secrets(self) -> set[str]:
        """Every secret that is set: keys, and the passwords in addresses."""
        found: set[str] = set()
        for dotted, _ in leaves():
            value: Any = self
            for part in dotted.split("."):
                value = getattr(value, part)
            text = value.get_secret_value() if isinstance(value, SecretStr) else value
            if isinstance(text, str):
                found.add(text if isinstance(value, SecretStr) else password_in(text))
        return found - {""}

    def redactor(self) -> Redactor:
        """Masks the secrets of these settings, and those of the environment."""
        return Redactor(self.secrets() | secrets_of_environment())

    @property
    def assets_dir(self) -> Path:
        """Where blobs lie, or, with S3, the copies of those that are in use."""
        if urlsplit(self.assets.url).scheme == "file":
            return Path(unquote(urlsplit(self.assets.url).path))
        return self.data_dir / "assets"

    @property
    def base_url(self) -> str:
        """How clients reach the server, as far as that can be known without a request of theirs."""
        host = "localhost" if self.http.host in _EVERY_ADDRESS else self.http.host
        host = f"[{host}]" if ":" in host else host
        own = f"{self.http.scheme}://{host}:{self.http.port}" if host else "http://localhost"
        return self.http.public_url.rstrip("/") or own


def leaves(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, field) of every setting."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from leaves(kind, f"{prefix}{name}.")
        else:
            yield prefix + name, field
