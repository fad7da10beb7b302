from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgend.pipeline.speech import numbers_en as say
from vidgend.pipeline.speech.speakable import speakable


def said(text: str) -> str:
    return " | ".join(one.text for one in speakable(text.split()))


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("$2,000", "two thousand dollars"),
        ("$10 billion,", "ten | billion dollars,"),
        ("US$5.50", "five U S dollars and fifty cents"),
        ("$0.99", "ninety nine cents"),
        ("$1", "one dollar"),
        ("221B Baker Street", "two hundred and twenty one B | Baker | Street"),
        ("3M Company", "three M | Company"),
        ("3M people", "three million | people"),
        ("£3.5m;", "three point five million pounds;"),
        ("5€", "five euros"),
        ("$10–20 million", "ten to twenty | million dollars"),
        ("50%", "fifty percent"),
        ("3.5", "three point five"),
        ("1,250", "one thousand two hundred and fifty"),
        ("007", "zero zero seven"),
        ("-5°C", "minus five degrees Celsius"),
        ("1999", "nineteen ninety nine"),
        ("2005", "two thousand and five"),
        ("1990s,", "nineteen nineties,"),
        ("'90s", "nineties"),
        ("1990–1995", "nineteen ninety to nineteen ninety five"),
        ("2nd", "second"),
        ("21st", "twenty first"),
        ("10:30", "ten thirty"),
        ("10:05", "ten oh five"),
        ("10:00 a.m.", "ten | a.m."),
        ("7pm,", "seven p.m.,"),
        ("9am-5pm", "nine a.m. to five p.m."),
        ("16:9", "sixteen to nine"),
        ("May 5,", "May | fifth,"),
        ("2024-05-01", "May first twenty twenty four"),
        ("1/2", "one half"),
        ("2½", "two and a half"),
        ("24/7", "twenty four seven"),
        ("120 km/h", "one hundred and twenty | kilometers per hour"),
        ("5km", "five kilometers"),
        ("1 km", "one | kilometer"),
        ("5 in", "five | inches"),
        ("go in", "go | in"),
        ("4K", "four K"),
        ("10k", "ten thousand"),
        ("1920x1080", "nineteen twenty by one thousand and eighty"),
        ("555-1234", "five five five one two three four"),
        ("v2.0.1", "two point zero point one"),
    ],
)
def test_a_number_is_said_as_people_say_it(written: str, spoken: str) -> None:
    assert said(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Dr. Smith", "Doctor | Smith"),
        ("St. Paul", "Saint | Paul"),
        ("Main St. yesterday", "Main | Street | yesterday"),
        ("No. 5", "Number | five"),
        ("one vs. two", "one | versus | two"),
        ("e.g. this", "for example | this"),
        ("a & b", "a | and | b"),
        ("R&D", "R and D"),
        ("C# and C++", "C sharp | and | C plus plus"),
        ("and/or", "and or"),
        ("$5/month", "five dollars per month"),
        ("MP3", "M P three"),
        ("COVID-19", "COVID nineteen"),
        ("20-year-old", "twenty year old"),
        ("https://www.example.com/", "example dot com"),
        ("a@b.com", "a at b dot com"),
        ("#AIArt", "hashtag AIArt"),
        ("#1", "number one"),
        ("World War II", "World | War | two"),
        ("Henry VIII", "Henry | the eighth"),
        ("US", "U S"),
        ("vitamin A.", "vitamin | ay."),
        ("café naïve", "cafe | naive"),
        ("*bold* “quoted”", "bold | quoted"),
        ("sea—and", "sea— and"),
        ("don’t", "don't"),
    ],
)
def test_what_is_not_a_plain_word_is_spelled_out(written: str, spoken: str) -> None:
    assert said(written) == spoken


def test_emoji_and_lone_symbols_say_nothing_but_keep_their_place() -> None:
    assert [one.text for one in speakable(["wow", "🎉", "•", "great", "—", "👍🏽", "東京"])] == [
        "wow",
        "",
        "",
        "great",
        "—",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("text", "last_words"),
    [
        ("It ends. Then more.", ["ends.", "more."]),
        ("Dr. Smith met Mr. Brown. Why?", ["Brown.", "Why?"]),
        ("in the U.S. Army at 5 a.m. and later.", ["later."]),
        ("We left the U.S. The end.", ["U.S.", "end."]),
        ("J. K. Rowling etc. and etc. Then", ["etc."]),
        ("“Really?” she said… Yes!", ["“Really?”", "said…", "Yes!"]),
        ("It costs 3.5 dollars, no more", []),
    ],
)
def test_a_sentence_ends_where_a_reader_would_rest(text: str, last_words: list[str]) -> None:
    words = text.split()
    ends = [word for word, one in zip(words, speakable(words), strict=True) if one.ends_sentence]
    if last_words == ["etc."]:
        assert [i for i, one in enumerate(speakable(words)) if one.ends_sentence] == [5]
    assert ends == last_words


@pytest.mark.parametrize(("text", "value"), [("IV", 4), ("XIX", 19), ("LVIII", 58), ("IIII", 0), ("VX", 0), ("", 0)])
def test_only_well_formed_roman_numerals_have_a_value(text: str, value: int) -> None:
    assert say.roman(text) == value


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_text_gives_one_speakable_answer_for_every_word(text: str) -> None:
    words = text.split()
    answer = speakable(words)
    assert len(answer) == len(words)
    for one in answer:
        assert re.fullmatch(r"[A-Za-z' .,!?:;…—-]*", one.text), one.text


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(alphabet="0123456789.,:/-$%€kKmMsth°C+#@a ½'–", min_size=1, max_size=12), max_size=5))
def test_any_pile_of_digits_and_marks_is_read_without_an_error(pieces: list[str]) -> None:
    words = " ".join(pieces).split()
    for one in speakable(words):
        assert re.fullmatch(r"[A-Za-z' .,!?:;…—-]*", one.text), one.text


@pytest.mark.parametrize("word", ["a" * 10_000, "9" * 10_000, "a.b-" * 3_000, "#@" * 5_000 + "a", "-" * 10_000 + "x"])
def test_a_monstrous_word_is_read_in_reasonable_time(word: str) -> None:
    assert len(speakable([word])) == 1
