"""What a model's answer says that it used, whatever it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vidgend.pipeline.planner.llm_chat import tokens_used


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19}, (12, 7)),
        ({"prompt_tokens": 12}, (12, 0)),
        ({"prompt_tokens": -3, "completion_tokens": True}, (0, 0)),
        ({"prompt_tokens": "12", "completion_tokens": 1.5}, (0, 0)),
        (None, (0, 0)), ([], (0, 0)), ("many", (0, 0)), (7, (0, 0)),
    ],
)  # fmt: skip
def test_only_whole_numbers_count(usage: Any, expected: tuple[int, int]) -> None:
    assert tokens_used(json.dumps({"choices": [], "usage": usage}).encode()) == expected


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null", b"\xff", b"[" * 100_000, b'{"usage": '])
def test_an_answer_without_them_says_none(body: bytes) -> None:
    assert tokens_used(body) == (0, 0)
