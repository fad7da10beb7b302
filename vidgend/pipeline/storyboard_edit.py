"""Storyboard + what somebody wants changed -> the next version. Pure; what an edit leaves alone stays as it was found,
so that its steps are found finished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from vidgend.models import Brief, Choice, Clip, Scene, Storyboard, Substitution
from vidgend.pipeline.planner.keywords import main_phrases, queries_for
from vidgend.pipeline.speech.markup import narration_fields, plain
from vidgend.pipeline.vocabulary import has_words
from vidgend.store.uploads import PROVIDER as UPLOAD

MOST_SCENES = 200
BY_HAND = "chosen by hand"
"""`Scene.why` of a picture that a person chose."""


class BadEdit(ValueError):
    """`pointer` is the JSON pointer to what is wrong in the edit."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer


@dataclass(frozen=True, kw_only=True)
class ChosenCandidate:
    """One of the scene's candidates, by its name."""

    provider: str
    id: str


@dataclass(frozen=True, kw_only=True)
class SceneEdit:
    """What becomes of the scene called `scene` (its id, or its number from 1 on, in the version that is edited).

    `changes` holds what is to change: `narration`, `query`, `duration_s`, `clip` (a ChosenCandidate, an uploaded Clip)
    and `in_point_s`. None gives the choice back: another clip is looked for, the length follows the words, the best
    part of the clip is taken.
    """

    scene: str | int
    remove: bool = False
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class NewScene:
    """A scene to be put after the one called `after` (0: before all)."""

    after: str | int
    narration: str
    query: str | None = None
    duration_s: float | None = None
    clip: Clip | None = None


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A whole edit. `order` names all scenes that are left, new ones excepted, which follow the one they are after.
    `brief` holds what changes for the whole video, as fields of Brief."""

    scenes: tuple[SceneEdit, ...] = ()
    add: tuple[NewScene, ...] = ()
    order: tuple[str | int, ...] | None = None
    title: str | None = None
    brief: Mapping[str, Any] = field(default_factory=dict)

    def changes_anything(self, storyboard: Storyboard, brief: Brief) -> bool:
        return bool(
            self.add
            or self.order is not None
            or any(one.remove or one.changes for one in self.scenes)
            or self.title not in (None, storyboard.title)
            or replace(brief, **self.brief) != brief
        )


def apply(storyboard: Storyboard, brief: Brief, edit: Edit, *, most_scene_number: int = 0) -> tuple[Storyboard, Brief]:
    """The edited storyboard and request; the very same ones if nothing is to be changed. New scenes are called by
    numbers above `most_scene_number` and those that are there. Raises: BadEdit.
    """
    if not edit.changes_anything(storyboard, brief):
        return storyboard, brief
    old = [replace(scene, id=name) for scene, name in zip(storyboard.scenes, scene_ids(storyboard), strict=True)]
    names = {scene.id: number for number, scene in enumerate(old)}

    def find(name: str | int, pointer: str) -> int:
        number = names.get(name, -1) if isinstance(name, str) else name - 1
        if not 0 <= number < len(old):
            raise BadEdit(pointer, f"there is no scene {name!r}; there are {len(old)}")
        return number

    kept: dict[int, Scene] = {
        number: replace(
            scene,
            kept_frames=scene.frames or scene.kept_frames if storyboard.stretch else None,
            **({} if scene.recorded else _unspoken(edit, brief)),
            motion=scene.index if scene.motion is None else scene.motion,
            start_frame=None,
        )
        for number, scene in enumerate(old)
    }
    before = dict(kept)
    touched: set[int] = set()
    for at, change in enumerate(edit.scenes):
        number = find(change.scene, f"/scenes/{at}")
        if number in touched:
            raise BadEdit(f"/scenes/{at}", f"scene {change.scene!r} is named twice")
        touched.add(number)
        if change.remove:
            del kept[number]
        else:
            kept[number] = _changed(kept[number], change.changes, f"/scenes/{at}")
    order = list(kept)
    if edit.order is not None:
        order = [find(name, f"/order/{at}") for at, name in enumerate(edit.order)]
        if sorted(order) != sorted(kept):
            raise BadEdit("/order", f"must name each of the {len(kept)} scenes that are left, once")
    wanted = replace(brief, **edit.brief)
    as_it_was = kept == before and order == list(before) and wanted == brief
    if as_it_was and not edit.add and edit.title in (None, storyboard.title):
        return storyboard, brief  # all that it names is so already
    rows: list[tuple[int, Scene]] = [(number, kept[number]) for number in order]
    taken = {most_scene_number, *(int(scene.id[1:]) for scene in old if scene.id[1:].isdigit())}
    for at, new in enumerate(edit.add):
        after = find(new.after, f"/add/{at}/after") if new.after != 0 else -1
        if after >= 0 and after not in kept:
            raise BadEdit(f"/add/{at}/after", f"scene {new.after!r} is removed")
        places = [place for place, (number, _) in enumerate(rows) if number == after]
        taken.add(max(taken) + 1)
        made = _new_scene(new, f"s{max(taken)}", storyboard)
        rows.insert(places[-1] + 1 if places else sum(number == -1 for number, _ in rows), (after, made))
    if not rows:
        raise BadEdit("/scenes", "no scene is left")
    if len(rows) > MOST_SCENES:
        raise BadEdit("/add", f"there would be {len(rows)} scenes; {MOST_SCENES} are the most")
    scenes = tuple(replace(scene, index=index) for index, (_, scene) in enumerate(rows))
    if not any(has_words(scene.narration) for scene in scenes):
        raise BadEdit("/scenes", "no scene would have any words")
    title = storyboard.title if edit.title is None else edit.title
    degraded = _still_so(storyboard.degraded, old, scenes)
    songs = storyboard.songs if (wanted.music, wanted.style) == (brief.music, brief.style) else None
    edited = replace(storyboard, scenes=scenes, title=title, degraded=degraded, edited=True, songs=songs)
    return edited, wanted


def _unspoken(edit: Edit, brief: Brief) -> dict[str, Any]:
    """What another voice leaves of a scene's speech: nothing."""
    if edit.brief.get("voice", brief.voice) == brief.voice:
        return {}
    return {"speech": None, "words": None, "frames": None}


