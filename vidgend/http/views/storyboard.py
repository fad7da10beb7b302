"""The storyboard of a job: scenes, narration, pictures found, words and times; its versions, and what is rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from vidgend.http.answers import rfc3339
from vidgend.http.views.base import Time, View
from vidgend.http.views.scenes import SceneView, scene_view
from vidgend.models import Brief, JobState, Quality, TransitionKind
from vidgend.pipeline.foresee import Piece, Reuse
from vidgend.store.jobs import Job
from vidgend.store.storyboards import Version, VersionLine
from vidgend.timebase import parse_fps

Change = dict[str, Any]


class CaptionsView(View):
    enabled: bool = Field(description="Whether words are burnt into the picture.")
    preset: str | None = Field(description="How they look; null: as the style has it.")
    font: str | None = Field(description="The font's family; null: that of the preset.")
    highlight: bool = Field(description="Whether the spoken word is coloured.")
    position: Literal["bottom", "middle", "top"] | None = Field(description="null: as the preset has it.")


class MusicView(View):
    none: bool = Field(description="Whether there is no music.")
    mood: str | None = Field(description="null: as the style has it.")
    asset: str | None = Field(description="SHA-256 of the uploaded song that is the music.")
    volume: float = Field(description="0..2; 1 is the normal bed under a voice.")
    ducking: bool = Field(description="Whether it gives way to the voice.")


class TransitionView(View):
    kind: TransitionKind = Field(description="How one scene gives way to the next.")
    duration: float = Field(description="Seconds.")


class WishedOutputView(View):
    name: str = Field(description="Its name among the videos of the job.")
    language: str | None = Field(description="What is spoken, as a language tag; null: that of the main video.")
    voice: str = Field(description="Who speaks.")
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")


class RequestView(View):
    """What holds for the whole video, under the names by which it can be changed."""

    style: str = Field(description="The style.")
    voice: str = Field(description="Who speaks.")
    language: str | None = Field(description="A language tag; null: as the text is.")
    captions: CaptionsView = Field(description="The captions.")
    music: MusicView = Field(description="The music.")
    transitions: TransitionView | None = Field(description="Between all scenes; null: as the style has it.")
    credits_card: bool = Field(description="Whether a card with the credits comes at the end.")
    quality: Quality = Field(description="How well it is made.")
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    outputs: list[WishedOutputView] = Field(description="The videos besides the main one.")


class StoryboardView(View):
    job_id: str = Field(description="The job.")
    version: int = Field(description="The version, from 1; goes into If-Match.")
    status: JobState = Field(description="The state of the job.")
    title: str = Field(description="The title of the video.")
    language: str = Field(description="What is spoken, as a language tag.")
    planner: str = Field(description="Who wrote the storyboard.")
    mood: str | None = Field(description="The mood that the planner saw in it.")
    stretch: bool = Field(description="Whether footage and music carry the wished length past the words.")
    fps: str = Field(description="Frames a second, as `30` or `30000/1001`.")
    scenes: list[SceneView] = Field(description="The scenes in their order.")
    request: RequestView = Field(description="What holds for the whole video.")
    author: str = Field(description="Who made this version.")
    created_at: Time | None = Field(description="When it was made.")
    based_on: int | None = Field(description="The version that it was made from.")
    changes: list[Change] = Field(description="What differs from the version before.")


class VersionView(View):
    version: int = Field(description="The version, from 1.")
    author: str = Field(description="Who made it.")
    created_at: Time | None = Field(description="When it was made.")
    based_on: int | None = Field(description="The version that it was made from.")
    changes: list[Change] = Field(description="What differs from the version before.")
    rendered: bool = Field(description="Whether the job's result shows it.")


class VersionsView(View):
    job_id: str = Field(description="The job.")
    versions: list[VersionView] = Field(description="All versions, oldest first.")


class PieceView(View):
    kind: Literal["scene", "transition", "card"] = Field(
        description="The body of a scene, the transition after it, or the closing card."
    )
    scene: int = Field(description="The scene, from 1.")


class SegmentsView(View):
    reused: list[PieceView] = Field(description="What is there already.")
    rebuilt: list[PieceView] = Field(description="What is made anew.")


class RenderView(View):
    job_id: str = Field(description="The job.")
    status: Literal["accepted"] = Field(description="The job is in the queue again.")
    message: str = Field(description="The same for people.")
    version: int = Field(description="The version that is rendered.")
    segments: SegmentsView = Field(description="Of which segments the video is made.")


def request_view(brief: Brief) -> RequestView:
    captions, music, transitions = brief.captions, brief.music, brief.transitions
    return RequestView.model_construct(
        style=brief.style,
        voice=brief.voice,
        language=brief.language,
        captions=CaptionsView.model_construct(
            enabled=captions.enabled,
            preset=captions.preset,
            font=captions.font,
            highlight=captions.highlight,
            position=captions.position,
        ),
        music=MusicView.model_construct(
            none=not music.enabled,
            mood=music.mood,
            asset=music.asset,
            volume=music.volume,
            ducking=music.ducking,
        ),
        transitions=TransitionView.model_construct(kind=transitions.kind, duration=transitions.duration_s)
        if transitions
        else None,
        credits_card=brief.credits_card,
        quality=brief.quality,
        width=brief.width_px,
        height=brief.height_px,
        outputs=[
            WishedOutputView.model_construct(
                name=one.name,
                language=one.language or brief.language,
                voice=one.voice or brief.voice,
                width=one.width_px,
                height=one.height_px,
            )
            for one in brief.outputs
        ],
    )


def storyboard_view(job: Job, version: Version, thumbnails: Mapping[str, str]) -> StoryboardView:
    """`thumbnails`: digest -> URL of those that are there."""
    board = version.storyboard
    fps = parse_fps(board.fps)
    return StoryboardView.model_construct(
        job_id=job.id,
        version=version.number,
        status=job.state,
        title=board.title,
        language=board.language,
        planner=board.planner,
        mood=board.mood,
        stretch=board.stretch,
        fps=board.fps,
        scenes=[scene_view(scene, fps, thumbnails) for scene in board.scenes],
        request=request_view(version.brief),
        author=version.author,
        created_at=rfc3339(version.created_at),
        based_on=version.based_on,
        changes=version.changes,
    )


def versions_view(job: Job, lines: Sequence[VersionLine]) -> VersionsView:
    versions = [
        VersionView.model_construct(
            version=line.number,
            author=line.author,
            created_at=rfc3339(line.created_at),
            based_on=line.based_on,
            changes=line.changes,
            rendered=job.state == "completed" and line.number == (job.version or 1),
        )
        for line in lines
    ]
    return VersionsView.model_construct(job_id=job.id, versions=versions)


def render_view(job_id: str, version: int, reuse: Reuse) -> RenderView:
    return RenderView.model_construct(
        job_id=job_id,
        status="accepted",
        message=f"Version {version} will be rendered.",
        version=version,
        segments=SegmentsView.model_construct(
            reused=[_piece(piece) for piece in reuse.reused], rebuilt=[_piece(piece) for piece in reuse.rebuilt]
        ),
    )


def _piece(piece: Piece) -> PieceView:
    return PieceView.model_construct(kind=piece.kind, scene=piece.scene)
