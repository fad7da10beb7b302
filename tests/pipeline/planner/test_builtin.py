"""The builtin planner: what becomes of a script, of scenes and of an idea."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgend.models import Brief, Plan, SceneBrief
from vidgend.pipeline.planner.builtin import BuiltinPlanner, fill_with_pictures, plan_brief, title_of
from vidgend.pipeline.vocabulary import speech_s, word_count

HONEY = (
    "Honey never spoils. Archaeologists have found pots of honey in ancient Egyptian tombs that are over 3,000 years "
    "old and still perfectly edible. Why? Honey is low in moisture and very acidic, which means that bacteria cannot "
    "grow in it. Bees add an enzyme to the nectar, and this breaks down into gluconic acid and hydrogen peroxide, "
    "which is why honey was used as a medicine by the Romans for thousands of years. Dr. Smith agrees at 10:30 a.m. "
    "on Jan. 5."
)


def dense(text: str) -> str:
    return "".join(text.split())


def spoken(plan: Plan) -> list[str]:
    return [scene.narration for scene in plan.scenes if scene.narration]


def joined(plan: Plan) -> str:
    return " ".join(spoken(plan))


def test_the_guides_example_becomes_its_own_two_phrases() -> None:
    plan = plan_brief(Brief(prompt="A beautiful sunset over the ocean with waves crashing on the beach"))
    assert spoken(plan) == ["A beautiful sunset over the ocean", "with waves crashing on the beach"]
    assert plan.stretch
    assert plan.mood == "calm"
    assert plan.title == "A beautiful sunset over the ocean"


def test_scenes_without_words_carry_the_length_of_an_idea() -> None:
    plan = plan_brief(Brief(prompt="A beautiful sunset over the ocean with waves crashing on the beach", duration_s=60))
    narrated = [index for index, scene in enumerate(plan.scenes) if scene.narration]
    assert len(plan.scenes) == 10
    assert narrated == [0, 5]
    first, follower = plan.scenes[0], plan.scenes[1]
    assert set(follower.queries) == set(first.queries)
    assert follower.queries != first.queries


def test_a_few_pictures_come_after_the_last_words_so_that_these_stay_together() -> None:
    plan = plan_brief(Brief(prompt="A beautiful sunset over the ocean with waves crashing on the beach", duration_s=16))
    assert [bool(scene.narration) for scene in plan.scenes] == [True, True, False]


def test_many_pictures_are_spread_between_the_words() -> None:
    plan = plan_brief(Brief(prompt="A beautiful sunset over the ocean with waves crashing on the beach", duration_s=60))
    spoken = [index for index, scene in enumerate(plan.scenes) if scene.narration]
    assert spoken == [0, 5] and len(plan.scenes) == 10


def test_a_single_word_is_one_spoken_scene() -> None:
    plan = plan_brief(Brief(prompt="Sunset", duration_s=6))
    assert [scene.narration for scene in plan.scenes] == ["Sunset"]


def test_a_short_length_does_not_drop_phrases() -> None:
    plan = plan_brief(Brief(prompt="Old ships in a harbour, gulls above the masts, a storm behind them", duration_s=2))
    assert spoken(plan) == ["Old ships in a harbour", "gulls above the masts", "a storm behind them"]
    assert len(plan.scenes) == 3


@pytest.mark.parametrize(
    ("prompt", "first"),
    [
        ("Make me a short video about black holes", "Black holes"),
        ("Create a 30 second video of polar bears", "Polar bears"),
        ("please generate a cinematic video that shows a lone astronaut", "A lone astronaut"),
        ("A short film about whales", "Whales"),
        ("Explain how volcanoes work", "How volcanoes work"),
        ("Show the northern lights over Iceland", "The northern lights over Iceland"),
        ("Please make a video on the topic of glaciers", "Glaciers"),
        ("Make pasta from scratch", "Make pasta from scratch"),
        ("Video games of the nineties", "Video games of the nineties"),
        ("Make a video", "Make a video"),
    ],
)
def test_orders_to_the_maker_are_not_spoken(prompt: str, first: str) -> None:
    assert spoken(plan_brief(Brief(prompt=prompt)))[0] == first


def test_directions_after_an_order_are_not_spoken() -> None:
    plan = plan_brief(
        Brief(prompt="Create a video about coffee. Use a happy tone. Keep it short. Coffee grows on trees.")
    )
    assert spoken(plan) == ["Coffee. Coffee grows on trees."]


def test_a_script_that_talks_of_videos_is_read_out_whole() -> None:
    text = "A film about the war was shown in every town. Use of colour was new then, and people wept in their seats."
    assert joined(plan_brief(Brief(prompt=text))) == text


def test_one_long_sentence_is_an_idea_and_two_with_twelve_words_are_a_script() -> None:
    idea = plan_brief(Brief(prompt="A train that runs along the coast of Norway through snow and tunnels and bridges"))
    script = plan_brief(Brief(prompt="A train runs along the coast of Norway. It passes snow, tunnels and bridges."))
    short = plan_brief(Brief(prompt="A train. Then snow."))
    assert (idea.stretch, script.stretch, short.stretch) == (True, False, True)


def test_a_script_is_cut_into_scenes_of_a_few_seconds() -> None:
    plan = plan_brief(Brief(prompt="Honey", script=HONEY))
    lengths = [speech_s(text) for text in spoken(plan)]
    assert joined(plan) == HONEY
    assert all(3 <= length <= 10.5 for length in lengths[:-1]) and lengths[-1] > 2, lengths
    assert not plan.stretch


def test_abbreviations_and_times_do_not_end_a_sentence() -> None:
    plan = plan_brief(Brief(prompt="Honey", script=HONEY))
    assert not any(text.startswith(("Smith", "on Jan", "5.")) for text in spoken(plan))


def test_a_long_sentence_is_cut_at_a_clause() -> None:
    text = (
        "When the tide goes out in the bay of Fundy the water drops by sixteen metres in six hours, and the boats of "
        "the fishermen are left lying in the mud like toys that a child forgot on the beach."
    )
    assert spoken(plan_brief(Brief(prompt="x", script=text)))[0].endswith("hours,")


def test_a_sentence_without_any_mark_is_cut_between_words() -> None:
    text = "word " * 150 + "end."
    narrations = spoken(plan_brief(Brief(prompt="x", script=text)))
    assert len(narrations) > 2
    assert all(set(item.split()) <= {"word", "end."} for item in narrations)


def test_paragraphs_and_lines_of_a_poem_are_boundaries_but_wrapped_lines_are_not() -> None:
    poem = "The fog comes in on little cat feet from the northern sea\nIt sits and looks over the harbour and the city all night"
    wrapped = "The fog comes in on little cat feet from the far and cold northern sea and\nsits looking over the city."
    assert len(spoken(plan_brief(Brief(prompt="x", script=poem)))) == 2
    assert spoken(plan_brief(Brief(prompt="x", script=wrapped))) == [" ".join(wrapped.split())]


@settings(max_examples=60, deadline=None)
@given(
    text=st.lists(
        st.one_of(
            st.sampled_from(
                ["Dr.", "the", "sea", "and", "because", "e.g.", "(one)", "“two”", "3.5", "—", "...", "Why?", "¿Qué?",
                 "\n\n", "\n", "- item", "1.", "海が", "青い。", "naïve", "👩‍👩‍👧", "$5,000", "it's", ";", "x" * 300]
            ),
            st.text(max_size=12),
        ),
        min_size=1,
        max_size=60,
    ).map(" ".join).filter(str.strip)
)  # fmt: skip
def test_a_script_is_narrated_word_for_word(text: str) -> None:
    plan = plan_brief(Brief(prompt="x", script=text))
    assert dense(joined(plan)) == dense(text)
    assert all(scene.narration == scene.narration.strip() for scene in plan.scenes)
    assert all(scene.queries and all(scene.queries) for scene in plan.scenes)


@settings(max_examples=60, deadline=None)
@given(prompt=st.text(min_size=1, max_size=200).filter(str.strip), duration_s=st.floats(1, 600))
def test_any_prompt_has_a_plan_that_starts_with_a_spoken_scene(prompt: str, duration_s: float) -> None:
    plan = plan_brief(Brief(prompt=prompt, duration_s=duration_s))
    assert plan.scenes[0].narration
    assert 0 < len(plan.title) <= 70
    assert all(1 <= len(scene.queries) <= 3 for scene in plan.scenes)


def test_the_phrases_of_an_idea_are_its_own_words_in_order() -> None:
    prompt = "Fishermen mend their nets at dawn while gulls cry, and the village wakes up slowly behind them"
    assert dense(joined(plan_brief(Brief(prompt=prompt)))) == dense(prompt.replace(",", ""))


def test_a_script_stretches_only_when_the_caller_named_a_longer_time() -> None:
    named = plan_brief(Brief(prompt="x", script=HONEY, duration_s=90, duration_given=True))
    shorter = plan_brief(Brief(prompt="x", script=HONEY, duration_s=10, duration_given=True))
    default = plan_brief(Brief(prompt="x", script=HONEY, duration_s=90))
    assert (named.stretch, shorter.stretch, default.stretch) == (True, False, False)


def test_a_short_script_in_a_long_video_gets_pictures_in_between() -> None:
    plan = plan_brief(Brief(prompt="x", script="Honey never spoils. It is good.", duration_s=60, duration_given=True))
    assert joined(plan) == "Honey never spoils. It is good."
    assert 60 / len(plan.scenes) < 10


def test_given_scenes_stay_as_they_are() -> None:
    scenes = (
        SceneBrief(narration="The Eiffel Tower was built in 1889. It is tall.", query="paris skyline"),
        SceneBrief(narration="", duration_s=4.0),
        SceneBrief(narration="And so it goes on."),
    )
    plan = plan_brief(Brief(prompt="Paris", scenes=scenes))
    assert [scene.narration for scene in plan.scenes] == [scene.narration for scene in scenes]
    assert plan.scenes[0].queries[0] == "paris skyline"
    assert plan.scenes[1].min_duration_s == 4.0
    assert plan.scenes[2].queries, "a scene that shows nothing by itself borrows from the others"
    assert not plan.stretch


def test_scenes_that_say_nothing_and_name_no_length_share_the_wished_one() -> None:
    silent = (SceneBrief(narration="", query="sea"), SceneBrief(narration="", query="sky"))
    timed = tuple(SceneBrief(narration="", query="sea", duration_s=3.0) for _ in range(2))
    assert plan_brief(Brief(prompt="Sea", scenes=silent)).stretch
    assert not plan_brief(Brief(prompt="Sea", scenes=timed)).stretch


@pytest.mark.parametrize(
    ("prompt", "language", "voice", "expected"),
    [
        ("A river", None, "en-US-neutral", "en"),
        ("A river", "de", "en-US-neutral", "de"),
        ("Ein Fluss", None, "de-DE-neutral", "de"),
        ("美しい海に沈む夕日", None, "en-US-neutral", "ja"),
        ("Закат над морем", None, "en-US-neutral", "ru"),
        ("A river", None, "af_heart", "en"),
    ],
)
def test_the_language_is_what_was_asked_else_what_is_seen(
    prompt: str, language: str | None, voice: str, expected: str
) -> None:
    assert plan_brief(Brief(prompt=prompt, language=language, voice=voice)).language == expected


def test_chinese_and_japanese_scripts_are_cut_though_they_have_no_spaces() -> None:
    text = (
        "蜂蜜永远不会变质。考古学家在埃及古墓中发现了三千多年前的蜂蜜罐，它们仍然可以食用。"
        "这是因为蜂蜜水分很少，细菌无法在其中生长。蜜蜂还会加入一种酶。"
    )
    plan = plan_brief(Brief(prompt=text))
    assert plan.language == "zh"
    assert len(spoken(plan)) >= 2
    assert "".join(spoken(plan)) == text


def test_a_title_is_cut_between_words() -> None:
    title = title_of("word " * 40)
    assert len(title) <= 70
    assert title.endswith("word…")
    assert title_of("") == "Untitled"


def test_pictures_are_spread_evenly_over_the_phrases() -> None:
    phrases = plan_brief(Brief(prompt="Old ships in a harbour, gulls above the masts", duration_s=1)).scenes
    filled = fill_with_pictures(phrases, duration_s=42)
    assert [bool(scene.narration) for scene in filled] == [True, False, False, False, True, False, False]


async def test_the_planner_plans_off_the_loop_what_the_function_plans() -> None:
    brief = Brief(prompt="Old ships in a harbour")
    assert await BuiltinPlanner().plan(brief) == plan_brief(brief)


def test_words_are_counted_in_scripts_without_spaces_too() -> None:
    assert word_count("one two-three, four's") == 3
    assert word_count("美しい海") == 2
    assert word_count("— ...") == 0
