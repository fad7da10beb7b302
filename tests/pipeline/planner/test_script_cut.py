"""A script into scenes: its own characters, wherever it is cut."""

from __future__ import annotations

from vidgend.pipeline.planner.script import script_to_narrations


def test_no_space_comes_into_a_word_that_has_a_mark_inside() -> None:
    text = (
        "See https://example.com/a?b=1&c=2!d for more of it. What?no way!yes, said Ann to all of us there. "
        "Version 2.0!important is out now, with <?xml version='1.0'?> and so on in it."
    )
    scenes = script_to_narrations(text, language="en")
    assert " ".join(scenes) == text
