"""The result of a completed job: of a video, or of a prefetch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from vidgend.http.answers import rfc3339
from vidgend.http.views.base import Time, Url, View, absent
from vidgend.http.views.credits import MediaCreditView, media_credit_view
from vidgend.http.views.jobs import Kind
from vidgend.models import JobState, Published, Result, Substitution
from vidgend.store.jobs import Job


class SubtitlesView(View):
    srt: Url | None = Field(description="SubRip.")
    vtt: Url | None = Field(description="WebVTT.")
    words: Url | None = Field(description="JSON with the time of every word.")


class SubstitutionView(View):
    """Something was replaced by the second best."""

    stage: str = Field(description="Where in the work.")
    wanted: str = Field(description="What it should have been.")
    used: str = Field(description="What it is.")
    reason: str = Field(description="Why.")
    scene: int | None = Field(description="The scene, from 1; null: the whole video.")
    output: str | None = Field(description="The name of the video; null: all of the job's.")


class FileView(View):
    name: str = Field(description="Its file name.")
    url: Url | None = Field(description="Where to get it. Signed links live for a day.")
    content_type: str = Field(description="Its media type.")
    size_bytes: int = Field(description="Its size in bytes.")
    sha256: str = Field(description="SHA-256 of its content, hexadecimal.")
    storage_uri: str = Field(description="Its stable name: `s3://...` or `file:///...`.")


class OutputView(View):
    """One of the videos of a job, the main one first."""

    name: str = Field(description="Its name among the videos of the job.")
    language: str | None = Field(description="What is spoken, as a language tag; null in old results.")
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    duration: float = Field(description="Seconds.")
    video_url: Url | None = Field(description="Where to get the video.")
    thumbnail_url: Url | None = Field(description="A JPEG.")
    subtitles: SubtitlesView = Field(description="Where to get its subtitles.")
    credits_url: Url | None = Field(description="JSON: who made the clips and songs.")
    description_url: Url | None = Field(description="A text to publish with it; null if none was made.")
    storage_uri: str = Field(description="The stable name of the video: `s3://...` or `file:///...`.")
    size_bytes: int = Field(description="Of the video, in bytes.")
    sha256: str = Field(description="SHA-256 of the video, hexadecimal.")
    degraded: list[SubstitutionView] = Field(description="What was substituted in it.")
    report: dict[str, Any] | None = absent("Its quality report; that of the main video is the result's.")


class PrefetchedView(View):
    """A clip that was fetched ahead of time."""

    query: str = Field(description="What was searched for.")
    provider: str = Field(description="Where it was found.")
    id: str = Field(description="Its id there.")
    asset: str | None = Field(description="SHA-256 of the file, hexadecimal.")


class ResultView(View):
    job_id: str = Field(description="The job.")
    status: JobState = Field(description="`completed`, unless this is what there was before the job was begun again.")
    kind: Kind = Field(description="What it is the result of.")
    video_url: Url | None = Field(None, description="Where to get the video. Signed links live for a day.")
    thumbnail_url: Url | None = Field(None, description="A JPEG.")
    storage_uri: str = Field("", description="The stable name of the video: `s3://...` or `file:///...`.")
    subtitles: SubtitlesView | None = absent("Where to get the subtitles.")
    credits: list[MediaCreditView] | None = absent("Who made the clips and songs.")
    credits_url: Url | None = Field(None, description="The credits as a JSON file.")
    description_url: Url | None = Field(None, description="A text to publish with it; null if none was made.")
    duration: float | None = absent("Seconds.")
    width: int | None = absent("Pixels.")
    height: int | None = absent("Pixels.")
    size_bytes: int | None = absent("Of the video, in bytes.")
    sha256: str | None = absent("SHA-256 of the video, hexadecimal.")
    timings: dict[str, float] | None = absent("Seconds that each stage took.")
    degraded: list[SubstitutionView] | None = absent("What was substituted, and why.")
    report: dict[str, Any] | None = absent("The quality report.")
    outputs: list[OutputView] | None = absent("All videos of the job, the main one first.")
    files: dict[str, FileView] | None = absent(
        "All files by their role, such as `video` or `srt`; those of a further video have its name behind it: "
        "`video:9x16`."
    )
    clips: list[PrefetchedView] | None = absent("Of a prefetch: the clips that are here now.")
    failed: list[str] | None = absent("Of a prefetch: what could not be fetched, and why.")
    finished_at: Time | None = Field(description="When the job ended.")
    metadata: dict[str, Any] = Field(description="As the request had it.")


def result_view(job: Job, urls: Mapping[str, str]) -> ResultView:
    """The result of a completed job; `urls` says where the file of each role is."""
    if not isinstance(job.result, Result):
        return _prefetched(job, job.result or {})
    found, files = job.result, job.result.files
    video = files["video"]
    return ResultView.model_construct(
        job_id=job.id,
        status=job.state,
        kind=job.kind,
        video_url=urls.get("video"),
        thumbnail_url=urls.get("thumbnail"),
        storage_uri=video.uri,
        subtitles=_subtitles(urls),
        credits=[media_credit_view(credit) for credit in found.credits],
        credits_url=urls.get("credits"),
        description_url=urls.get("description"),
        duration=found.duration_s,
        width=found.width_px,
        height=found.height_px,
        size_bytes=video.size_bytes,
        sha256=video.digest,
        timings=found.timings,
        degraded=[substitution_view(one) for one in found.degraded],
        report=found.report,
        outputs=[_output(found, number, urls) for number in range(max(1, len(found.outputs)))],
        files={role: _file(file, urls.get(role)) for role, file in files.items()},
        finished_at=rfc3339(job.finished_at),
        metadata=job.metadata,
    )


def _prefetched(job: Job, found: Mapping[str, Any]) -> ResultView:
    clips: Sequence[Mapping[str, Any]] | None = found.get("clips")
    return ResultView.model_construct(
        job_id=job.id,
        status=job.state,
        kind=job.kind,
        clips=None if clips is None else [_clip(clip) for clip in clips],
        failed=found.get("failed"),
        finished_at=rfc3339(job.finished_at),
        metadata=job.metadata,
    )


def _clip(clip: Mapping[str, Any]) -> PrefetchedView:
    return PrefetchedView.model_construct(
        query=clip["query"], provider=clip["provider"], id=clip["id"], asset=clip["asset"]
    )


def _subtitles(urls: Mapping[str, str | None]) -> SubtitlesView:
    return SubtitlesView.model_construct(srt=urls.get("srt"), vtt=urls.get("vtt"), words=urls.get("words"))


def substitution_view(one: Substitution) -> SubstitutionView:
    return SubstitutionView.model_construct(
        stage=one.stage, wanted=one.wanted, used=one.used, reason=one.reason, scene=one.scene, output=one.output
    )


def _file(file: Published, url: str | None) -> FileView:
    return FileView.model_construct(
        name=file.name,
        url=url,
        content_type=file.content_type,
        size_bytes=file.size_bytes,
        sha256=file.digest,
        storage_uri=file.uri,
    )


def _output(found: Result, number: int, urls: Mapping[str, str]) -> OutputView:
    """One of the videos of a job, from 0, the main one, whose report is the result's. Older results say less."""
    one = found.outputs[number] if found.outputs else None
    name = one.name if one else "main"
    files = found.files_of(name if number else None)
    roles = {role: urls.get(f"{role}:{name}" if number else role) for role in files}
    video = files["video"]
    return OutputView.model_construct(
        name=name,
        language=one.language if one else None,
        width=one.width_px if one else found.width_px,
        height=one.height_px if one else found.height_px,
        duration=one.duration_s if one else found.duration_s,
        video_url=roles.get("video"),
        thumbnail_url=roles.get("thumbnail"),
        subtitles=_subtitles(roles),
        credits_url=roles.get("credits"),
        description_url=roles.get("description"),
        storage_uri=video.uri,
        size_bytes=video.size_bytes,
        sha256=video.digest,
        degraded=[substitution_view(entry) for entry in found.degraded if entry.output in (None, name)],
        report=one.report if one and number else None,
    )
