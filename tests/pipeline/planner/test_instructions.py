"""What a prompt says to the maker."""

from __future__ import annotations

import pytest

from vidgend.pipeline.planner.instructions import is_direction, prompt_duration_s, strip_lead


@pytest.mark.parametrize(
    ("prompt", "seconds"),
    [
        ("Make a 30 second video about tea", 30.0),
        ("Create a cinematic 45-second video of a river", 45.0),
        ("create a 2 minute film about Rome", 120.0),
        ("A 20s clip of a cat", 20.0),
        ("The 30 second rule explained", None),
        ("Make a video about the 60 second sprint", None),
        ("Make a 0 second video about tea", None),
    ],
)
def test_a_length_in_the_order_is_understood(prompt: str, seconds: float | None) -> None:
    assert prompt_duration_s(prompt) == seconds


def test_nothing_is_stripped_when_nothing_would_be_left() -> None:
    assert strip_lead("Make a video about ") == ("Make a video about", False)


@pytest.mark.parametrize("sentence", ["Use a happy tone.", "The video should be calm.", "Style: noir", "Keep it brief"])
def test_directions_are_known(sentence: str) -> None:
    assert is_direction(sentence)


@pytest.mark.parametrize("sentence", ["Coffee grows on trees.", "The tonic is bitter.", "Musical notes fly."])
def test_facts_are_no_directions(sentence: str) -> None:
    assert not is_direction(sentence)
