"""Every value of the domain: frozen, keyword-only. Times are seconds unless the name says otherwise."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
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
WordSource = Literal["engine", "forced", "whisper", "proportional"]


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
    """`mood` None lets the style choose. `volume` 1.0 is the normal bed under a voice, 0..2.

    `asset` is the digest of an uploaded sound file that is the music, `title` what to call it; `mood` says
    nothing then.
    """

    enabled: bool = True
    mood: str | None = None
    asset: str | None = None
    title: str | None = None
    volume: float = 1.0
    ducking: bool = True


@dataclass(frozen=True, kw_only=True)
class SceneBrief:
    """A scene that the caller wrote: narration word for word, an optional query and least length in seconds.

    `clip` is the caller's own video or photo (provider `upload`): no other picture is looked for.
    """

    narration: str
    query: str | None = None
    duration_s: float | None = None
    clip: Clip | None = None


@dataclass(frozen=True, kw_only=True)
class VoiceOver:
    """The caller's own recording, spoken instead of a voice. `asset` is the digest of the upload, `title` what to call
    it, `duration_s` how long it says it is.

    `keep_background`: nothing of it is taken away as noise.
    """

    asset: str
    title: str
    duration_s: float
    keep_background: bool = False


DRAFT_SHORT_PX = 360
"""The shorter side of a draft's picture."""


@dataclass(frozen=True, kw_only=True)
class Output:
    """A further video of the same plan, and what may differ in it. `name` is its own among those of its job.

    `voice` and `language` None: those of the main video. `narrations` are what is said in it, one text for each of the
    request's scenes; without them the words stay as they are, or are translated if the language is another one.
    """

    name: str
    width_px: int
    height_px: int
    voice: str | None = None
    language: str | None = None
    narrations: tuple[str, ...] = ()


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
    review: bool = False
    """Stop when the storyboard is complete, until somebody has looked at it."""
    output_name: str = ""
    """What this video is called among several of one job."""
    outputs: tuple[Output, ...] = ()
    """The videos to be made besides this one."""
    narration_audio: VoiceOver | None = None
    """Whoever speaks in it is heard, and no voice. The video is as long as it is."""
    credits_card: bool = False
    """A card at the end, after all scenes, with the names of those whose clips and songs are in the video."""

    @property
    def frame_rate(self) -> Fraction:
        return parse_fps(self.fps)

    @property
    def cover_px(self) -> tuple[int, int]:
        """(width, height) that a clip has to fill so that it need not be scaled up in any of the videos."""
        widths = (self.width_px, *(output.width_px for output in self.outputs))
        heights = (self.height_px, *(output.height_px for output in self.outputs))
        return max(widths), max(heights)

    @property
    def picture_px(self) -> tuple[int, int]:
        """(width, height) of the video that is made. A draft is smaller than what `width_px` and `height_px` ask for,
        but made of the same clips, so that the final finds them fetched."""
        short_px = min(self.width_px, self.height_px)
        if self.quality != "draft" or short_px <= DRAFT_SHORT_PX:
            return self.width_px, self.height_px
        return (
            round(self.width_px * DRAFT_SHORT_PX / short_px / 2) * 2,
            round(self.height_px * DRAFT_SHORT_PX / short_px / 2) * 2,
        )


@dataclass(frozen=True, kw_only=True)
class PrefetchBrief:
    """What to fetch ahead of time, so that a later job finds it here, one of three: clips for `queries`, what the video
    of `brief` would show, or what the `storyboard` of it shows. `per_query` is how many clips for each query or scene.
    """

    queries: tuple[str, ...] = ()
    per_query: int
    width_px: int
    height_px: int
    brief: Brief | None = None
    storyboard: Storyboard | None = None


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
    size_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class Credit:
    """Who made a piece of media, what it is called and where it is from."""

    provider: str
    author: str = ""
    author_url: str = ""
    page_url: str = ""
    licence: str = ""
    title: str = ""
    licence_url: str = ""


@dataclass(frozen=True, kw_only=True)
class MediaCredit(Credit):
    """The credit of one clip or song of a finished video. `scenes` show it (from 1), at `seconds` of the video: (from,
    to), one for each of them; of a song both are empty. Where nobody knows who made a song, `author` is its title."""

    kind: Literal["", "video", "photo", "generated", "upload", "music"] = ""
    """"" in results of the time before it was told."""
    scenes: tuple[int, ...] = ()
    seconds: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A picture that a footage provider offers. `id` is unique inside the provider.

    `duration_s` is None for photos and where it is not known. `recipe` is set for generated pictures only:
    the JSON that paints them. `version` changes when the file behind the same `id` does. `preview_url` is a still of
    it at the provider's, if there is one.
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
    preview_url: str | None = None
    tags: tuple[str, ...] = ()
    """Words that the provider or the owner put to it, besides `description`."""
    average_rgb: str | None = None
    """`#rrggbb`, where the provider tells it."""
    width_px: int = 0
    height_px: int = 0
    """As shown, of the largest file; 0 where that is not known."""


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
    prints: tuple[str, ...] = ()
    """What it looks like, to tell copies (`pipeline/fingerprint.py`)."""
    average_rgb: str | None = None
    """`#rrggbb`."""
    in_point_s: float | None = None
    """Where the scene begins in the clip, if a person chose that; None: the best part is looked for."""


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
    silent_s: float = 0.0
    """The longest silence in a sentence."""
    pause_s: float = 0.0
    """The longest pause that the narration asks for."""
    start: int | None = None
    """Of a voice-over: the sample of the file at which it begins, since all scenes share one file."""


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
class PictureScan:
    """What was seen of a scene's picture while it was encoded, without captions, bars and fades.

    `black` and `still` are stretches of half a second and more, (first frame, the one after the last). `prints` are
    fingerprints of moments of it, 64 hexadecimal digits each, for comparing it with other scenes.
    """

    black: tuple[tuple[int, int], ...] = ()
    still: tuple[tuple[int, int], ...] = ()
    prints: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Segment:
    """An encoded scene or transition: in MP4, no sound, closed GOPs, exactly `frames` long."""

    digest: str
    frames: int
    poster: str | None = None
    """Digest of a JPEG of one of a scene's frames, graded, without captions and fades."""
    seen: PictureScan | None = None
    """Of a scene."""


