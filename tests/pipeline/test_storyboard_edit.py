"""An edit changes what it names and leaves the rest as it was found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from vidgend.models import Brief, Candidate, Clip, Credit, Scene, Speech, Storyboard, Substitution, Words
from vidgend.pipeline.storyboard_edit import (
    BadEdit,
    ChosenCandidate,
    Edit,
    NewScene,
    SceneEdit,
    apply,
    changes_between,
    chosen_by_hand,
)

CREDIT = Credit(provider="fake")
BRIEF = Brief(prompt="the sea")


def candidate(name: str) -> Candidate:
    return Candidate(provider="fake", id=name, kind="video", description=name, credit=CREDIT)


def scene(index: int) -> Scene:
    clip = Clip(
        provider="fake", id=f"c{index}", kind="video", description="", query="sea", credit=CREDIT, digest="d" * 64,
        duration_s=8.0,
    )  # fmt: skip
    return Scene(
        index=index, id=f"s{index + 1}", narration=f"Sentence {index + 1}.", queries=("sea",), clip=clip,
        candidates=(candidate(f"c{index}"), candidate(f"other{index}")), why="first match",
        speech=Speech(digest="e" * 64, samples=48_000, engine="fake", voice="a"), words=Words(source="engine", words=()),
        start_frame=90 * index, frames=90,
    )  # fmt: skip


def board(*, stretch: bool = False) -> Storyboard:
    return Storyboard(
        title="The sea", language="en", planner="builtin", stretch=stretch, fps="30",
        scenes=tuple(scene(index) for index in range(4)),
    )  # fmt: skip


def edited(stretch: bool = False, **parts: Any) -> Storyboard:
    return apply(board(stretch=stretch), BRIEF, Edit(**parts))[0]


def ids(storyboard: Storyboard) -> list[str]:
    assert [one.index for one in storyboard.scenes] == list(range(len(storyboard.scenes)))
    return [one.id for one in storyboard.scenes]


def change(scene: str | int, **changes: Any) -> SceneEdit:
    return SceneEdit(scene=scene, changes=changes)


def test_new_words_are_to_be_spoken_and_the_picture_stays() -> None:
    made = edited(scenes=(change("s2", narration="Something else."),))
    new, old = made.scenes[1], board().scenes[1]
    assert (new.narration, new.speech, new.words, new.frames) == ("Something else.", None, None, None)
    assert new.clip == old.clip
    others = [replace(one, start_frame=None, motion=one.index) for one in board().scenes]
    assert [made.scenes[at] for at in (0, 2, 3)] == [others[at] for at in (0, 2, 3)], "the others are as they were"


@pytest.mark.parametrize(
    "edit",
    [
        Edit(), Edit(title="The sea"), Edit(scenes=(SceneEdit(scene=1),)), Edit(brief={"voice": BRIEF.voice}),
    ],
)  # fmt: skip
def test_an_edit_that_changes_nothing_leaves_everything_as_it_was(edit: Edit) -> None:
    assert apply(board(stretch=True), BRIEF, edit) == (board(stretch=True), BRIEF)


def test_scenes_are_named_by_id_or_by_number() -> None:
    assert edited(scenes=(change(2, narration="x"),)) == edited(scenes=(change("s2", narration="x"),))


def test_in_a_stretched_video_each_scene_keeps_its_length() -> None:
    made = edited(stretch=True, scenes=(change(2, narration="Something else."),))
    assert [one.kept_frames for one in made.scenes] == [90, 90, 90, 90]
    longer = edited(stretch=True, scenes=(change(2, duration_s=7.0),)).scenes[1]
    assert (longer.kept_frames, longer.min_duration_s) == (None, 7.0)
    assert edited(scenes=(change(2, narration="x"),)).scenes[0].kept_frames is None, "else words say how long it is"
    all_of_them = edited(stretch=True, scenes=tuple(change(number, duration_s=3.0) for number in (1, 2, 3, 4)))
    assert all_of_them.edited, "nothing is stretched again, also if no length was kept"


def test_another_voice_leaves_nothing_of_the_speech_and_the_same_one_all() -> None:
    made = edited(brief={"voice": "another"})
    assert {(one.speech, one.words, one.frames) for one in made.scenes} == {(None, None, None)}
    assert edited(brief={"voice": BRIEF.voice}).scenes[0].speech is not None


def test_what_was_mended_for_old_words_is_not_kept_for_new_ones() -> None:
    mended = replace(board(), scenes=(replace(scene(0), caption_chars=30), *board().scenes[1:]))
    new, _ = apply(mended, BRIEF, Edit(scenes=(change(1, narration="Other words."),)))
    assert new.scenes[0].caption_chars is None


def test_what_was_substituted_is_told_as_long_as_it_is_so() -> None:
    def told(stage: str, number: int | None) -> Substitution:
        return Substitution(stage=stage, scene=number, wanted="a", used="b", reason=f"{stage} {number}")

    entries = (
        told("planning", None), told("retrieving", None), told("retrieving", 1), told("retrieving", 2),
        told("retrieving", 3), told("rendering", 1),
    )  # fmt: skip
    edit = Edit(order=("s3", "s2", "s4"), scenes=(SceneEdit(scene="s1", remove=True), change("s2", query="else")))
    made, _ = apply(replace(board(), degraded=entries), BRIEF, edit)
    assert [(one.reason, one.scene) for one in made.degraded] == [
        ("planning None", None), ("retrieving None", None), ("retrieving 3", 1)
    ]  # fmt: skip


def test_the_clip_that_is_shown_can_be_pinned() -> None:
    made = edited(scenes=(change(1, clip=ChosenCandidate(provider="fake", id="c0")),)).scenes[0]
    assert chosen_by_hand(made) and made.clip == board().scenes[0].clip


def test_another_candidate_is_to_be_fetched() -> None:
    made = edited(scenes=(change(1, clip=ChosenCandidate(provider="fake", id="other0"), in_point_s=2.0),)).scenes[0]
    assert made.clip is None and made.choice is not None
    assert (made.choice.candidate.id, made.choice.in_point_s) == ("other0", 2.0)
    same = edited(scenes=(change(1, clip=ChosenCandidate(provider="fake", id="c0")),)).scenes[0]
    assert same.clip == board().scenes[0].clip, "what is there already is not fetched again"


def test_giving_a_clip_back_looks_for_another_one() -> None:
    made = edited(scenes=(change(1, clip=None),)).scenes[0]
    assert (made.clip, made.candidates, made.refused) == (None, (), (("fake", "c0"),))


def test_another_query_looks_for_another_clip() -> None:
    made = edited(scenes=(change(1, query="harbour"),)).scenes[0]
    assert (made.queries, made.clip, made.candidates) == (("harbour",), None, ())


def test_the_in_point_is_chosen_and_given_back() -> None:
    chosen = edited(scenes=(change(1, in_point_s=2.5),))
    assert chosen.scenes[0].clip is not None and chosen.scenes[0].clip.in_point_s == 2.5
    back = apply(chosen, BRIEF, Edit(scenes=(change(1, in_point_s=None),)))[0]
    assert back.scenes[0].clip == board().scenes[0].clip


def test_scenes_change_places_with_all_that_is_theirs() -> None:
    made = edited(order=("s3", 1, 2, "s4"))
    assert ids(made) == ["s3", "s1", "s2", "s4"]
    assert [one.motion for one in made.scenes] == [2, 0, 1, 3], "a photo goes on moving as it did"
    assert made.scenes[0].speech == board().scenes[2].speech


def test_scenes_are_added_and_removed() -> None:
    made = edited(
        scenes=(SceneEdit(scene=2, remove=True),),
        add=(NewScene(after=0, narration="A lighthouse."), NewScene(after="s3", narration="A gull.", query="gull")),
    )
    assert ids(made) == ["s5", "s1", "s3", "s6", "s4"]
    assert made.scenes[0].queries[0] == "lighthouse" and made.scenes[3].queries[0] == "gull"
    again = apply(made, BRIEF, Edit(add=(NewScene(after="s4", narration="The end."),)))[0]
    assert ids(again)[-1] == "s7", "an id is never given twice"
    without = apply(made, BRIEF, Edit(scenes=(SceneEdit(scene="s6", remove=True),)))[0]
    anew = apply(without, BRIEF, Edit(add=(NewScene(after=0, narration="x"),)), most_scene_number=6)[0]
    assert ids(anew)[0] == "s7", "nor that of a scene that is gone"


def test_new_scenes_follow_the_one_they_are_after_wherever_it_goes() -> None:
    made = edited(order=(4, 3, 2, 1), add=(NewScene(after=3, narration="one"), NewScene(after=3, narration="two")))
    assert ids(made) == ["s4", "s3", "s5", "s6", "s2", "s1"]


def test_what_holds_for_the_whole_video_goes_into_the_request() -> None:
    storyboard, brief = apply(board(), BRIEF, Edit(title="Waves", brief={"style": "noir", "voice": "bf_emma"}))
    assert (storyboard.title, brief.style, brief.voice, brief.prompt) == ("Waves", "noir", "bf_emma", "the sea")


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        ({"scenes": (change(5, narration="x"),)}, "/scenes/0"),
        ({"scenes": (change("s9", narration="x"),)}, "/scenes/0"),
        ({"scenes": (change(1, narration="x"), change("s1", narration="y"))}, "/scenes/1"),
        ({"scenes": (change(1, clip=ChosenCandidate(provider="fake", id="none")),)}, "/scenes/0/clip"),
        ({"scenes": (change(1, in_point_s=8.0),)}, "/scenes/0/in_point"),
        ({"scenes": (change(1, clip=None, in_point_s=1.0),)}, "/scenes/0/in_point"),
        ({"scenes": (change(1, query=None),)}, "/scenes/0/query"),
        ({"scenes": tuple(SceneEdit(scene=n, remove=True) for n in (1, 2, 3, 4))}, "/scenes"),
        ({"scenes": tuple(change(n, narration="") for n in (1, 2, 3, 4))}, "/scenes"),
        ({"order": (1, 2, 3)}, "/order"),
        ({"order": (1, 2, 3, 3)}, "/order"),
        ({"order": (1, 2, 3, 7)}, "/order/3"),
        ({"add": (NewScene(after=9, narration="x"),)}, "/add/0/after"),
        ({"scenes": (SceneEdit(scene=2, remove=True),), "add": (NewScene(after=2, narration="x"),)}, "/add/0/after"),
        ({"add": tuple(NewScene(after=0, narration="x") for _ in range(197))}, "/add"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(parts: dict[str, Any], pointer: str) -> None:
    with pytest.raises(BadEdit) as refused:
        edited(**parts)
    assert refused.value.pointer == pointer


def test_the_changes_are_told_as_people_would_say_them() -> None:
    old = (board(), BRIEF)
    edit = Edit(
        scenes=(change(1, narration="New."), SceneEdit(scene=2, remove=True), change(3, in_point_s=1.0)),
        add=(NewScene(after=4, narration="More."),),
        order=(4, 3, 1),
        brief={"style": "noir"},
    )
    told = changes_between(old, apply(*old, edit))
    assert told == [
        {"op": "remove", "scene": "s2", "narration": "Sentence 2."},
        {"op": "add", "scene": "s5", "at": 2, "narration": "More."},
        {"op": "change", "scene": "s3", "field": "in_point", "from": None, "to": 1.0},
        {"op": "change", "scene": "s1", "field": "narration", "from": "Sentence 1.", "to": "New."},
        {"op": "order", "from": ["s1", "s2", "s3", "s4"], "to": ["s4", "s5", "s3", "s1"]},
        {"op": "change", "field": "style", "from": "cinematic", "to": "noir"},
    ]
    assert changes_between(old, old) == []


def test_an_edit_that_says_what_is_so_already_changes_nothing() -> None:
    stretched = replace(board(), stretch=True)
    same = Edit(scenes=(change(1, narration=stretched.scenes[0].written),), title=stretched.title)
    assert apply(stretched, BRIEF, same) == (stretched, BRIEF)
    assert apply(stretched, BRIEF, same)[0] is stretched
