"""The little SSML: what is read, what stays text, and that it goes with its words wherever they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgend.pipeline.planner.script import script_to_narrations
from vidgend.pipeline.speech.markup import Break, Span, divide, plain, read_markup


@pytest.mark.parametrize(
    ("narration", "text"),
    [
        ('One.<break time="500ms"/> Two.', "One. Two."),
        ("One<break/>two", "One two"),
        ('<speak>Say <emphasis level="strong">this</emphasis>.</speak>', "Say this."),
        ("<say-as interpret-as='characters'>NASA</say-as>'s way", "NASA's way"),
        ("If a < b & c > d", "If a < b & c > d"),
        ("<b>bold</b> and <script>alert(1)</script>", "<b>bold</b> and <script>alert(1)</script>"),
        ('<break time="soon"/> stays', '<break time="soon"/> stays'),
        ("<break strength='huge'/> stays", "<break strength='huge'/> stays"),
        ("<emphasis>open", "<emphasis>open"),
        ("&lt;p&gt; &amp; so", "&lt;p&gt; &amp; so"),
        ("&lt;p&gt; &amp; so<break/>", "<p> & so"),
    ],
)
def test_known_tags_are_taken_out_and_everything_else_is_text(narration: str, text: str) -> None:
    assert plain(narration) == text


def test_what_the_tags_say() -> None:
    marked = read_markup(
        'Go <emphasis>now</emphasis>.<break time="1.5s"/><break strength="weak"></break> '
        '<say-as interpret-as="ordinal">3</say-as> <break time="99s"/>'
    )
    assert marked.text == "Go now. 3 "
    assert marked.breaks == (Break(at=7, seconds=1.5), Break(at=7, seconds=0.2), Break(at=10, seconds=10.0))
    assert marked.spans == (Span(start=3, end=6, kind="emphasis moderate"), Span(start=8, end=9, kind="ordinal"))


SCRIPT = (
    'The ship leaves at dawn.<break time="700ms"/> Nobody is on deck, <emphasis level="strong">nobody at all</emphasis>. '
    'The <say-as interpret-as="characters">HMS</say-as> Victory & her crew sail on, if 1 < 2. '
    "It is a cold day, and the sea is grey, and the wind comes from the north, as it did on all days before.<break/>"
)


def test_a_script_that_is_cut_into_scenes_keeps_its_markup() -> None:
    texts = script_to_narrations(plain(SCRIPT), language="en")
    parts = divide(SCRIPT, texts)
    assert len(texts) > 1
    assert [plain(part or text) for part, text in zip(parts, texts, strict=True)] == texts
    marked = [read_markup(part) for part in parts if part]
    assert sorted(one.seconds for each in marked for one in each.breaks) == [0.35, 0.7]
    said = [each.text[span.start : span.end] for each in marked for span in each.spans]
    assert said == ["nobody at all", "HMS"]


def test_words_that_somebody_else_wrote_take_no_markup() -> None:
    assert divide(SCRIPT, ["Something else."]) == [None]
    assert divide("No markup.", ["No", "markup."]) == [None, None]


_BITS = st.sampled_from(
    ["one", "two.", "a&b", "<", "\n\n", " ", '<break time="1s"/>', "<emphasis>so it is</emphasis>", "日本。",
     "<say-as interpret-as='digits'>42</say-as>", "<break>", "&lt;", "</emphasis>", "<emphasis>", "<emphasis></emphasis>",
     "<say-as interpret-as='digits'> </say-as>", "<speak>", "</speak>"]
)  # fmt: skip


@given(st.lists(_BITS, max_size=14), st.integers(0, 30), st.sampled_from(["", " "]))
def test_nothing_of_the_words_is_lost_wherever_they_are_cut(bits: list[str], cut: int, joint: str) -> None:
    narration = joint.join(bits)
    marked = read_markup(narration)
    texts = [part for part in (marked.text[:cut].strip(), marked.text[cut:].strip()) if part]
    parts = divide(narration, texts)
    if texts and any(parts):
        back = [read_markup(part or text) for part, text in zip(parts, texts, strict=True)]
        assert [one.text for one in back] == texts
        assert sum(one.seconds for each in back for one in each.breaks) == sum(one.seconds for one in marked.breaks)


@pytest.mark.parametrize(
    ("narration", "text", "breaks", "spans"),
    [
        ('First.<break time="2s"/>Then we', "First. Then we", [6], []),
        ("one<break/><emphasis>two</emphasis>", "one two", [3], ["two"]),
        ("one<break/>&lt;two", "one <two", [3], []),
        ("Hello<break/>, world", "Hello, world", [5], []),
        ("你好。<break/>我来", "你好。我来", [3], []),
        ('He said "<break/>Hello" (<break/>x) $<break/>5', 'He said "Hello" (x) $5', [9, 17, 21], []),
        ("good<break/>-bye", "good-bye", [4], []),
        ("<speak-easy>x</speak-easy> <break/>", "<speak-easy>x</speak-easy> ", [27], []),
        ("a<break/><break/>b", "a b", [1, 1], []),
        ("ab<emphasis></emphasis>cd <break/>x", "abcd x", [5], []),
        ("<emphasis>Hi <break/> there</emphasis> you", "Hi  there you", [3], ["Hi  there"]),
        ("<emphasis>all <say-as interpret-as='digits'>42</say-as></emphasis>", "all 42", [], ["all 42", "42"]),
        ('<break time=".5s" strength="weak"/>x', "x", [0], []),
        ("<break></break>x", "x", [0], []),
        ("<say-as>x</say-as> <emphasis>y", "<say-as>x</say-as> <emphasis>y", [], []),
        ("a?x=1&copy=2 <break/>", "a?x=1&copy=2 ", [13], []),
    ],
)
def test_tags_within_tags_and_beside_words(narration: str, text: str, breaks: list[int], spans: list[str]) -> None:
    marked = read_markup(narration)
    assert marked.text == text
    assert [one.at for one in marked.breaks] == breaks
    assert [marked.text[one.start : one.end] for one in marked.spans] == spans
    (again,) = divide(narration, [marked.text.strip()])
    if again is not None:
        assert plain(again).split() == text.split()
