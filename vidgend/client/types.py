"""What the API takes and answers, as typed dictionaries. Made by tools/client_types.py from the OpenAPI document.

A newer daemon may answer with more fields. What is `NotRequired` is left out where there is nothing to say.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class Accepted(TypedDict):
    job_id: str
    """Names the job in every other route."""
    status: Literal["accepted"]
    """The job is in the queue."""
    message: str
    """The same for people."""


class AddedScene(TypedDict):
    after: str | int
    narration: str
    query: NotRequired[str | None]
    duration: NotRequired[float | None]
    clip: NotRequired[AssetBody | None]


class AssetBody(TypedDict):
    asset: str


class Attempt(TypedDict):
    at: str | None
    """When."""
    status: int | None
    """The receiver's HTTP status; null where there was no answer."""
    duration_ms: int
    """Milliseconds that it took."""
    error: str | None
    """Why it failed; null where it was delivered."""


class Cancelled(TypedDict):
    job_id: str
    """The job."""
    status: Literal[
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
    """Its state now."""


class CandidateBody(TypedDict):
    provider: str
    id: str


class Candidate(TypedDict):
    provider: str
    """Where it is from."""
    id: str
    """Its id there."""
    kind: Literal["video", "photo", "generated"]
    """What it is."""
    description: str
    """What is to be seen."""
    duration: float | None
    """Seconds; null for a photo."""
    credit: Credit
    """Who made it."""
    thumbnail_url: str | None
    """A small JPEG of it, if there is one."""
    chosen: bool
    """Whether the scene shows it, or is to show it."""


class CaptionBody(TypedDict):
    enabled: NotRequired[bool]
    preset: NotRequired[Literal["classic", "highlight", "karaoke", "pop", "lower_third"] | None]
    """How captions look; unset: as the style has it."""
    font: NotRequired[str | None]
    """A font family that is installed where the daemon runs."""
    position: NotRequired[Literal["bottom", "middle", "top"] | None]
    highlight: NotRequired[bool]


class Captions(TypedDict):
    enabled: bool
    """Whether words are burnt into the picture."""
    preset: str | None
    """How they look; null: as the style has it."""
    font: str | None
    """The font's family; null: that of the preset."""
    highlight: bool
    """Whether the spoken word is coloured."""
    position: Literal["bottom", "middle", "top"] | None
    """null: as the preset has it."""


class Check(TypedDict):
    code: str
    """Which: such as `storage_full`, `database`, `ffmpeg_missing`."""
    state: Literal["ok", "warning", "failed"]
    """`failed` keeps jobs away, `warning` does not."""
    detail: str
    """How it is."""
    hint: NotRequired[str]
    """What can be done about it."""
    values: NotRequired[dict[str, int | float]]
    """Numbers, such as `lacking_bytes`."""


class Choice(TypedDict):
    provider: str
    """Where it is from."""
    id: str
    """Its id there."""
    kind: Literal["video", "photo", "generated"]
    """What it is."""
    description: str
    """What is to be seen."""
    duration: float | None
    """Seconds; null for a photo."""
    credit: Credit
    """Who made it."""
    thumbnail_url: str | None
    """A small JPEG of it, if there is one."""


class ClipBody(TypedDict):
    asset: str
    in_point: NotRequired[float | None]


class Clip(TypedDict):
    provider: str
    """Where it is from."""
    id: str
    """Its id there."""
    kind: Literal["video", "photo", "generated"]
    """What it is."""
    description: str
    """What is to be seen."""
    query: str
    """The search that found it."""
    credit: Credit
    """Who made it."""
    width: int | None
    """Pixels."""
    height: int | None
    """Pixels."""
    duration: float | None
    """Seconds; null for a photo."""
    in_point: float | None
    """Where the scene begins in it, in seconds; null: the best part of it is looked for."""
    sha256: str | None
    """SHA-256 of the file, hexadecimal; null for a painting."""
    thumbnail_url: str | None
    """A small JPEG of it, if there is one."""


class Credit(TypedDict):
    provider: str
    """Where it was found."""
    author: str
    """Who made it; "" if nobody knows."""
    author_url: str
    """The author's page, or ""."""
    page_url: str
    """The page of the clip or song, or ""."""
    licence: str
    """The licence, or ""."""
    title: str
    """What it is called, or ""."""
    licence_url: str
    """The text of the licence, or ""."""


class Error(TypedDict):
    code: str
    """A stable name, explained at /docs/errors.md."""
    detail: str
    """What went wrong."""
    hint: str
    """What can be done about it, or ""."""
    tail: NotRequired[str]
    """The end of what the failed program wrote."""


class Event(TypedDict):
    id: str
    """The `webhook-id` of its deliveries."""
    event: str
    """What happened, such as `job.completed`."""
    url: str
    """Where it is sent."""
    state: Literal["pending", "delivered", "dead"]
    """`dead`: it was given up."""
    attempts: int
    """How often it was sent."""
    last_error: str | None
    """Why the last attempt failed."""
    next_at: str | None
    """When it is sent next; null unless it is pending."""
    created_at: str | None
    """When it happened."""
    endpoint_disabled: bool
    """Whether nothing is sent to that URL any more."""
    endpoint_reason: str | None
    """Why not."""
    attempt_log: list[Attempt]
    """The last attempts, oldest first."""


class FieldError(TypedDict):
    pointer: NotRequired[str]
    """A JSON pointer into the body."""
    parameter: NotRequired[str]
    """The parameter of the query."""
    detail: str
    """What is wrong there."""


class File(TypedDict):
    name: str
    """Its file name."""
    url: str | None
    """Where to get it. Signed links live for a day."""
    content_type: str
    """Its media type."""
    size_bytes: int
    """Its size in bytes."""
    sha256: str
    """SHA-256 of its content, hexadecimal."""
    storage_uri: str
    """Its stable name: `s3://...` or `file:///...`."""


class FromAddress(TypedDict):
    url: str
    """Where the file is: http or https."""
    name: NotRequired[str]
    """What the file is called; else the last part of the address."""


class GenerateBody(TypedDict):
    prompt: NotRequired[str]
    duration_target: NotRequired[float | None]
    """Wished length in seconds."""
    style: NotRequired[Literal["cinematic", "documentary", "minimal", "news", "noir", "social", "vintage", "vivid"]]
    voice: NotRequired[str | None]
    callback_url: NotRequired[str | None]
    script: NotRequired[str | None]
    scenes: NotRequired[list[SceneBody] | None]
    language: NotRequired[str | None]
    aspect_ratio: NotRequired[Literal["16:9", "9:16", "1:1", "4:5"] | None]
    resolution: NotRequired[Literal["1280x720", "1920x1080", "3840x2160"] | None]
    fps: NotRequired[float | str | None]
    captions: NotRequired[CaptionBody | bool]
    music: NotRequired[MusicBody | Literal["none"]]
    transitions: NotRequired[TransitionBody | Literal["cut", "dissolve", "fade", "wipe", "slide", "zoom"] | None]
    """Unset: as the style has it."""
    quality: NotRequired[Literal["draft", "standard", "high"]]
    priority: NotRequired[int]
    seed: NotRequired[int | None]
    metadata: NotRequired[dict[str, Any]]
    narration_audio: NotRequired[VoiceOverBody | str | None]
    """Your own voice-over: it is heard instead of a voice, and decides how long the video is."""
    review: NotRequired[bool]
    """Stop when the storyboard is complete, until it is approved."""
    credits_card: NotRequired[bool | None]
    """A card at the end with the authors of clips and music; unset: as the settings say."""
    outputs: NotRequired[list[OutputBody] | None]
    """The videos to make, the main one first."""


class Jobs(TypedDict):
    jobs: list[Summary]
    """A page of jobs, newest first."""
    next_cursor: str | None
    """Asks for the next page as `cursor`; null after the last one."""


class Livez(TypedDict):
    status: Literal["alive"]
    """It answers."""
    version: str
    """The version of vidgend."""


class MediaCredit(TypedDict):
    provider: str
    """Where it was found."""
    author: str
    """Who made it; "" if nobody knows."""
    author_url: str
    """The author's page, or ""."""
    page_url: str
    """The page of the clip or song, or ""."""
    licence: str
    """The licence, or ""."""
    title: str
    """What it is called, or ""."""
    licence_url: str
    """The text of the licence, or ""."""
    kind: Literal["", "video", "photo", "generated", "upload", "music"]
    """What it is; "" in old results, which do not say."""
    scenes: list[int]
    """The scenes that show it, from 1; empty for a song."""
    seconds: list[list[Any]]
    """From when to when it is seen in the video, in seconds."""


class Month(TypedDict):
    month: str
    """The month (UTC), such as 2026-11."""
    cost: float
    """What it has cost so far."""
    cap: float | None
    """What it may cost; null: there is no cap."""
    left: float | None
    """What is left of that."""


class MusicBody(TypedDict):
    mood: NotRequired[str | None]
    asset: NotRequired[str | None]
    """Your own music: the asset_id of an upload."""
    none: NotRequired[bool]
    volume: NotRequired[float]
    ducking: NotRequired[bool]


class Music(TypedDict):
    none: bool
    """Whether there is no music."""
    mood: str | None
    """null: as the style has it."""
    asset: str | None
    """SHA-256 of the uploaded song that is the music."""
    volume: float
    """0..2; 1 is the normal bed under a voice."""
    ducking: bool
    """Whether it gives way to the voice."""


class OutputBody(TypedDict):
    name: NotRequired[str | None]
    """Unset: what differs."""
    aspect_ratio: NotRequired[Literal["16:9", "9:16", "1:1", "4:5"] | None]
    resolution: NotRequired[Literal["1280x720", "1920x1080", "3840x2160"] | None]
    language: NotRequired[str | None]
    voice: NotRequired[str | None]
    narrations: NotRequired[list[str] | None]
    """What is said in it, scene by scene."""


class Output(TypedDict):
    name: str
    """Its name among the videos of the job."""
    language: str | None
    """What is spoken, as a language tag; null in old results."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    duration: float
    """Seconds."""
    video_url: str | None
    """Where to get the video."""
    thumbnail_url: str | None
    """A JPEG."""
    subtitles: Subtitles
    """Where to get its subtitles."""
    credits_url: str | None
    """JSON: who made the clips and songs."""
    description_url: str | None
    """A text to publish with it; null if none was made."""
    storage_uri: str
    """The stable name of the video: `s3://...` or `file:///...`."""
    size_bytes: int
    """Of the video, in bytes."""
    sha256: str
    """SHA-256 of the video, hexadecimal."""
    degraded: list[Substitution]
    """What was substituted in it."""
    report: NotRequired[dict[str, Any]]
    """Its quality report; that of the main video is the result's."""


class PatchBody(TypedDict):
    scenes: NotRequired[list[ScenePatch]]
    add: NotRequired[list[AddedScene]]
    order: NotRequired[list[str | int] | None]
    """All scenes that are left, in their new order."""
    title: NotRequired[str | None]
    style: NotRequired[
        Literal["cinematic", "documentary", "minimal", "news", "noir", "social", "vintage", "vivid"] | None
    ]
    voice: NotRequired[str | None]
    captions: NotRequired[CaptionBody | bool | None]
    music: NotRequired[MusicBody | Literal["none"] | None]
    transitions: NotRequired[TransitionBody | Literal["cut", "dissolve", "fade", "wipe", "slide", "zoom"] | None]
    credits_card: NotRequired[bool | None]
    author: NotRequired[str]


class PauseBody(TypedDict):
    reason: NotRequired[str]


class Pause(TypedDict):
    paused: bool
    """Whether nothing is begun. What runs goes on, and jobs are still taken."""
    paused_at: str | None
    """Since when."""
    reason: str | None
    """Why, as who paused it said; "" if nothing was said."""


class Piece(TypedDict):
    kind: Literal["scene", "transition", "card"]
    """The body of a scene, the transition after it, or the closing card."""
    scene: int
    """The scene, from 1."""


class PrefetchBody(TypedDict):
    queries: NotRequired[list[str] | None]
    prompt: NotRequired[str | None]
    video: NotRequired[GenerateBody | None]
    """A request as for /mcp/generate."""
    storyboard: NotRequired[str | None]
    """A job that has one."""
    orientation: NotRequired[Literal["landscape", "portrait", "square"] | None]
    per_query: NotRequired[int | None]
    """Clips for each query, or each scene. Unset: 3 for a query, 1 for a scene."""


class Prefetched(TypedDict):
    query: str
    """What was searched for."""
    provider: str
    """Where it was found."""
    id: str
    """Its id there."""
    asset: str | None
    """SHA-256 of the file, hexadecimal."""


class Problem(TypedDict):
    type: str
    """The path of the page that explains it."""
    title: str
    """What kind of error it is."""
    status: int
    """The HTTP status."""
    detail: str
    """What is the matter this time."""
    code: str
    """A stable name of the kind of error."""
    hint: NotRequired[str]
    """What can be done about it."""
    errors: NotRequired[list[FieldError]]
    """The fields that are wrong."""


class Queue(TypedDict):
    paused: bool
    """Whether nothing is begun. What runs goes on, and jobs are still taken."""
    paused_at: str | None
    """Since when."""
    reason: str | None
    """Why, as who paused it said; "" if nothing was said."""
    lacking_bytes: int
    """Disk space without which nothing is begun, in bytes; 0: there is enough."""
    jobs: dict[str, int]
    """How many jobs are in each state."""


class Quota(TypedDict):
    service: str
    """Whose quota it is."""
    windows: list[Window]
    """How much is left of each."""
    at_once: int | None
    """How many requests may go now; null: nothing bounds it."""
    next_request_at: str | None
    """When the next one may go; null: now."""
    waits_for: str | None
    """What it waits for."""
    told: Told | None
    """What the service said itself."""
    held_until: str | None
    """Until when it wants no request."""


class Ranked(TypedDict):
    provider: str
    """Where it is from."""
    id: str
    """Its id there."""
    description: str
    """What is to be seen."""
    query: str
    """The search that found it."""
    fit: float
    """How well its words fit, 0..1."""
    score: float
    """What it was ranked by."""
    parts: dict[str, float]
    """What the score is made of, biggest first."""


class Readyz(TypedDict):
    status: Literal["ready"]
    """A job sent now would be taken."""
    version: str
    """The version of vidgend."""
    warnings: list[str]
    """The codes of what wants to be seen to, and keeps no job away."""
    checks: list[Check]
    """All that was looked at."""


class ReceiverBody(TypedDict):
    url: str
    """The receiver, as a callback_url."""


class RedeliverBody(TypedDict):
    webhook_id: NotRequired[str | None]


class Redeliver(TypedDict):
    job_id: str
    """The job."""
    status: Literal["accepted"]
    """The events will be sent again."""
    webhook_ids: list[str]
    """Which ones."""


class RenderBody(TypedDict):
    version: NotRequired[int | None]
    quality: NotRequired[Literal["draft", "standard", "high"] | None]


class Render(TypedDict):
    job_id: str
    """The job."""
    status: Literal["accepted"]
    """The job is in the queue again."""
    message: str
    """The same for people."""
    version: int
    """The version that is rendered."""
    segments: Segments
    """Of which segments the video is made."""


class Request(TypedDict):
    style: str
    """The style."""
    voice: str
    """Who speaks."""
    language: str | None
    """A language tag; null: as the text is."""
    captions: Captions
    """The captions."""
    music: Music
    """The music."""
    transitions: Transition | None
    """Between all scenes; null: as the style has it."""
    credits_card: bool
    """Whether a card with the credits comes at the end."""
    quality: Literal["draft", "standard", "high"]
    """How well it is made."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    outputs: list[WishedOutput]
    """The videos besides the main one."""


class Result(TypedDict):
    job_id: str
    """The job."""
    status: Literal[
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
    """`completed`, unless this is what there was before the job was begun again."""
    kind: Literal["video", "prefetch"]
    """What it is the result of."""
    video_url: NotRequired[str | None]
    """Where to get the video. Signed links live for a day."""
    thumbnail_url: NotRequired[str | None]
    """A JPEG."""
    storage_uri: NotRequired[str]
    """The stable name of the video: `s3://...` or `file:///...`."""
    subtitles: NotRequired[Subtitles]
    """Where to get the subtitles."""
    credits: NotRequired[list[MediaCredit]]
    """Who made the clips and songs."""
    credits_url: NotRequired[str | None]
    """The credits as a JSON file."""
    description_url: NotRequired[str | None]
    """A text to publish with it; null if none was made."""
    duration: NotRequired[float]
    """Seconds."""
    width: NotRequired[int]
    """Pixels."""
    height: NotRequired[int]
    """Pixels."""
    size_bytes: NotRequired[int]
    """Of the video, in bytes."""
    sha256: NotRequired[str]
    """SHA-256 of the video, hexadecimal."""
    timings: NotRequired[dict[str, float]]
    """Seconds that each stage took."""
    degraded: NotRequired[list[Substitution]]
    """What was substituted, and why."""
    report: NotRequired[dict[str, Any]]
    """The quality report."""
    outputs: NotRequired[list[Output]]
    """All videos of the job, the main one first."""
    files: NotRequired[dict[str, File]]
    """All files by their role, such as `video` or `srt`; those of a further video have its name behind it:
    `video:9x16`."""
    clips: NotRequired[list[Prefetched]]
    """Of a prefetch: the clips that are here now."""
    failed: NotRequired[list[str]]
    """Of a prefetch: what could not be fetched, and why."""
    finished_at: str | None
    """When the job ended."""
    metadata: dict[str, Any]
    """As the request had it."""


class RevertBody(TypedDict):
    version: int
    author: NotRequired[str]


class SceneBody(TypedDict):
    narration: str
    query: NotRequired[str | None]
    duration: NotRequired[float | None]
    clip: NotRequired[ClipBody | str | None]
    """Your own video."""
    image: NotRequired[AssetBody | str | None]
    """Your own photo."""


class ScenePatch(TypedDict):
    id: NotRequired[str | None]
    index: NotRequired[int | None]
    remove: NotRequired[bool]
    narration: NotRequired[str | None]
    query: NotRequired[str]
    """What is searched for it; its clip is looked for anew."""
    duration: NotRequired[float | None]
    """Least length in seconds; null: as the words need."""
    clip: NotRequired[CandidateBody | AssetBody | None]
    """A candidate or an upload; null: look for another one."""
    in_point: NotRequired[float | None]
    """Second of the clip where it begins; null: its best part."""


class Scene(TypedDict):
    id: str
    """Names the scene in every version, whatever its place."""
    index: int
    """Its place, from 1."""
    narration: str
    """What is said, with its markup."""
    queries: list[str]
    """The searches for its picture, best first."""
    clip: Clip | None
    """What it shows; null before that is fetched."""
    choice: Choice | None
    """What somebody chose for it and is not fetched yet."""
    candidates: list[Candidate]
    """What was found for it."""
    why: str
    """Why it shows what it shows."""
    ranking: list[Ranked]
    """What was chosen by the words and what came next."""
    words: list[Word]
    """What is said, in time."""
    words_source: Literal["engine", "forced", "whisper", "proportional"] | None
    """Where the times of the words come from."""
    words_from: Literal["speech", "video"]
    """Whether the words count from the start of the scene's speech or of the video."""
    speech: Speech | None
    """Who speaks; null before it is spoken."""
    start: float | None
    """When it begins in the video, in seconds."""
    duration: float | None
    """Seconds."""
    frames: int | None
    """Its exact length in frames."""


class Segment(TypedDict):
    scene: int
    """The scene, from 1."""
    state: Literal["waiting", "rendering", "done"]
    """How far it is."""
    percent: float
    """Share of its frames that is rendered, 0..100."""
    output: NotRequired[int]
    """Which of the job's videos, from 0; missing for the first."""


class Segments(TypedDict):
    reused: list[Piece]
    """What is there already."""
    rebuilt: list[Piece]
    """What is made anew."""


class Speech(TypedDict):
    engine: str
    """What made the speech."""
    voice: str
    """Whose voice it is."""


class Status(TypedDict):
    job_id: str
    """The job."""
    status: Literal[
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
    """The state of the job."""
    overall_progress: float
    """Percent, 0..100; never goes down within one attempt."""
    current_step: str
    """What happens now, or what the job waits for, for people."""
    scenes_processed: int
    """Scenes that are rendered, of all videos of the job."""
    total_scenes: int
    """Scenes of all videos of the job; 0 before it is planned."""
    logs: list[str]
    """Short lines of what happened, each with its time, newest last."""
    eta_s: float | None
    """Seconds until the video is there or waits for its review; null while nobody can tell."""
    segments: list[Segment]
    """How far each scene is, while they are rendered."""
    kind: Literal["video", "prefetch"]
    """A video, or footage fetched ahead of time."""
    created_at: str | None
    """When the job was accepted."""
    started_at: str | None
    """When it was first begun; null before."""
    finished_at: str | None
    """When it ended; null before."""
    priority: int
    """Among jobs of one owner a higher one comes first."""
    attempt: int
    """How often it was begun."""
    failures: int
    """How often it failed and was put back for another try."""
    crashes: int
    """How often the server died under it."""
    retry_at: str | None
    """When it is tried again, if it waits for that."""
    metadata: dict[str, Any]
    """As the request had it."""
    queue_position: NotRequired[int]
    """Its place in the queue, from 1, while it waits for its turn."""
    queue_paused: NotRequired[bool]
    """Whether the queue is paused, while it waits."""
    error: NotRequired[Error]
    """Why it failed, or why it has to be tried again."""


class Storyboard(TypedDict):
    job_id: str
    """The job."""
    version: int
    """The version, from 1; goes into If-Match."""
    status: Literal[
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
    """The state of the job."""
    title: str
    """The title of the video."""
    language: str
    """What is spoken, as a language tag."""
    planner: str
    """Who wrote the storyboard."""
    mood: str | None
    """The mood that the planner saw in it."""
    stretch: bool
    """Whether footage and music carry the wished length past the words."""
    fps: str
    """Frames a second, as `30` or `30000/1001`."""
    scenes: list[Scene]
    """The scenes in their order."""
    request: Request
    """What holds for the whole video."""
    author: str
    """Who made this version."""
    created_at: str | None
    """When it was made."""
    based_on: int | None
    """The version that it was made from."""
    changes: list[dict[str, Any]]
    """What differs from the version before."""


class Style(TypedDict):
    name: str
    """Goes into `style`."""
    description: str
    """How it looks."""
    mood: str
    """The mood of its music."""
    captions: str
    """The preset of its captions."""
    transition: Literal["cut", "dissolve", "fade", "wipe", "slide", "zoom"]
    """How one scene gives way to the next."""


class Styles(TypedDict):
    styles: list[Style]
    """The styles."""
    default: str
    """The style of a request that names none."""


class Substitution(TypedDict):
    stage: str
    """Where in the work."""
    wanted: str
    """What it should have been."""
    used: str
    """What it is."""
    reason: str
    """Why."""
    scene: int | None
    """The scene, from 1; null: the whole video."""
    output: str | None
    """The name of the video; null: all of the job's."""


class Subtitles(TypedDict):
    srt: str | None
    """SubRip."""
    vtt: str | None
    """WebVTT."""
    words: str | None
    """JSON with the time of every word."""


class Summary(TypedDict):
    job_id: str
    """The job."""
    kind: Literal["video", "prefetch"]
    """A video, or footage fetched ahead of time."""
    status: Literal[
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
    """The state of the job."""
    overall_progress: float
    """Percent, 0..100."""
    prompt: str
    """The beginning of what the job is about."""
    created_at: str | None
    """When the job was accepted."""
    started_at: str | None
    """When it was first begun; null before."""
    finished_at: str | None
    """When it ended; null before."""
    priority: int
    """Among jobs of one owner a higher one comes first."""
    error: str | None
    """The code of the error, if the job failed."""
    metadata: dict[str, Any]
    """As the request had it."""


class Sums(TypedDict):
    calls: int
    """Requests to providers."""
    failed: int
    """Those of them that failed."""
    tokens_in: int
    """Tokens sent to language models."""
    tokens_out: int
    """Tokens that they wrote."""
    cost: float
    """What it cost, in `currency`."""


class Tested(TypedDict):
    url: str
    """Where it was sent."""
    delivered: bool
    """Whether the receiver took it: any answer of 2xx."""
    status: int | None
    """The receiver's HTTP status; null where there was no answer."""
    duration_ms: int
    """Milliseconds that it took."""
    error: str | None
    """Why it was not delivered."""
    own_secret: bool
    """Whether the receiver has a secret of its own; else webhooks.secret signed."""
    headers: dict[str, str]
    """Those that a receiver verifies."""
    body: str
    """What was sent, byte for byte."""


class Told(TypedDict):
    limit: int
    """How many requests it grants."""
    left: int
    """How many are left."""
    reset_at: str | None
    """When there are all again."""
    at: str | None
    """When it said so."""


class TransitionBody(TypedDict):
    kind: Literal["cut", "dissolve", "fade", "wipe", "slide", "zoom"]
    duration: NotRequired[float | None]
    """In seconds; unset: what suits the kind."""


class Transition(TypedDict):
    kind: Literal["cut", "dissolve", "fade", "wipe", "slide", "zoom"]
    """How one scene gives way to the next."""
    duration: float
    """Seconds."""


class Upload(TypedDict):
    asset_id: str
    """SHA-256 of the file, hexadecimal; names it in requests."""
    kind: Literal["video", "photo", "audio"]
    """What it is, by its content."""
    name: str
    """Its file name."""
    content_type: str
    """Its media type, by its content."""
    size_bytes: int
    """Its size in bytes."""
    width: int | None
    """Pixels; null for sound."""
    height: int | None
    """Pixels; null for sound."""
    fps: float | None
    """Frames a second of a video."""
    duration: float | None
    """Seconds; null for a photo."""
    sample_rate: int | None
    """Hertz; null where there is no sound file."""
    channels: int | None
    """How many channels of sound; null where there is no sound file."""
    created_at: str | None
    """When it was uploaded."""
    url: str
    """Where to get it. Signed links live for a day."""


class Uploads(TypedDict):
    assets: list[Upload]
    """A page of uploads, newest first."""
    next_cursor: str | None
    """Asks for the next page as `cursor`; null after the last one."""


class UsageEntry(TypedDict):
    day: NotRequired[str]
    """The day (UTC), in a view by day."""
    job: NotRequired[str]
    """The job, in a view by job."""
    key: NotRequired[str]
    """Whose calls they are, in views by key and by job."""
    service: NotRequired[str]
    """The service, in a view by service."""
    first_call_at: NotRequired[str]
    """When the job first called, in a view by job."""
    last_call_at: NotRequired[str]
    """When it last did."""
    calls: int
    """Requests to providers."""
    failed: int
    """Those of them that failed."""
    tokens_in: int
    """Tokens sent to language models."""
    tokens_out: int
    """Tokens that they wrote."""
    cost: float
    """What it cost, in `currency`."""
    services: NotRequired[dict[str, int]]
    """Calls of each service; not in a view by job."""


Usage = TypedDict(
    "Usage",
    {
        "from": "str",
        "to": "str",
        "by": 'Literal["day", "job", "key", "service"]',
        "currency": "str",
        "totals": "Sums",
        "month": "Month",
        "quotas": "list[Quota]",
        "entries": "list[UsageEntry]",
        "next_cursor": "str | None",
    },
)


class Version(TypedDict):
    version: int
    """The version, from 1."""
    author: str
    """Who made it."""
    created_at: str | None
    """When it was made."""
    based_on: int | None
    """The version that it was made from."""
    changes: list[dict[str, Any]]
    """What differs from the version before."""
    rendered: bool
    """Whether the job's result shows it."""


class Versions(TypedDict):
    job_id: str
    """The job."""
    versions: list[Version]
    """All versions, oldest first."""


class VoiceOverBody(TypedDict):
    asset: str
    keep_background: NotRequired[bool]
    """Take nothing of it away as noise."""


class Voice(TypedDict):
    id: str
    """The engine's name of the voice; goes into `voice`."""
    engine: str
    """What makes its speech."""
    language: str
    """What it speaks, as a language tag."""
    gender: str
    """How it sounds."""
    tags: list[str]
    """Other names of it that go into `voice`."""
    usable: bool
    """Whether it can be used here."""
    reason: str | None
    """Why it cannot."""
    get: str | None
    """How to get it."""
    sample_url: NotRequired[str | None]
    """A sentence in this voice, as WAV; null if none can be made."""


class Voices(TypedDict):
    voices: list[Voice]
    """The voices."""
    default: str
    """The voice of a request that names none."""


class Webhooks(TypedDict):
    job_id: str
    """The job."""
    events: list[Event]
    """Its events."""


class Window(TypedDict):
    span: str
    """What the length is called, such as `hour`."""
    seconds: float
    """Its length in seconds."""
    limit: int
    """How many requests fit into it."""
    used: int
    """How many were sent within it up to now."""
    left: int
    """How many are left."""


class WishedOutput(TypedDict):
    name: str
    """Its name among the videos of the job."""
    language: str | None
    """What is spoken, as a language tag; null: that of the main video."""
    voice: str
    """Who speaks."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""


class Word(TypedDict):
    word: str
    """As written."""
    start: float
    """Seconds."""
    end: float
    """Seconds."""
    confidence: float
    """How sure the time is, 0..1."""
