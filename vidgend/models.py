"""Every value of the domain: frozen, keyword-only. Times are seconds unless the name says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from vidgend.timebase import parse_fps

JobState = Literal[
    "queued",
    "planning",
    "retrieving",
    "narrating",
    "aligning",
    "awaiting_review",
    "rendering",
    "publishing",
    "completed",
    "failed",
    "cancelled",
]
ACTIVE_STATES: tuple[JobState, ...] = (
    "planning", "retrieving", "narrating", "aligning", "rendering", "publishing",
)  # fmt: skip
TERMINAL_STATES: tuple[JobState, ...] = ("completed", "failed", "cancelled")

Quality = Literal["draft", "standard", "high"]
MediaKind = Literal["video", "photo", "generated"]
WordSource = Literal["engine", "whisper", "proportional"]


TransitionKind = Literal["cut", "dissolve", "fade", "wipe", "slide", "zoom"]


@dataclass(frozen=True, kw_only=True)
class Transition:
    """How one scene gives way to the next; a cut takes no time. `fade` goes through black."""

    kind: TransitionKind = "cut"
    duration_s: float = 0.0


TRANSITION_S: dict[TransitionKind, float] = {
    "cut": 0.0, "dissolve": 0.5, "fade": 0.7, "wipe": 0.4, "slide": 0.35, "zoom": 0.4,
}  # fmt: skip
"""How long each kind takes unless somebody says otherwise: long enough to be seen, within the pause between scenes."""


@dataclass(frozen=True, kw_only=True)
class CaptionOptions:
    """What is burnt into the picture. `highlight` colours the spoken word, `font` is a family.

    `preset` None lets the style choose, `position` None the preset.
    """

    enabled: bool = True
    preset: str | None = None
    font: str | None = None
    highlight: bool = True
    position: Literal["bottom", "middle", "top"] | None = None


@dataclass(frozen=True, kw_only=True)
class MusicOptions:
    """`mood` None lets the style choose. `volume` 1.0 is the normal bed under a voice, 0..2."""

    enabled: bool = True
    mood: str | None = None
    volume: float = 1.0
    ducking: bool = True


@dataclass(frozen=True, kw_only=True)
class SceneBrief:
    """A scene that the caller wrote: narration word for word, an optional query and least length in seconds."""

    narration: str
    query: str | None = None
    duration_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Brief:
    """One request with every default filled in: the whole input of a job.

    `duration_s` is the wished length; `duration_given` tells whether the caller named it. `fps` as `30` or
    `30000/1001`. `voice` is what the caller wrote.
    """

    prompt: str
    script: str | None = None
    scenes: tuple[SceneBrief, ...] = ()
    duration_s: float = 60.0
    duration_given: bool = False
    style: str = "cinematic"
    voice: str = "en-US-neutral"
    language: str | None = None
    width_px: int = 1920
    height_px: int = 1080
    fps: str = "30"
    quality: Quality = "standard"
    captions: CaptionOptions = field(default_factory=CaptionOptions)
    music: MusicOptions = field(default_factory=MusicOptions)
    transitions: Transition | None = None
    """Between all scenes; None lets the style choose."""
    seed: int = 0

    @property
    def frame_rate(self) -> Fraction:
        return parse_fps(self.fps)


@dataclass(frozen=True, kw_only=True)
class PrefetchBrief:
    """Searches to run ahead of time, so that a later job finds their clips already here."""

    queries: tuple[str, ...]
    per_query: int
    width_px: int
    height_px: int


@dataclass(frozen=True, kw_only=True)
class PlannedScene:
    """A scene as the planner wrote it. Empty narration means that only picture and music carry it.

    `queries` are searches for what a camera can see, best first; `min_duration_s` is the caller's least length.
    """

    narration: str
    queries: tuple[str, ...]
    min_duration_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a planner answers. `stretch` says that footage and music carry the wished length past the words."""

    title: str
    language: str
    scenes: tuple[PlannedScene, ...]
    stretch: bool
    mood: str | None = None
    planner: str = "builtin"