def _still_so(
    degraded: Sequence[Substitution], old: Sequence[Scene], scenes: Sequence[Scene]
) -> tuple[Substitution, ...]:
    """What was substituted and is not found out anew by the next run: how it was planned, and the clips that stay."""
    places = {scene.id: number for number, scene in enumerate(scenes, 1)}
    clips = {scene.id: scene.clip for scene in scenes if scene.choice is None}
    stays = {
        number: places[scene.id]
        for number, scene in enumerate(old, 1)
        if scene.clip is not None and clips.get(scene.id) == scene.clip
    }
    kept = []
    for entry in degraded:
        if entry.stage == "planning" and (entry.scene is None or old[entry.scene - 1].id in places):
            number = places[old[entry.scene - 1].id] if entry.scene is not None else None
        elif entry.stage == "retrieving" and (entry.scene in stays if entry.scene is not None else stays):
            number = stays[entry.scene] if entry.scene is not None else None
        else:
            continue
        kept.append(replace(entry, scene=number))
    return tuple(kept)


def scene_ids(storyboard: Storyboard) -> list[str]:
    """The name of every scene; storyboards of the first version of vidgend have none in them."""
    return [scene.id or f"s{scene.index + 1}" for scene in storyboard.scenes]


def chosen_by_hand(scene: Scene) -> bool:
    """Whether a person chose the scene's clip, or where it begins in it. Then no other one is taken unasked."""
    clip = scene.clip
    return scene.why == BY_HAND or (clip is not None and (clip.in_point_s is not None or clip.provider == UPLOAD))


def _changed(scene: Scene, changes: Mapping[str, Any], pointer: str) -> Scene:
    if changes.keys() & {"narration", "query", "clip"}:
        scene = replace(scene, repair=None)  # what was wrong with it is gone
    if "narration" in changes and changes["narration"] != scene.written:
        said = narration_fields(changes["narration"] or "")
        scene = replace(scene, **said, speech=None, words=None, frames=None, caption_chars=None)
    if "duration_s" in changes:
        scene = replace(scene, min_duration_s=changes["duration_s"] or 0.0, kept_frames=None, frames=None)
    if "query" in changes:
        query = changes["query"]
        if query is None:
            raise BadEdit(f"{pointer}/query", "must be a text")
        scene = replace(scene, queries=(query,), clip=None, choice=None, candidates=(), ranking=(), why="")
    if "clip" in changes:
        scene = _with_clip(scene, changes["clip"], f"{pointer}/clip")
    if "in_point_s" in changes:
        scene = _with_in_point(scene, changes["in_point_s"], f"{pointer}/in_point")
    return scene


