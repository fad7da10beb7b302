"""Memory that is not enough: the same with less, then elsewhere, and the first way again once it was closed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from vidgend.children import JsonService
from vidgend.errors import OutOfMemory, SpeechFailed
from vidgend.pipeline.model_ladder import ModelLadder, Rung

CHILD = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)["symbols"]
    if asked > int(sys.argv[1]):
        print(json.dumps({"error": {"code": sys.argv[2], "detail": sys.argv[3]}}), flush=True)
    else:
        print(json.dumps({"said": sys.argv[4]}), flush=True)
"""


@pytest_asyncio.fixture
async def ladder(tmp_path: Path) -> AsyncIterator[ModelLadder]:
    program = tmp_path / "child.py"
    program.write_text(CHILD)

    def rung(room: int, code: str, detail: str, name: str, reason: str) -> Rung:
        argv = (sys.executable, str(program), str(room), code, detail, name)
        return Rung(service=JsonService(argv, name=name, failure=SpeechFailed), reason=reason)

    made = ModelLadder(
        [
            rung(10, "OutOfMemoryError", "tried to allocate 2 GiB", "gpu", ""),
            rung(20, "RuntimeError", "CUDA failed with error out of memory", "less", "shorter pieces"),
            rung(30, "MemoryError", "MemoryError", "cpu", "on the CPU"),
        ]
    )
    yield made
    await made.aclose()


async def test_each_request_goes_as_far_down_as_it_must_and_stays_there(ladder: ModelLadder) -> None:
    assert await ladder.request({"symbols": 5}, timeout_s=10) == ({"said": "gpu"}, "")
    first = ladder.service
    assert await ladder.request({"symbols": 15}, timeout_s=10) == ({"said": "less"}, "shorter pieces")
    assert not first.running, "its memory is free for the next one"
    assert await ladder.request({"symbols": 25}, timeout_s=10) == ({"said": "cpu"}, "on the CPU")
    assert await ladder.request({"symbols": 5}, timeout_s=10) == ({"said": "cpu"}, "on the CPU")
    await ladder.aclose()
    assert await ladder.request({"symbols": 5}, timeout_s=10) == ({"said": "gpu"}, "")


async def test_what_waited_starts_nothing_again_that_was_closed_for_its_memory(ladder: ModelLadder) -> None:
    first = ladder.service
    answers = await asyncio.gather(*(ladder.request({"symbols": 15}, timeout_s=10) for _ in range(3)))
    assert answers == [({"said": "less"}, "shorter pieces")] * 3
    assert not first.running


async def test_what_fits_nowhere_is_an_error_that_says_so(ladder: ModelLadder) -> None:
    with pytest.raises(OutOfMemory, match="cpu: MemoryError"):
        await ladder.request({"symbols": 99}, timeout_s=10)
