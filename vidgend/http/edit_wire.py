"""What clients send to change a storyboard, and how it becomes an edit. Unknown fields are refused.

A JSON Merge Patch (RFC 7396) for each scene and for the video: what is left out stays, null gives a choice back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from vidgend.http.fields import (
    MAX_SCENES,
    Author,
    Body,
    Flag,
    Narration,
    Query,
    Real,
    SceneCount,
    SceneNumber,
    StyleName,
    VersionNumber,
    VoiceName,
    given,
)  # fmt: skip
from vidgend.http.views.base import absent
from vidgend.http.wire import (
    AssetBody,
    CaptionBody,
    Defaults,
    MusicBody,
    TransitionBody,
    captions_of,
    transition_of,
)
from vidgend.models import Brief, CaptionOptions, Clip, MusicOptions, Quality, TransitionKind
from vidgend.pipeline.storyboard_edit import ChosenCandidate, Edit, NewScene, SceneEdit
from vidgend.pipeline.styles import find_style
from vidgend.setting_types import NO_NUL

SceneName = Annotated[str, StringConstraints(min_length=1, max_length=20, pattern=NO_NUL)]
UploadedClip = Callable[[str, str], Clip]
"""The clip for the id of an upload; the second argument is the JSON pointer to say what is wrong with."""


class CandidateBody(Body):
    """One of the scene's candidates."""

    provider: Annotated[str, StringConstraints(max_length=40, pattern=NO_NUL)]
    id: Annotated[str, StringConstraints(max_length=200, pattern=NO_NUL)]


def _named(name: str, other: str, kind: str, *, removed: bool = False) -> dict[str, Any]:
    schema = given(name, other, type=kind)
    if removed:
        return schema | {"propertyNames": {"enum": [name, other, "remove"]}}
    schema["properties"]["remove"] = {"const": False}
    return schema