@dataclass(frozen=True, kw_only=True)
class Rendition:
    """One file of a candidate. Sizes in pixels as shown, after rotation; 0 where the provider does not say."""

    url: str
    width_px: int = 0
    height_px: int = 0
    fps: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Credit:
    """Who made a piece of media and where it is from."""

    provider: str
    author: str = ""
    author_url: str = ""
    page_url: str = ""
    licence: str = ""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A picture that a footage provider offers. `id` is unique inside the provider.

    `duration_s` is None for photos and where it is not known. `recipe` is set for generated pictures only:
    the JSON that paints them. `version` changes when the file behind the same `id` does.
    """

    provider: str
    id: str
    kind: MediaKind
    description: str
    renditions: tuple[Rendition, ...] = ()
    duration_s: float | None = None
    credit: Credit
    recipe: dict[str, Any] | None = None
    version: str = ""


@dataclass(frozen=True, kw_only=True)
class Colour:
    """How the numbers of a picture are meant. `matrix` is "" for RGB. `wide`: BT.2020 primaries."""

    matrix: str = ""
    full_range: bool = False
    transfer: Literal["", "pq", "hlg"] = ""
    wide: bool = False
    alpha: bool = False


@dataclass(frozen=True, kw_only=True)
class ClipScan:
    """What a quick look at a clip told: where it is cut, how it moves, where its subject is.

    `brightness` (mean, 0..255), `detail` (spread, 0..255) and `shake` (percent of the width by which the picture's
    speed changes in a tenth of a second) hold one number for each `step_s` from `start_s` on. `columns` and `rows`
    tell how much there is to see across and down, as shares of 1000.
    """

    start_s: float
    step_s: float
    brightness: tuple[int, ...]
    detail: tuple[int, ...]
    shake: tuple[float, ...]
    cuts_s: tuple[float, ...] = ()
    columns: tuple[int, ...] = ()
    rows: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A chosen candidate whose bytes are in the asset store (`digest`), or a recipe to paint."""

    provider: str
    id: str
    kind: MediaKind
    description: str
    query: str
    credit: Credit
    digest: str | None = None
    demuxer: str | None = None
    width_px: int = 0
    height_px: int = 0
    fps: float = 0.0
    duration_s: float | None = None
    recipe: dict[str, Any] | None = None
    colour: Colour = field(default_factory=Colour)
    interlaced: Literal["", "flagged", "tff", "bff"] = ""
    """`flagged`: the frames say so themselves; else which field was found to come first."""
    orientation: int = 1
    """As EXIF counts: 1 is upright."""
    scan: ClipScan | None = None


@dataclass(frozen=True, kw_only=True)
class Word:
    """One word of the script as written, with its time in its scene's speech. `confidence` 0..1.

    `glued`: no space before it, since it is the next part of a longer word.
    """

    text: str
    start_s: float
    end_s: float
    confidence: float = 1.0
    glued: bool = False


@dataclass(frozen=True, kw_only=True)
class Speech:
    """A spoken scene: a mono 48 kHz WAV in the store, `samples` long, with the engine's word times if it gives them."""

    digest: str
    samples: int
    engine: str
    voice: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Words:
    """The script's words in time, and where the times come from."""

    source: WordSource
    words: tuple[Word, ...]
    reason: str = ""


def join_words(words: tuple[Word, ...]) -> str:
    """The words as written: spaces between them, none inside a word that was cut."""
    return "".join(word.text if word.glued or number == 0 else f" {word.text}" for number, word in enumerate(words))


@dataclass(frozen=True, kw_only=True)
class Caption:
    """One picture of text: one or two `lines` of words, shown from `start_s` to `end_s` in the scene."""

    lines: tuple[tuple[Word, ...], ...]
    start_s: float
    end_s: float

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(word for line in self.lines for word in line)

    @property
    def text(self) -> str:
        return "\n".join(join_words(line) for line in self.lines)


@dataclass(frozen=True, kw_only=True)
class Segment:
    """An encoded scene or transition: H.264 in MP4, no sound, closed GOPs, exactly `frames` long."""

    digest: str
    frames: int
    poster: str | None = None
    """Digest of a JPEG of one of a scene's frames, graded, without captions and fades."""


@dataclass(frozen=True, kw_only=True)
class Substitution:
    """Something was replaced by the second best, and why. `scene` counts from 1; None means the whole video."""

    stage: str
    wanted: str
    used: str
    reason: str
    scene: int | None = None


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A scene of the storyboard, filled in stage by stage. Times in the finished video; `frames` is exact."""

    index: int
    narration: str
    queries: tuple[str, ...]
    min_duration_s: float = 0.0
    clip: Clip | None = None
    candidates: tuple[Candidate, ...] = ()
    why: str = ""
    speech: Speech | None = None
    words: Words | None = None
    start_frame: int | None = None
    frames: int | None = None


@dataclass(frozen=True, kw_only=True)
class Storyboard:
    """The plan of a video and, as the job goes on, what was found, spoken and timed for each scene."""

    title: str
    language: str
    planner: str
    stretch: bool
    fps: str
    scenes: tuple[Scene, ...]
    mood: str | None = None
    degraded: tuple[Substitution, ...] = ()
    """What has been substituted so far: kept here so that a restart does not forget it."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """A finished file of a job: `name` is its file name for people, `digest` its content in the store."""

    name: str
    digest: str
    content_type: str
    size_bytes: int
    uri: str
    """Its stable name: `file:///...` or `s3://...`."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a completed job has: files by role (`video`, `thumbnail`, `srt`, `vtt`, `words`, `credits`), report."""

    files: dict[str, Published]
    width_px: int
    height_px: int
    duration_s: float
    credits: tuple[Credit, ...]
    degraded: tuple[Substitution, ...]
    timings: dict[str, float]
    report: dict[str, Any]
