"""Scripts in the languages of Kokoro's voices: where sentences end, and that nothing of them is lost."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgend.models import Brief
from vidgend.pipeline.planner.builtin import plan_brief
from vidgend.pipeline.planner.script import ALONE_S, HARD_MAX_S, script_to_narrations, sentences_of
from vidgend.pipeline.vocabulary import chars_per_s, speech_s, word_count, words_of

CASES = {
    "en": ["Dr. Smith paid $3.50 at 10:30 a.m. on Jan. 5.", "He said: “Stop! Now.”", "Then he left the U.S. for good."],
    "es": ["El Sr. Gómez llegó a las 10.30 h.", "¿Quién llamó?", "¡Nadie!", "La Dra. Ruiz vive en la Av. Libertad.",
           "Mide 3,5 m.", "Dijo: «¿Vienes mañana?» y se fue."],
    "fr": ["M. Dupont et Mme Leroy arrivent à 10 h 30.", "« Venez ! » dit-il.", "Au XIXe siècle av. J.-C. rien n'existait.",
           "Le prix est de 3,5 millions d'euros, c.-à-d. beaucoup."],
    "hi": ["राम घर गया।", "डॉ. शर्मा 10.5 किमी चले।", "फिर बारिश हुई॥", "सब सो गए।"],
    "it": ["Il dott. Rossi e la sig.ra Bianchi pagano 3.500 euro.", "«Vieni?», chiese.", "Perché no?", "Nacque il 5 gen. 1900."],
    "ja": ["彼は「待って！」と言った。", "なぜ？", "価格は3.5万円です。", "「行こう。早く。」と彼女は答えた。"],
    "pt": ["O Sr. Silva e a Dra. Costa chegaram às 10h30.", "Custa R$ 3,50.", "Av. Paulista, n.º 5.", "“Não!”, disse ele."],
    "zh": ["他说：“等一下！”", "为什么？", "价格是3.5万元。", "北京很大……真的很大。", "「走吧。」她说。"],
    "de": ["Dr. Müller zahlt am 5. Mai 3,50 Euro, z. B. in bar.", "„Halt!“, rief er.", "Warum?"],
}  # fmt: skip


def text_of(sentences: list[str], language: str) -> str:
    return ("" if language in ("ja", "zh") else " ").join(sentences)


@pytest.mark.parametrize("language", CASES)
def test_sentences_end_where_a_reader_would_end_them(language: str) -> None:
    assert sentences_of(text_of(CASES[language], language), language=language) == CASES[language]


@pytest.mark.parametrize("language", CASES)
def test_a_script_is_told_again_word_for_word_and_spaced_as_it_was(language: str) -> None:
    text = text_of(CASES[language] * 3, language)
    parts = script_to_narrations(text, language=language)
    assert text_of(parts, language) == text
    assert all(ALONE_S <= speech_s(part, language) <= 11 for part in parts), [
        speech_s(part, language) for part in parts
    ]


@pytest.mark.parametrize("sign", ["।", "。」", "了", "a", "...", ". ", "-", " -", ",'", "a\n\n"])
def test_a_script_of_nothing_but_signs_is_cut_in_linear_time(sign: str) -> None:
    text = sign * (20_000 // len(sign))
    began = time.process_time()
    assert "".join("".join(script_to_narrations(text, language="hi")).split()) == "".join(text.split())
    assert time.process_time() - began < 8.0


PIECES = [
    *sorted({piece for sentences in CASES.values() for piece in sentences}),
    "…", "\n\n", "\n", "x" * 90, "और", "，", "、", "（", "）", "?", "»", "“", "海が", "¡", "॥", "1.",
]  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(
    pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=25),
    between=st.sampled_from([" ", ""]),
    language=st.sampled_from([*CASES, "nl", "ru"]),
)
def test_nothing_is_lost_added_or_moved_in_any_language(pieces: list[str], between: str, language: str) -> None:
    text = between.join(pieces)
    if not text.strip():
        return
    plan = plan_brief(Brief(prompt="x", script=text, language=language))
    spoken = [scene.narration for scene in plan.scenes if scene.narration]
    assert "".join("".join(spoken).split()) == "".join(text.split())
    assert all(speech_s(part, language) < HARD_MAX_S * 1.3 for part in spoken)


def test_a_long_sentence_without_spaces_or_marks_is_cut_after_a_particle() -> None:
    text = (
        "山の上にある小さな村の古い家に住んでいる漁師は毎朝早く起きて海へ出かけて大きな網を投げて銀色の魚を捕まえて昼には市場の人々に売って夕方に家に帰る"
        * 2
    )
    parts = script_to_narrations(text, language="ja")
    assert "".join(parts) == text and len(parts) > 1
    assert all(part[-1] in "はがをにでてと" for part in parts[:-1])


def test_the_vowel_signs_of_hindi_are_part_of_its_words() -> None:
    assert words_of("मछुआरे अपनी नावें, और बिल्लियाँ।") == ["मछुआरे", "अपनी", "नावें", "और", "बिल्लियाँ"]
    assert word_count("मछुआरे अपनी नावें पानी में धकेलते हैं।") == 7
    assert words_of("👩\u200d👩\u200d👧 naïve na\u0308ive") == ["naïve", "na\u0308ive"]


def test_languages_are_spoken_at_their_own_rate() -> None:
    assert chars_per_s("fr-FR") > chars_per_s("en-US") > chars_per_s("hi") > chars_per_s("zh")
    assert speech_s("a" * 180) == pytest.approx(10)
    assert speech_s("海" * 53, "ja") == pytest.approx(10)
