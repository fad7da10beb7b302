"""Checked video + scenes -> result: subtitle files, word times and credits beside it, all of them under their names."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from vidgend.models import Brief, Caption, Published, Result, Scene
from vidgend.pipeline.captions_ass import srt_text, vtt_text
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.segments_to_video import JoinedVideo
from vidgend.pipeline.video_text import credits_of, video_captions, video_words
from vidgend.store.assets.store import AssetStore


async def publish_result(
    job_id: str,
    brief: Brief,
    run: JobRun,
    scenes: tuple[Scene, ...],
    captions_of: list[tuple[Caption, ...]],
    language: str,
    video: JoinedVideo,
    report: dict[str, Any],
    *,
    assets: AssetStore,
    scratch: Path,
) -> Result:
    """Give the files of a job their names. `captions_of` are each scene's, in its own time.

    Raises: StorageFull, StorageUnavailable.
    """
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
    credits = credits_of(scenes, video)
    report = {
        **report,
        "words_source": sorted({scene.words.source for scene in scenes if scene.words is not None}),
        "voice": sorted({f"{s.speech.engine} {s.speech.voice}" for s in scenes if s.speech is not None}),
        "footage": [
            {
                "scene": s.index + 1,
                "provider": s.clip.provider,
                "id": s.clip.id,
                "query": s.clip.query,
                "why": s.why,
            }
            for s in scenes
            if s.clip is not None
        ],
        "steps": {"run": run.steps_run, "reused": run.steps_reused, "slot_wait_s": round(run.waited_s, 2)},
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
    digests = {"video": video.digest, "thumbnail": video.thumbnail}
    names = {"video": ("output.mp4", "video/mp4"), "thumbnail": ("thumbnail.jpg", "image/jpeg")}
    for role, (name, content_type, text) in written.items():
        digests[role] = await _put_text(assets, scratch / f"{job_id}-{name}", text)
        names[role] = (name, content_type)
    files = {}
    for role, digest in digests.items():
        name, content_type = names[role]
        uri = await assets.publish(digest, job_id, name, content_type)
        size = await assets.size_bytes(digest)
        files[role] = Published(name=name, digest=digest, content_type=content_type, size_bytes=size, uri=uri)
    return Result(
        files=files,
        width_px=brief.width_px,
        height_px=brief.height_px,
        duration_s=report["duration_s"],
        credits=credits,
        degraded=degraded,
        timings={stage: round(seconds, 2) for stage, seconds in run.seconds.items()},
        report=report,
    )


async def _put_text(assets: AssetStore, path: Path, text: str) -> str:
    def write() -> Path:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(text, encoding="utf-8")
        return path

    return await assets.put(await asyncio.to_thread(write))