def _with_clip(scene: Scene, wanted: ChosenCandidate | Clip | None, pointer: str) -> Scene:
    if isinstance(wanted, Clip):
        return replace(scene, clip=wanted, choice=None, why=BY_HAND, ranking=())
    if wanted is None:
        old = scene.clip or (scene.choice.candidate if scene.choice else None)
        refused = (*scene.refused, (old.provider, old.id)) if old is not None else scene.refused
        return replace(scene, clip=None, choice=None, candidates=(), ranking=(), refused=refused, why="")
    if scene.clip is not None and (scene.clip.provider, scene.clip.id) == (wanted.provider, wanted.id):
        return replace(scene, why=BY_HAND, ranking=())
    for candidate in scene.candidates:
        if (candidate.provider, candidate.id) == (wanted.provider, wanted.id):
            return replace(scene, clip=None, choice=Choice(candidate=candidate), why=BY_HAND, ranking=())
    known = ", ".join(f"{one.provider} {one.id}" for one in scene.candidates) or "none"
    raise BadEdit(pointer, f"is not among the scene's candidates: {known}")


def _with_in_point(scene: Scene, in_point_s: float | None, pointer: str) -> Scene:
    if scene.choice is not None:
        if in_point_s is not None and scene.choice.candidate.kind != "video":
            raise BadEdit(pointer, "the scene shows no video")
        return replace(scene, choice=replace(scene.choice, in_point_s=in_point_s))
    if scene.clip is None:
        raise BadEdit(pointer, "the scene has no clip yet")
    if in_point_s is not None and scene.clip.kind != "video":
        raise BadEdit(pointer, "the scene shows no video")
    if in_point_s is not None and in_point_s >= (scene.clip.duration_s or 0.0):
        raise BadEdit(pointer, f"the clip is only {scene.clip.duration_s or 0.0:.2f} s long")
    return replace(scene, clip=replace(scene.clip, in_point_s=in_point_s))


def _new_scene(new: NewScene, name: str, storyboard: Storyboard) -> Scene:
    about = main_phrases("\n".join(scene.narration for scene in storyboard.scenes), language=storyboard.language)
    return Scene(
        index=0,
        id=name,
        **narration_fields(new.narration),
        queries=queries_for(plain(new.narration), language=storyboard.language, fallback=about, first=new.query),
        min_duration_s=new.duration_s or 0.0,
        clip=new.clip,
        why=BY_HAND if new.clip else "",
        motion=int(name[1:]),
    )


# --- what changed --------------------------------------------------------------------------------------------------


def changes_between(old: tuple[Storyboard, Brief], new: tuple[Storyboard, Brief]) -> list[dict[str, Any]]:
    """What differs between two versions, as people would say it: one entry for each changed field or scene."""
    before = dict(zip(scene_ids(old[0]), old[0].scenes, strict=True))
    after = dict(zip(scene_ids(new[0]), new[0].scenes, strict=True))
    found: list[dict[str, Any]] = []
    for name in before:
        if name not in after:
            found.append({"op": "remove", "scene": name, "narration": before[name].written})
    for place, (name, scene) in enumerate(after.items()):
        if name not in before:
            found.append({"op": "add", "scene": name, "at": place + 1, "narration": scene.written})
            continue
        was, now = _shown(before[name]), _shown(scene)
        found += [
            {"op": "change", "scene": name, "field": key, "from": was[key], "to": now[key]}
            for key in now
            if was[key] != now[key]
        ]
    stayed = [name for name in before if name in after]
    if stayed != [name for name in after if name in before]:
        found.append({"op": "order", "from": list(before), "to": list(after)})
    whole_was, whole_now = _shown_whole(*old), _shown_whole(*new)
    found += [
        {"op": "change", "field": key, "from": whole_was[key], "to": whole_now[key]}
        for key in whole_now
        if whole_was[key] != whole_now[key]
    ]
    return found


def _shown(scene: Scene) -> dict[str, Any]:
    picture = scene.choice.candidate if scene.choice else scene.clip
    in_point_s = scene.choice.in_point_s if scene.choice else scene.clip.in_point_s if scene.clip else None
    return {
        "narration": scene.written,
        "queries": list(scene.queries),
        "duration": scene.min_duration_s or None,
        "clip": f"{picture.provider} {picture.id}" if picture else None,
        "in_point": in_point_s,
    }


def _shown_whole(storyboard: Storyboard, brief: Brief) -> dict[str, Any]:
    return {
        "title": storyboard.title,
        "style": brief.style,
        "voice": brief.voice,
        "language": brief.language,
        "captions": asdict(brief.captions),
        "music": asdict(brief.music),
        "transitions": asdict(brief.transitions) if brief.transitions else None,
        "credits_card": brief.credits_card,
    }
