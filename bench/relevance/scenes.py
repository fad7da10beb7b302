"""The labelled scenes, as a job would have them: candidates come through the same door as Pexels' own answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vidgend.models import Candidate
from vidgend.pipeline.footage.pexels_wire import parse_videos
from vidgend.pipeline.planner.keywords import main_phrases, queries_for
from vidgend.pipeline.relevance.port import Wish

SCENES = Path(__file__).parent / "scenes.json"
Half = Literal["dev", "test"]
Kind = Literal["plain", "trap", "none"]
_RUNGS = ((3840, 2160), (1920, 1080), (1280, 720), (960, 540), (640, 360))


@dataclass(frozen=True, kw_only=True)
class LabelledScene:
    """`fits` are the ids of the candidates that fit; `kind` is `plain` (what a search gives), `trap` (every wrong
    candidate shares a word with the scene) or `none` (nothing fits)."""

    subject: str
    half: Half
    kind: Kind
    language: str
    wish: Wish
    candidates: tuple[Candidate, ...]
    fits: frozenset[str]


def labelled_scenes(path: Path = SCENES, *, fresh: bool = False) -> tuple[LabelledScene, ...]:
    """All of them. `fresh`: with the searches that the built-in planner would make now, where they are its own."""
    return tuple(_scenes(json.loads(path.read_text(encoding="utf-8")), fresh))


def search_answer(rows: list[list[Any]]) -> bytes:
    """What Pexels would send: rows are (label, slug-id, seconds, width, height)."""
    return json.dumps(
        {"page": 1, "per_page": 80, "total_results": len(rows), "videos": [_video(*row) for row in rows]}
    ).encode()


def _video(_: str, slug: str, duration_s: int, width_px: int, height_px: int) -> dict[str, Any]:
    number = int(slug.rpartition("-")[2])
    rungs = [(width_px, height_px), *(rung for rung in _RUNGS if rung[0] < width_px)]
    files = [
        {
            "id": number * 10 + place, "quality": "hd" if height >= 720 else "sd", "file_type": "video/mp4",
            "width": width, "height": height, "fps": 25.0, "size": width * height * duration_s // 6,
            "link": f"https://videos.pexels.com/video-files/{number}/{number}-{width}_{height}_25fps.mp4",
        }
        for place, (width, height) in enumerate(rungs)
    ]  # fmt: skip
    picture = f"https://images.pexels.com/videos/{number}/pictures/preview-0.jpeg"
    return {
        "id": number, "width": width_px, "height": height_px, "duration": duration_s, "full_res": None, "tags": [],
        "url": f"https://www.pexels.com/video/{slug}/", "image": picture, "avg_color": None,
        "user": {"id": 1, "name": "Somebody", "url": "https://www.pexels.com/@somebody"},
        "video_files": files, "video_pictures": [{"id": 1, "nr": 0, "picture": picture}],
    }  # fmt: skip


def _scenes(subjects: list[dict[str, Any]], fresh: bool) -> Iterator[LabelledScene]:
    for subject in subjects:
        language = subject["language"]
        narrations = [scene["narration"] for scene in subject["scenes"]]
        about = main_phrases(" ".join([subject["about"], *narrations]), language=language)
        for scene in subject["scenes"]:
            rows = scene["candidates"]
            queries = tuple(scene["queries"])
            if fresh and language == "en":
                queries = queries_for(scene["narration"], language=language, fallback=about)
            yield LabelledScene(
                subject=subject["subject"], half=subject["half"], kind=scene["kind"], language=language,
                wish=Wish(
                    queries=queries, narration=scene["narration"], width_px=1920, height_px=1080, about=subject["about"]
                ),
                candidates=parse_videos(search_answer(rows)),
                fits=frozenset(row[1].rpartition("-")[2] for row in rows if row[0] == "fit"),
            )  # fmt: skip
