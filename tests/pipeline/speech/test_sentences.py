"""A narration into what a voice is asked for: all words, in order, with the right silences."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgend.pipeline.speech.markup import plain
from vidgend.pipeline.speech.phrases import PARAGRAPH_PAUSE_S, SENTENCE_PAUSE_S
from vidgend.pipeline.speech.say_as import say_as
from vidgend.pipeline.speech.sentences import Sentence, asked_pauses_s, roughly_cut, sentences


def cut(narration: str, language: str = "en-US", **pronunciations: str) -> tuple[Sentence, ...]:
    return sentences(narration, language=language, pronunciations=pronunciations).sentences


def test_sentences_are_spoken_one_by_one_and_paragraphs_rest_longer() -> None:
    found = cut("The sea is calm today, Dr. Smith said. It was cold in 1999.\n\nThe next day was much warmer.")
    assert [one.text for one in found] == [
        "The sea is calm today, Dr. Smith said.", "It was cold in 1999.", "The next day was much warmer.",
    ]  # fmt: skip
    assert [one.pause_s for one in found] == [SENTENCE_PAUSE_S, PARAGRAPH_PAUSE_S, 0.0]
    assert {one.pause_kind for one in found} == {"calm"}


def test_short_sentences_are_spoken_with_their_neighbours() -> None:
    assert [one.text for one in cut("Stop! Look. The train comes in at noon today. Go.")] == [
        "Stop! Look. The train comes in at noon today. Go."
    ]


def test_a_break_ends_what_is_said_and_is_as_long_as_it_was_asked_for() -> None:
    spoken = sentences(
        '<break time="2s"/>First of all there was<break time="800ms"/> nothing. Really.<break/>',
        language="en",
        pronunciations={},
    )
    assert spoken.lead_s == 2.0
    assert [(one.text, one.said, one.pause_s, one.pause_kind) for one in spoken.sentences] == [
        ("First of all there was", "First of all there was,", 0.8, "asked"),
        ("nothing. Really.", "nothing. Really.", 0.35, "asked"),
    ]


def test_what_is_said_for_a_word_by_markup_by_the_dictionary_and_by_stress() -> None:
    (one,) = cut(
        'We run <say-as interpret-as="characters">NGINX</say-as>, nginx, and '
        '<emphasis level="strong">nothing else</emphasis> at all here.',
        nginx="engine ex",
    )
    assert one.text == "We run NGINX, nginx, and nothing else at all here."
    assert one.said == "We run N G I N X, engine ex, and, nothing else at all here."
    assert one.counts == (1, 1, 5, 2, 1, 1, 1, 1, 1, 1)


@pytest.mark.parametrize(
    ("kind", "text", "language", "said"),
    [
        ("characters", "B2B", "en", "B two B"),
        ("spell-out", "AI", "en-GB", "ay I"),
        ("characters", "ABC", "de", "A B C"),
        ("digits", "2,407", "en", "two four zero seven"),
        ("telephone", "07-31", "fr-FR", "zéro sept trois un"),
        ("cardinal", "1999", "en", "one thousand nine hundred and ninety nine"),
        ("cardinal", "1.999", "de", "eintausendneunhundertneunundneunzig"),
        ("ordinal", "3", "es", "tercero"),
        ("ordinal", "many", "en", ""),
        ("date", "2024-05-01", "en", ""),
        ("cardinal", "7", "xx", ""),
    ],
)
def test_say_as(kind: str, text: str, language: str, said: str) -> None:
    assert say_as(kind, text, language) == said


_WORDS = st.sampled_from(
    ["sea.", "The", "U.S.", "e.g.", "$5", "…", "\n\n", "🙂", "—", "Stop!", "longer-words-than-usual", "日本。", "3rd",
     "<break/>", '<break time="0s"/>', "<emphasis>a b</emphasis>", "<say-as interpret-as='digits'>12</say-as>"]
)  # fmt: skip


@given(st.lists(_WORDS, max_size=25), st.sampled_from(["en", "es", "ja", "de-DE"]))
def test_the_sentences_are_all_words_in_order(words: list[str], language: str) -> None:
    narration = " ".join(words)
    found = cut(narration, language)
    assert " ".join(one.text for one in found).split() == plain(narration).split()
    for one in found:
        assert len(one.counts) == len(one.words) and sum(one.counts) == len(one.said.split())
        assert min(one.counts) > 0
    assert all(one.pause_s > 0 or one.pause_kind == "asked" for one in found[:-1])


def test_the_rough_cut_is_about_the_same() -> None:
    text = "The sea is calm today. It was not calm yesterday, though. Hm. And it may not be calm tomorrow."
    assert roughly_cut(text) == [one.text for one in cut(text)]
    assert roughly_cut("") == []


def test_text_without_spaces_is_cut_at_its_full_stops_and_stays_one_run() -> None:
    found = cut("今天湖面很平静。它的价格是50元，对吗？<break/>我们走。 再见！", "zh-CN")
    assert [(one.text, one.glued) for one in found] == [
        ("今天湖面很平静。", False), ("它的价格是50元，对吗？", True), ("我们走。 再见！", True),
    ]  # fmt: skip
    assert [one.pause_kind for one in found] == ["calm", "asked", "calm"]


def test_pauses_are_bounded_one_by_one_and_in_all() -> None:
    many = sentences("Hi." + '<break time="10s"/>' * 500 + " So it is.", language="en", pronunciations={})
    assert many.sentences[0].pause_s == 10.0
    text = ' <break time="10s"/>'.join(["Nothing is said here."] * 60)
    spoken = sentences(text, language="en", pronunciations={})
    assert sum(one.pause_s for one in spoken.sentences if one.pause_kind == "asked") == 60.0
    assert asked_pauses_s(text) == 590.0, "of a script, that becomes many narrations"


def test_a_monstrous_word_takes_no_time() -> None:
    for word in (
        "a<break/>" * 5_500,
        "<break" + " " * 50_000 + "x>",
        "<emphasis>" * 5_000,
        "a" + "!" * 50_000 + "b",
        "。" * 20_000,
        "“" * 50_000,
        "<" * 50_000,
        "a.b" * 20_000,
    ):
        began = time.thread_time()
        cut(word, x="y")
        assert time.thread_time() - began < 2.0, word[:10]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("え！？本当に！！すごい。。。そうだね。", ["え！？", "本当に！！", "すごい。。。", "そうだね。"]),
        ('"我走了。"他说。《好。》对。', ['"我走了。"', "他说。", "《好。》", "对。"]),
    ],
)
def test_signs_go_with_the_sentence_that_they_end(text: str, parts: list[str]) -> None:
    found = cut(text, "ja")
    assert [one.text for one in found] == parts
    assert [one.glued for one in found] == [False, *[True] * (len(parts) - 1)]


def test_escapes_are_read_once() -> None:
    (one,) = cut("<speak>Use &lt;break/&gt; in here, and so on &amp; on.</speak>")
    assert one.text == "Use <break/> in here, and so on & on."