class ScenePatch(Body):
    """What becomes of one scene, named by its `id` or by its number (`index`, from 1 on)."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                _named("id", "index", "string"),
                _named("index", "id", "integer"),
                _named("id", "index", "string", removed=True),
                _named("index", "id", "integer", removed=True),
            ]
        }
    )

    id: SceneName | None = None
    index: SceneNumber | None = None
    remove: Flag = False
    narration: Narration | None = None
    query: Query | None = absent("What is searched for it; its clip is looked for anew.")
    duration: Real | None = Field(None, gt=0, le=600, description="Least length in seconds; null: as the words need.")
    clip: CandidateBody | AssetBody | None = Field(
        None, description="A candidate or an upload; null: look for another one."
    )
    in_point: Real | None = Field(None, ge=0, description="Second of the clip where it begins; null: its best part.")

    @model_validator(mode="after")
    def _one_name(self) -> ScenePatch:
        if (self.id is None) == (self.index is None):
            raise ValueError("name the scene by id or by index")
        if self.remove and len(self.model_fields_set - {"id", "index"}) > 1:
            raise ValueError("a scene that is removed cannot be changed as well")
        return self


class AddedScene(Body):
    """A new scene, put after the one called `after`; 0 puts it first."""

    after: SceneName | SceneCount
    narration: Narration
    query: Query | None = None
    duration: Real | None = Field(None, gt=0, le=600)
    clip: AssetBody | None = None


def _something_to_change(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"required": [name]} for name in schema["properties"] if name != "author"]


class PatchBody(Body):
    """The body of PATCH /mcp/storyboard/<id>."""

    model_config = ConfigDict(json_schema_extra=_something_to_change)

    scenes: tuple[ScenePatch, ...] = Field((), max_length=MAX_SCENES)
    add: tuple[AddedScene, ...] = Field((), max_length=MAX_SCENES)
    order: tuple[SceneName | SceneNumber, ...] | None = Field(
        None, min_length=1, max_length=MAX_SCENES, description="All scenes that are left, in their new order."
    )
    title: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL)] | None = None
    style: StyleName | None = None
    voice: VoiceName | None = None
    captions: CaptionBody | Flag | None = None
    music: MusicBody | Literal["none"] | None = None
    transitions: TransitionBody | TransitionKind | None = None
    credits_card: Flag | None = None
    author: Author = "api"

    @model_validator(mode="after")
    def _something(self) -> PatchBody:
        if not self.model_fields_set - {"author"}:
            raise ValueError("nothing is to be changed")
        return self


class RevertBody(Body):
    """The body of POST /mcp/storyboard/<id>/revert."""

    version: VersionNumber
    author: Author = "api"


class RenderBody(Body):
    """The body of POST /mcp/render/<id>: which version (the newest) and how good (as the job asked)."""

    version: VersionNumber | None = None
    quality: Quality | None = None


def to_edit(
    body: PatchBody, brief: Brief, defaults: Defaults, uploaded: UploadedClip, *, music_title: str | None
) -> Edit:
    """`music_title` is what the music is called that the body names.

    Raises: UnknownStyle, UnknownPreset, and what `uploaded` raises.
    """
    return Edit(
        scenes=tuple(_scene(patch, f"/scenes/{at}", uploaded) for at, patch in enumerate(body.scenes)),
        add=tuple(
            NewScene(
                after=new.after,
                narration=new.narration,
                query=new.query,
                duration_s=new.duration,
                clip=uploaded(new.clip.asset, f"/add/{at}/clip/asset") if new.clip else None,
            )
            for at, new in enumerate(body.add)
        ),
        order=body.order,
        title=body.title,
        brief=_whole(body, brief, defaults, music_title),
    )


def _scene(patch: ScenePatch, pointer: str, uploaded: UploadedClip) -> SceneEdit:
    given: dict[str, Any] = {}
    names = {"narration": "narration", "query": "query", "duration": "duration_s", "in_point": "in_point_s"}
    for name in patch.model_fields_set & set(names):
        given[names[name]] = getattr(patch, name)
    if "clip" in patch.model_fields_set:
        wanted = patch.clip
        if isinstance(wanted, AssetBody):
            given["clip"] = uploaded(wanted.asset, f"{pointer}/clip/asset")
        else:
            given["clip"] = ChosenCandidate(provider=wanted.provider, id=wanted.id) if wanted is not None else None
    name_of: str | int | None = patch.id if patch.id is not None else patch.index
    assert name_of is not None
    return SceneEdit(scene=name_of, remove=patch.remove, changes=given)


def _whole(body: PatchBody, brief: Brief, defaults: Defaults, music_title: str | None) -> Mapping[str, Any]:
    given = body.model_fields_set
    changes: dict[str, Any] = {}
    if "style" in given:
        changes["style"] = find_style(body.style or "cinematic").name
    if "voice" in given:
        changes["voice"] = body.voice or defaults.voice
    if "transitions" in given:
        changes["transitions"] = transition_of(body.transitions)
    if "credits_card" in given:
        changes["credits_card"] = defaults.credits_card if body.credits_card is None else body.credits_card
    if "captions" in given:
        if body.captions is None:
            changes["captions"] = CaptionOptions()
        elif isinstance(body.captions, bool):
            changes["captions"] = replace(brief.captions, enabled=body.captions)
        else:
            merged = captions_of(body.captions)
            changes["captions"] = replace(
                brief.captions, **{name: getattr(merged, name) for name in body.captions.model_fields_set}
            )
    if "music" in given:
        changes["music"] = _music(body.music, brief.music, defaults, music_title)
    return changes


def _music(body: MusicBody | str | None, music: MusicOptions, defaults: Defaults, title: str | None) -> MusicOptions:
    if body is None:
        return MusicOptions(enabled=defaults.music)
    if isinstance(body, str):
        body = MusicBody(none=True)
    changes = {name: getattr(body, name) for name in body.model_fields_set - {"none"}}
    if "none" in body.model_fields_set:
        changes["enabled"] = not body.none
    elif body.mood is not None or body.asset is not None:
        changes["enabled"] = True
    if body.mood is not None:
        changes["asset"] = None
    if "asset" in changes:
        changes["title"] = title if body.asset is not None else None
    return replace(music, **changes)
