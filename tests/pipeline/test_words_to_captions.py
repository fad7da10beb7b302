import itertools
import time

from hypothesis import given
from hypothesis import strategies as st

from vidgend.models import Word, join_words
from vidgend.pipeline.words_to_captions import CHARS_PER_S, LONGEST_S, SHORTEST_S, STANDS_S, make_captions


def spoken(text: str, *, rate: float = 0.35, gap_after: dict[str, float] | None = None) -> tuple[Word, ...]:
    words, at = [], 0.3
    for word in text.split():
        words.append(Word(text=word, start_s=at, end_s=at + rate - 0.03))
        at += rate + (gap_after or {}).get(word, 0.0)
    return tuple(words)


WORDS = st.lists(st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=12), min_size=1, max_size=80)


@given(WORDS, st.sampled_from([24, 32, 42]))
def test_every_word_is_shown_once_in_order_and_nothing_overlaps(texts: list[str], max_chars: int) -> None:
    words = spoken(" ".join(texts))
    captions = make_captions(words, max_chars=max_chars, end_s=words[-1].end_s + 1)
    shown = " ".join(caption.text.replace("\n", " ") for caption in captions).replace(" ", "")
    assert shown == "".join(texts)
    for caption in captions:
        assert caption.start_s < caption.end_s
    for before, after in itertools.pairwise(captions):
        assert before.end_s <= after.start_s + 1e-9


@given(WORDS, st.sampled_from([24, 32, 42]))
def test_no_line_is_longer_than_allowed_unless_one_word_is(texts: list[str], max_chars: int) -> None:
    for caption in make_captions(spoken(" ".join(texts)), max_chars=max_chars):
        assert len(caption.lines) <= 2
        for line in caption.lines:
            assert len(join_words(line)) <= max_chars or len(line) == 1


def test_a_word_that_no_line_can_hold_is_cut_and_nothing_of_it_is_lost() -> None:
    (before, after) = spoken("x " + "y" * 100)
    captions = make_captions((before, after), max_chars=42, end_s=after.end_s)
    lines = [join_words(line) for caption in captions for line in caption.lines]
    assert max(map(len, lines)) <= 42
    assert "".join(lines).replace(" ", "") == "x" + "y" * 100


def test_wide_letters_take_more_room() -> None:
    for text in ("W" * 100, "海" * 100):
        for caption in make_captions(spoken(text), max_chars=42):
            assert all(len(word.text) <= 28 for line in caption.lines for word in line)


def test_captions_break_at_the_ends_of_sentences() -> None:
    words = spoken("The sea is calm. The gulls are loud. A boat comes in from the far side of the bay.")
    texts = [caption.text.replace("\n", " ") for caption in make_captions(words)]
    assert texts[0] == "The sea is calm."
    assert texts[-1].endswith("the bay.")


def test_a_line_does_not_end_with_an_article_or_a_preposition() -> None:
    words = spoken("Waves roll slowly towards the shore and break into foam on the warm sand of the bay")
    for caption in make_captions(words):
        for line in caption.lines[:-1]:
            assert line[-1].text.lower() not in {"the", "of", "on", "into", "and", "a"}


def test_a_long_pause_ends_a_caption() -> None:
    words = spoken("one two three four", gap_after={"two": 2.0})
    assert [caption.text for caption in make_captions(words)] == ["one two", "three four"]


def test_slow_speech_is_not_held_on_the_screen_for_too_long() -> None:
    for caption in make_captions(spoken("so slow that it hurts to listen to it all", rate=1.5)):
        assert caption.words[-1].end_s - caption.words[0].start_s <= LONGEST_S


def test_no_caption_outlasts_its_scene() -> None:
    words = spoken("The end is near")
    assert make_captions(words, end_s=words[-1].end_s + 0.1)[-1].end_s <= words[-1].end_s + 0.1


def test_a_caption_stands_long_enough_to_be_seen_and_not_for_ever() -> None:
    words = (
        Word(text="Yes.", start_s=0.3, end_s=0.4),
        Word(text="Well,", start_s=3.0, end_s=3.2),
        Word(text="sooooo", start_s=3.2, end_s=14.0),
    )
    first, *_, last = make_captions(words, end_s=20.0)
    assert first.end_s - first.start_s >= SHORTEST_S
    assert last.end_s - last.start_s <= STANDS_S


def test_words_spoken_in_haste_are_shown_longer_where_a_pause_follows() -> None:
    hasty = tuple(Word(text="abcdefghi", start_s=0.3 + number * 0.2, end_s=0.49 + number * 0.2) for number in range(16))
    calm = tuple(Word(text="calm", start_s=7.0 + number * 0.5, end_s=7.4 + number * 0.5) for number in range(8))
    captions = make_captions((*hasty, *calm), end_s=12.0)
    assert all(len(one.text) / (one.end_s - one.start_s) <= CHARS_PER_S for one in captions)
    assert captions[-1].words[-1].start_s <= captions[-1].end_s <= 12.0
    # Alone they end with their scene, and begin before they are spoken rather than never.
    alone = make_captions(hasty, end_s=8.5)
    assert all(len(one.text) / (one.end_s - one.start_s) <= CHARS_PER_S for one in alone)


def test_a_text_of_many_scenes_is_laid_out_in_a_moment() -> None:
    text = "海がとても静かで、波が岸に寄せている。" * 400
    began = time.perf_counter()
    make_captions((Word(text=text, start_s=0.0, end_s=2000.0),))
    assert time.perf_counter() - began < 5