@dataclass(frozen=True, kw_only=True)
class Substitution:
    """Something was replaced by the second best, and why. `scene` counts from 1; None means the whole video."""

    stage: str
    wanted: str
    used: str
    reason: str
    scene: int | None = None
    output: str | None = None
    """The one of several videos that it is about; None: all of them."""


@dataclass(frozen=True, kw_only=True)
class Thumbnail:
    """A small JPEG in the asset store that shows a candidate or a clip, by its provider and id."""

    provider: str
    id: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A picture that a person chose for a scene, before it is fetched. `in_point_s`: where to begin in it."""

    candidate: Candidate
    in_point_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class RankedClip:
    """A candidate with its place among those of a scene. `fit` is how well its words fit, 0..1, `score` what it was
    ranked by, `parts` what that is made of, biggest first."""

    provider: str
    id: str
    description: str
    query: str
    fit: float
    score: float
    parts: tuple[tuple[str, float], ...] = ()


def ranked_view(one: RankedClip) -> dict[str, Any]:
    """As reports and storyboards show it."""
    return {**asdict(one), "parts": dict(one.parts)}


@dataclass(frozen=True, kw_only=True)
class Repair:
    """A scene was made anew since it failed the quality check `check`; `was` is what it had before, `reason` is what
    was wrong with it."""

    check: str
    was: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A scene of the storyboard, filled in stage by stage. Times in the finished video; `frames` is exact.

    `id` names it in every version, whatever its place.
    """

    index: int
    id: str = ""
    narration: str
    """The words alone."""
    markup: str | None = None
    """The same with what was said about how to speak them (`speech/markup.py`); None for a narration without any."""
    queries: tuple[str, ...]
    min_duration_s: float = 0.0
    clip: Clip | None = None
    candidates: tuple[Candidate, ...] = ()
    """What the scene shows, or is to show, first; then what could take its place."""
    thumbnails: tuple[Thumbnail, ...] = ()
    """Of candidates and of the clip, made for a review. They may have been deleted since."""
    choice: Choice | None = None
    refused: tuple[tuple[str, str], ...] = ()
    """(provider, id) of pictures that somebody did not want here."""
    why: str = ""
    """Why it shows what it shows."""
    ranking: tuple[RankedClip, ...] = ()
    """What was chosen by the words and what came next, unless a person chose."""
    speech: Speech | None = None
    words: Words | None = None
    start_frame: int | None = None
    frames: int | None = None
    kept_frames: int | None = None
    """How long it was before the storyboard was edited: it stays so, unless its words need more."""
    motion: int | None = None
    """Which way a photo is moved over; None: by `index`. Kept when scenes change places."""
    caption_chars: int | None = None
    """How long its caption lines may be, where the preset's did not fit."""
    repair: Repair | None = None
    """Set once it was repaired; that is not tried twice."""

    @property
    def written(self) -> str:
        """The narration as somebody wrote it, with its markup."""
        return self.markup or self.narration

    @property
    def recorded(self) -> bool:
        """Whether its speech is a piece of the voice-over."""
        return self.speech is not None and self.speech.start is not None


@dataclass(frozen=True, kw_only=True)
class Storyboard:
    """The plan of a video and, as the job goes on, what was found, spoken and timed for each scene."""

    title: str
    language: str
    planner: str
    stretch: bool
    fps: str
    scenes: tuple[Scene, ...]
    edited: bool = False
    """Each scene keeps the length that it had, whatever `stretch` says: else a word more in one would be frames less in
    all others, and all of them to be encoded anew."""
    mood: str | None = None
    degraded: tuple[Substitution, ...] = ()
    """What has been substituted so far: kept here so that a restart does not forget it."""
    songs: tuple[Credit, ...] | None = None
    """Those of the last video that was made of it, to foresee its credits; None: not known."""


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
class OutputResult:
    """One of the videos of a job; its files are among the result's, see `files_of`. `report` is empty for the main
    one, whose is the result's."""

    name: str
    language: str
    width_px: int
    height_px: int
    duration_s: float
    report: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a completed job has: files by role (`video`, `thumbnail`, `srt`, `vtt`, `words`, `credits`,
    `description`), report.

    These are the main video's. Those of the other `outputs` have its name behind their role: `video:9x16`.
    """

    files: dict[str, Published]
    width_px: int
    height_px: int
    duration_s: float
    credits: tuple[MediaCredit, ...]
    degraded: tuple[Substitution, ...]
    timings: dict[str, float]
    report: dict[str, Any]
    outputs: tuple[OutputResult, ...] = ()
    """All videos, the main one first; empty in results of the time before there could be several."""

    def files_of(self, output: str | None = None) -> dict[str, Published]:
        """The files of one output, by their roles in it; of the main one for None."""
        named = {tuple(role.partition(":")[::2]): file for role, file in self.files.items()}
        return {role: file for (role, name), file in named.items() if name == (output or "")}
