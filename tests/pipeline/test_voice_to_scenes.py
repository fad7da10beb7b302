"""How a recording is cut: pure, on words and pauses that are made up."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgend.errors import StepError
from vidgend.models import Word
from vidgend.pipeline.timeline import SceneNeed, lead_s, needed_frames, speech_start_sample
from vidgend.pipeline.transcriber.whisper import in_order
from vidgend.pipeline.voice_to_scenes import (
    cut,
    heard_share,
    script_times,
    text_with_pauses,
    without_pauses,
    words_of_scenes,
)
from vidgend.pipeline.voice_to_text import PART_S, parts_of
from vidgend.timebase import SAMPLE_RATE_HZ, frames_to_samples, s_to_samples

RATES = ("24", "25", "30", "60", "24000/1001", "30000/1001")


def said(text: str, *, start_s: float = 1.0, word_s: float = 0.3, gap_s: float = 0.1) -> list[Word]:
    """One word after the other, with a gap between them."""
    step_s = word_s + gap_s
    return [
        Word(text=word, start_s=start_s + at * step_s, end_s=start_s + at * step_s + word_s)
        for at, word in enumerate(text.split())
    ]


def gaps(words: list[Word]) -> list[tuple[float, float]]:
    return [(a.end_s, b.start_s) for a, b in itertools.pairwise(words)]


@pytest.mark.parametrize("rate", RATES)
def test_the_pieces_are_the_whole_recording_and_begin_where_frames_do(rate: str) -> None:
    fps = Fraction(rate)
    chance = random.Random(rate)
    words = said(" ".join(f"w{number}" for number in range(60)), word_s=0.31, gap_s=0.17)
    borders = [0, *sorted(chance.sample(range(1, 60), 9)), 60]
    scenes = [words[a:b] for a, b in itertools.pairwise(borders)]
    length = s_to_samples(words[-1].end_s + 2)
    pieces = cut(scenes, sounding=(1.0, words[-1].end_s), pauses=gaps(words), length=length, fps=fps)
    assert pieces[0].start == s_to_samples(0.85) and pieces[-1].start + pieces[-1].samples == s_to_samples(
        words[-1].end_s + 0.3
    )
    frame = 0
    for index, (piece, own) in enumerate(zip(pieces, scenes, strict=True)):
        assert [word.text for word in piece.words] == [word.text for word in own]
        first_s, last_s = piece.start / SAMPLE_RATE_HZ, (piece.start + piece.samples) / SAMPLE_RATE_HZ
        assert first_s <= own[0].start_s and own[-1].end_s <= last_s, "no word is cut"
        assert piece.words[0].start_s == pytest.approx(own[0].start_s - first_s)
        if index:
            assert piece.start == pieces[index - 1].start + pieces[index - 1].samples, "nothing between two pieces"
            middle_s = (scenes[index - 1][-1].end_s + own[0].start_s) / 2
            assert abs(first_s - middle_s) <= 0.5 / fps + 1e-4, "in the middle of the pause, to the nearest frame"
        # On the timeline each piece begins at the very sample at which the one before it ends.
        at = speech_start_sample(frame, index, fps, recorded=True)
        assert at == s_to_samples(lead_s(0, recorded=True)) + piece.start - pieces[0].start
        need = SceneNeed(speech_samples=piece.samples, recorded=True)
        frame += needed_frames(index, len(pieces), need, fps)
    assert frames_to_samples(frame, fps) > length - s_to_samples(3)


def test_a_cut_is_where_it_is_quiet_though_the_times_are_off() -> None:
    before, after = Word(text="a.", start_s=1.0, end_s=2.2), Word(text="b", start_s=2.3, end_s=3.0)
    pauses = [(1.7, 1.8), (1.9, 2.15)]  # the recogniser let the last word run on into the pause
    pieces = cut([[before], [after]], sounding=(1.0, 3.0), pauses=pauses, length=200_000, fps=Fraction(100))
    assert pieces[1].start / SAMPLE_RATE_HZ == pytest.approx(2.025, abs=0.006)
    assert [piece.silent_s for piece in pieces] == [0.25, 0.25]
    assert pieces[0].words[0].end_s <= pieces[0].samples / SAMPLE_RATE_HZ
    assert pieces[1].words[0].start_s >= 0


def test_without_a_pause_it_is_cut_between_the_words() -> None:
    words = said("a b", word_s=0.3, gap_s=0.02)
    pieces = cut([words[:1], words[1:]], sounding=(1.0, 2.0), pauses=[], length=100_000, fps=Fraction(60))
    assert pieces[1].start / SAMPLE_RATE_HZ == pytest.approx(1.31, abs=1 / 60)


def test_scenes_at_one_moment_still_have_a_frame_each() -> None:
    at = [[Word(text="a", start_s=1.0, end_s=1.0)] for _ in range(5)]
    pieces = cut(at, sounding=(1.0, 1.2), pauses=[], length=96_000, fps=Fraction(25))
    assert len(pieces) == 5 and all(piece.samples > 0 for piece in pieces)


TIMES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.05)), min_size=1, max_size=40)


@given(
    times=TIMES,
    heard=st.floats(0, 1),
    length_s=st.floats(0.5, 20),
    rate=st.sampled_from(["1", "5", *RATES]),
    pauses=st.lists(st.floats(0, 1), max_size=20),
)
def test_all_pieces_lie_in_the_recording_whatever_was_heard(
    times: list[tuple[float, float]], heard: float, length_s: float, rate: str, pauses: list[float]
) -> None:
    length = s_to_samples(length_s)
    clock_s, words = 0.0, []
    for share, long in times:
        clock_s = max(clock_s, min(share, heard) * length_s)
        end_s = min(length_s, clock_s + long * length_s)
        words.append((Word(text="w", start_s=clock_s, end_s=end_s),))
        clock_s = end_s
    edges = sorted({at * length_s for at in pauses})
    between = list(zip(edges[1:-1:2], edges[2:-1:2], strict=False))
    sounding = (edges[0], edges[-1]) if len(edges) > 1 else (0.0, length_s)
    try:
        pieces = cut(words, sounding=sounding, pauses=between, length=length, fps=Fraction(rate))
    except StepError:
        assert len(words) - 1 > (sounding[1] - sounding[0]) * Fraction(rate) - 2, "more cuts than frames"
        return
    assert len(pieces) == len(words)
    assert pieces[0].start >= 0 and pieces[-1].start + pieces[-1].samples <= length
    assert all(piece.samples > 0 for piece in pieces)
    assert all(a.start + a.samples == b.start for a, b in itertools.pairwise(pieces))
    for piece in pieces:
        assert all(0 <= w.start_s <= w.end_s <= piece.samples / SAMPLE_RATE_HZ + 1e-9 for w in piece.words)


def test_scenes_that_were_not_heard_have_a_frame_each_before_the_end() -> None:
    words = said("a b c", start_s=1.0)
    scenes = [words, *([Word(text="x", start_s=9.7, end_s=9.7)] for _ in range(60))]
    pieces = cut(scenes, sounding=(1.0, 9.7), pauses=[], length=480_000, fps=Fraction(24))
    assert pieces[-1].start + pieces[-1].samples == 480_000
    assert all(piece.samples == pytest.approx(2000, abs=1) for piece in pieces[2:-1])
    with pytest.raises(StepError, match=r"9\.2 s of recording are too short for 61 scenes"):
        cut(scenes, sounding=(1.0, 9.7), pauses=[], length=480_000, fps=Fraction(1))


@pytest.mark.parametrize("rate", ["1", "5"])
def test_at_few_frames_a_second_it_is_cut_in_the_pause_that_has_one(rate: str) -> None:
    before, after = Word(text="a", start_s=2.0, end_s=4.0), Word(text="b", start_s=4.0, end_s=6.0)
    # Frames begin at 0.3 s and so on, counted from the start of what is heard (1.85 s): 4.15 s, in the shorter pause.
    pauses = [(3.46, 3.6), (4.1, 4.2)]
    pieces = cut([[before], [after]], sounding=(2.0, 6.0), pauses=pauses, length=400_000, fps=Fraction(rate))
    assert pieces[1].start / SAMPLE_RATE_HZ == pytest.approx(4.15 if rate == "1" else 3.55, abs=0.001)


def test_words_that_are_softer_than_the_silence_around_are_kept() -> None:
    soft, loud = Word(text="so", start_s=0.5, end_s=0.8), Word(text="LOUD", start_s=2.0, end_s=3.0)
    (piece,) = cut([[soft, loud]], sounding=(2.0, 3.0), pauses=[], length=200_000, fps=Fraction(30))
    assert piece.start == s_to_samples(0.35)


def test_a_long_pause_begins_a_paragraph_and_a_breath_does_not() -> None:
    words = said("It was late. So we went home")
    shifted = [*words[:3], *(Word(text=w.text, start_s=w.start_s + 1, end_s=w.end_s + 1) for w in words[3:])]
    assert text_with_pauses(shifted, gaps(shifted)) == "It was late.\n\nSo we went home"
    assert text_with_pauses(words, gaps(words)) == "It was late. So we went home"


def test_the_recogniser_gives_the_times_and_the_script_the_words() -> None:
    heard = said("the see at nite is never quiet dark")
    narrations = ["The sea at night", "is never quite dark."]
    timed = script_times(narrations, heard, 10.0, language="en")
    scenes = words_of_scenes(narrations, timed)
    assert [[word.text for word in words] for words in scenes] == [text.split() for text in narrations]
    assert [word.start_s for words in scenes for word in words] == pytest.approx([word.start_s for word in heard])
    assert heard_share(timed) == 1
    assert heard_share(script_times(["Entirely other text here"], [], 10.0, language="en")) == 0


def test_a_text_without_spaces_is_matched_sign_by_sign() -> None:
    heard = [Word(text="海は", start_s=1, end_s=2), Word(text="暗い", start_s=2, end_s=3, glued=True)]
    narrations = ["海は。", "暗い。"]
    first, second = words_of_scenes(narrations, script_times(narrations, heard, 5.0, language="ja"))
    assert [word.text for word in (*first, *second)] == ["海は。", "暗い。"]
    assert (first[0].start_s, first[0].end_s, second[0].start_s, second[0].end_s) == pytest.approx((1, 2, 2, 3))


def test_words_that_are_parted_otherwise_keep_their_times() -> None:
    heard = in_order(
        [[" twenty", 1.0, 1.4, 0.9], ["-first", 1.4, 1.8, 0.5], [" night.", 1.7, 9.0, 1.2], [" ", 2, 3, 1]], 0, 3
    )
    assert [(word.text, word.glued) for word in heard] == [("twenty", False), ("-first", True), ("night.", False)]
    assert [(word.start_s, word.end_s) for word in heard] == [(1.0, 1.4), (1.4, 1.8), (1.8, 3)], "in order, and inside"
    assert text_with_pauses(heard, []) == "twenty-first night."
    (words,) = words_of_scenes(["twenty-first night."], heard)
    assert [(word.text, word.start_s) for word in words] == [("twenty-first", 1.0), ("night.", 1.8)]
    assert words[0].end_s == pytest.approx(1.8) and words[0].confidence == 0.5


def test_what_has_no_spaces_has_none_between_two_parts_either() -> None:
    first = in_order([["夜晚", 0.0, 1.0, 0.9], ["的", 1.0, 1.2, 0.9]], 0, 2)
    second = in_order([["大海", 0.0, 1.0, 0.9], ["。", 1.0, 1.1, 0.9]], 2, 4)
    assert text_with_pauses([*first, *second], []) == "夜晚的大海。"


def test_the_pause_beside_a_word_is_no_part_of_it() -> None:
    words = [Word(text="a", start_s=0.1, end_s=1.5), Word(text="b", start_s=1.6, end_s=3.9)]
    tidy = without_pauses(words, sounding=(0.5, 3.0), pauses=[(1.2, 1.8), (2.0, 2.2)], length_s=4.0)
    assert [(word.start_s, word.end_s) for word in tidy] == [(0.5, 1.2), (1.8, 3.0)]
    inside = [Word(text="a", start_s=0.1, end_s=0.4)]
    assert without_pauses(inside, sounding=(0.5, 3.0), pauses=[], length_s=4.0) == inside


def test_a_long_recording_is_written_down_in_parts_that_end_in_pauses() -> None:
    assert parts_of(200.0, [(150.0, 151.0)], []) == [(0.0, 200.0)]
    pauses = [(100.0, 109.0), (130.0, 131.0), (200.0, 200.5), (300.0, 302.0)]
    assert parts_of(500.0, pauses, []) == [(0.0, 130.5), (130.5, 301.0), (301.0, 500.0)]
    hushes = [minute * 60 + 59.0 * (minute % 2) for minute in range(60)]
    parts = parts_of(3600.0, [], hushes)
    assert parts[0][0] == 0 and parts[-1][1] == 3600 and max(end - start for start, end in parts) <= PART_S[1]
    assert all(end in hushes for _, end in parts[:-1]), "where it is quietest, if nobody pauses"
    late = in_order([[" so", 0.5, 0.9, 0.8]], 130.5, 131.2)
    assert [(word.start_s, word.end_s) for word in late] == [(131.0, 131.2)]
