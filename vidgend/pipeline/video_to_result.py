"""Checked video + scenes -> result: subtitle files, word times and credits beside it, all of them under their names."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vidgend.models import Brief, OutputResult, Published, Result, Substitution, ranked_view
from vidgend.pipeline.captions_ass import srt_text, vtt_text
from vidgend.pipeline.credits import credits_of, song_credits
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.video_text import video_captions, video_words
from vidgend.pipeline.video_to_description import description_of
from vidgend.pipeline.video_to_report import CheckedVideo, full_report
from vidgend.store.assets.store import AssetStore

ONLY = "main"
"""What the video of a job is called that has but one."""


async def publish_results(
    job_id: str,
    videos: Sequence[tuple[JobRun, Brief, CheckedVideo]],
    *,
    assets: AssetStore,
    scratch: Path,
    describe: bool = True,
) -> Result:
    """Give the files of all videos of a job their names; the first is the main one. `describe`: with a description.

    Raises: StorageFull, StorageUnavailable.
    """
    results = [await _publish(job_id, *video, assets=assets, scratch=scratch, describe=describe) for video in videos]
    files = {role: file for result in results for role, file in result.files.items()}
    outputs = tuple(one for result in results for one in result.outputs)
    degraded = in_common(results[0].degraded, {output.name for output in outputs})
    return replace(results[0], files=files, outputs=outputs, degraded=degraded)


def in_common(degraded: Sequence[Substitution], names: set[str]) -> tuple[Substitution, ...]:
    """The entries, where one that all videos have is said of all at once."""
    of: dict[Substitution, set[str]] = {}
    for entry in degraded:
        of.setdefault(replace(entry, output=None), set()).update({entry.output} if entry.output else names)
    shared = {entry for entry, found in of.items() if found >= names}
    told = (alike if (alike := replace(entry, output=None)) in shared else entry for entry in degraded)
    return tuple(dict.fromkeys(told))


async def _publish(
    job_id: str, run: JobRun, brief: Brief, made: CheckedVideo, *, assets: AssetStore, scratch: Path, describe: bool
) -> Result:
    """The result of one video. What is not the main one has its name in those of its files, and behind their roles."""
    report = await full_report(run, made)
    scenes, video, language = made.storyboard.scenes, made.video, made.storyboard.language
    captions_of = made.captions
    words = video_words(brief, scenes)
    captions = tuple(
        caption for scene, own in zip(scenes, captions_of, strict=True) for caption in video_captions(brief, scene, own)
    )
    spoken = {
        "language": language,
        "words": [
            {
                "word": word.text,
                "start": round(word.start_s, 3),
                "end": round(word.end_s, 3),
                "confidence": round(word.confidence, 3),
            }
            for word in words
        ],
    }
    degraded = tuple(run.substitutions)
    timed = [word for scene in scenes if scene.words is not None for word in scene.words.words]
    credits = credits_of(brief, scenes, song_credits(video.music))
    report = {
        **report,
        "words_source": sorted({scene.words.source for scene in scenes if scene.words is not None}),
        "words_confidence": round(sum(word.confidence for word in timed) / len(timed), 3) if timed else None,
        "voice": sorted({f"{s.speech.engine} {s.speech.voice}" for s in scenes if s.speech is not None}),
        "footage": [
            {
                "scene": s.index + 1,
                "provider": s.clip.provider,
                "id": s.clip.id,
                "query": s.clip.query,
                "why": s.why,
                "ranking": [ranked_view(one) for one in s.ranking],
            }
            for s in scenes
            if s.clip is not None
        ],
        "steps": {
            "run": run.job.steps_run,
            "reused": run.job.steps_reused,
            "slot_wait_s": round(run.job.waited_s, 2),
        },
    }
    written = {
        "srt": ("output.srt", "application/x-subrip", srt_text(captions)),
        "vtt": ("output.vtt", "text/vtt", vtt_text(captions)),
        "words": ("words.json", "application/json", json.dumps(spoken, ensure_ascii=False, indent=1)),
        "credits": (
            "credits.json",
            "application/json",
            json.dumps([credit.__dict__ for credit in credits], ensure_ascii=False, indent=1),
        ),
    }
    if describe:
        text = description_of(brief, made.storyboard, credits)
        written["description"] = ("description.txt", "text/plain; charset=utf-8", text)
    width_px, height_px = brief.picture_px
    digests = {"video": video.digest, "thumbnail": video.thumbnail}
    names = {"video": ("output.mp4", "video/mp4"), "thumbnail": ("thumbnail.jpg", "image/jpeg")}
    for role, (name, content_type, text) in written.items():
        digests[role] = await _put_text(assets, scratch / f"{job_id}-{brief.output_name}-{name}", text)
        names[role] = (name, content_type)
    files = {}
    for role, digest in digests.items():
        name, content_type = names[role]
        if run.output:
            stem, _, suffix = name.partition(".")
            name, role = f"{stem}-{brief.output_name}.{suffix}", f"{role}:{brief.output_name}"
        uri = await assets.publish(digest, job_id, name, content_type)
        size = await assets.size_bytes(digest)
        files[role] = Published(name=name, digest=digest, content_type=content_type, size_bytes=size, uri=uri)
    return Result(
        files=files,
        width_px=width_px,
        height_px=height_px,
        duration_s=report["duration_s"],
        credits=credits,
        degraded=degraded,
        timings={stage: round(seconds, 2) for stage, seconds in run.seconds.items()},
        report=report,
        outputs=(
            OutputResult(
                name=brief.output_name or ONLY, language=language, width_px=width_px, height_px=height_px,
                duration_s=report["duration_s"], report=report if run.output else {},
            ),
        ),
    )  # fmt: skip


async def _put_text(assets: AssetStore, path: Path, text: str) -> str:
    def write() -> Path:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(text, encoding="utf-8")
        return path

    return await assets.put(await asyncio.to_thread(write))
