"""What further videos take over from the main one, without making any."""

from __future__ import annotations

from dataclasses import replace

from vidgend.models import (
    Brief,
    Clip,
    Credit,
    Output,
    Repair,
    Scene,
    SceneBrief,
    Speech,
    Storyboard,
    Substitution,
)
from vidgend.pipeline.disk_estimate import estimate_bytes
from vidgend.pipeline.progress import Progress
from vidgend.pipeline.scene_to_segment import RenderSettings, encoding_args
from vidgend.pipeline.storyboard_to_outputs import (
    Words,
    brief_of,
    given_texts,
    storyboard_of,
    to_translate,
)
from vidgend.pipeline.video_to_result import in_common

TALL = Output(name="tall", width_px=1080, height_px=1920)
GERMAN = Output(
    name="de", width_px=1920, height_px=1080, voice="de-neutral", language="de", narrations=("Meer.", "", "Nacht.")
)
PAINTED = Clip(
    provider="generated", id="sea", kind="generated", description="", query="sea", credit=Credit(provider="generated"),
    recipe={"theme": "sea", "width_px": 1920, "height_px": 1080},
)  # fmt: skip
BRIEF = Brief(
    prompt="",
    scenes=tuple(SceneBrief(narration=text) for text in ("The sea.", "", "Night.")),
    outputs=(TALL, GERMAN),
    output_name="wide",
)


def board() -> Storyboard:
    speech = Speech(digest="a" * 64, samples=48_000, engine="fake", voice="fake_a")
    scenes = (
        Scene(index=0, id="s1", narration="The sea.", queries=("sea",), clip=PAINTED, speech=speech, frames=60),
        Scene(index=1, id="s2", narration="", queries=("sea",), frames=30),
        Scene(index=2, id="s3", narration="Night.", queries=("night",), speech=speech, frames=60, caption_chars=31),
    )
    return Storyboard(title="Sea", language="en", planner="builtin", stretch=False, fps="30", scenes=scenes)


def words(storyboard: Storyboard, *, language: str = "en") -> Words:
    return Words(title=storyboard.title, language=language, texts=tuple(scene.narration for scene in storyboard.scenes))


def test_another_shape_keeps_the_speech_and_paints_its_pictures_anew() -> None:
    shown = board()
    tall = storyboard_of(shown, BRIEF, brief_of(BRIEF, TALL), words(shown))
    assert [(scene.speech, scene.frames) for scene in tall.scenes] == [
        (scene.speech, scene.frames) for scene in shown.scenes
    ]
    clip = tall.scenes[0].clip
    assert clip is not None and clip.recipe == {"theme": "sea", "width_px": 1080, "height_px": 1920}
    assert tall.scenes[2].caption_chars is None, "how long a line may be depends on the shape"


def test_other_words_take_nothing_from_the_speech() -> None:
    shown = board()
    german = storyboard_of(shown, BRIEF, brief_of(BRIEF, GERMAN), words(shown, language="de"))
    assert german.language == "de"
    assert all((scene.speech, scene.frames) == (None, None) for scene in german.scenes)
    assert german.scenes[0].clip == PAINTED


def test_a_repaired_clip_stays_repaired_in_every_video() -> None:
    shown = board()
    repair = Repair(check="frozen", was="fake clip0", reason="it stands still")
    shown = replace(shown, scenes=(replace(shown.scenes[0], repair=repair), *shown.scenes[1:]))
    assert storyboard_of(shown, BRIEF, brief_of(BRIEF, TALL), words(shown)).scenes[0].repair == repair


def test_given_words_belong_to_the_scene_that_they_were_written_for() -> None:
    shown = board()
    assert given_texts(BRIEF, GERMAN, shown) == ["Meer.", "", "Nacht."]
    assert to_translate(BRIEF, GERMAN, shown) == []
    turned = tuple(replace(shown.scenes[old], index=new) for new, old in enumerate((2, 0)))
    new = Scene(index=2, id="s4", narration="Stars.", queries=("stars",))
    edited = replace(shown, scenes=(*turned, new))
    assert given_texts(BRIEF, GERMAN, edited) == ["Nacht.", "Meer.", None]
    assert to_translate(BRIEF, GERMAN, edited) == [2]
    reworded = replace(shown, scenes=(replace(shown.scenes[0], narration="A lake."), *shown.scenes[1:]))
    assert to_translate(BRIEF, GERMAN, reworded) == [0]


def test_a_region_is_no_other_language() -> None:
    british = Output(name="gb", width_px=1920, height_px=1080, language="en-GB", voice="en-GB-female")
    assert to_translate(BRIEF, british, board()) == []
    assert to_translate(BRIEF, replace(GERMAN, narrations=()), board()) == [0, 2]


def test_the_disk_estimate_counts_every_video_and_each_clip_once() -> None:
    alone = estimate_bytes(replace(BRIEF, outputs=()))
    two = estimate_bytes(replace(BRIEF, outputs=(TALL,)))
    assert alone < two < 3 * alone
    assert estimate_bytes(BRIEF) > two


def test_progress_counts_the_scenes_and_the_work_of_all_videos() -> None:
    progress = Progress()
    settings = RenderSettings(preset="veryfast", crf=21, threads=1)
    shown = board()
    for number, brief in enumerate((BRIEF, brief_of(BRIEF, TALL), brief_of(BRIEF, GERMAN))):
        progress.plan_video(
            brief, shown, encoding_args(brief, settings), output=number, speech_of=0 if number == 1 else None
        )
    assert progress.scenes_total == 9
    kinds = [(work.kind, work.output) for work in progress.works]
    assert [kinds.count(("speech", number)) for number in range(3)] == [2, 0, 2], "the second speaks with the first"
    assert [kinds.count(("fetch", number)) for number in range(3)] == [3, 0, 0]
    assert [kinds.count(("segment", number)) for number in range(3)] == [3, 3, 3]
    progress.scene_done(0)
    progress.scene_done(1)
    assert progress.scenes_done == 2
    progress.plan_video(BRIEF, shown, encoding_args(BRIEF, settings))
    assert progress.scenes_done == 1, "the first is made anew, the second is not"
    kinds = [(work.kind, work.output) for work in progress.works]
    assert [kinds.count(("segment", number)) for number in range(3)] == [3, 3, 3]


def test_what_all_videos_lack_is_said_once() -> None:
    def lack(output: str | None, used: str = "no music") -> Substitution:
        return Substitution(stage="publishing", wanted="music", used=used, reason="none", output=output)

    entries = [lack("a"), lack("b"), lack("b", "another voice"), lack(None, "painted")]
    assert in_common(entries, {"a", "b"}) == (lack(None), lack("b", "another voice"), lack(None, "painted"))
    assert in_common(entries[:1], {"a", "b"}) == (lack("a"),)
