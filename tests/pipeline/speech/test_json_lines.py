from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vidgend.children import JsonService
from vidgend.errors import SpeechFailed
from vidgend.pipeline.speech.speaking import run_onnx

CHILD = """
import os, sys
from vidgend.pipeline.speech.json_lines import serve

def handle(request):
    print("a library prints")
    os.write(1, b"and another one writes to the descriptor")
    if request["do"] == "refuse":
        raise ValueError("no such voice")
    if request["do"] == "crash":
        raise ArithmeticError("unforeseen")
    return {"answer": request["do"].upper(), "pid": os.getpid()}

serve(handle)
"""


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JsonService:
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    return JsonService((sys.executable, str(script)), name="test child", failure=SpeechFailed)


async def test_prints_of_libraries_do_not_break_the_answers(service: JsonService) -> None:
    try:
        assert (await service.request({"do": "hi"}, timeout_s=20))["answer"] == "HI"
        assert (await service.request({"do": "há"}, timeout_s=20))["answer"] == "HÁ"
    finally:
        await service.aclose()


async def test_an_expected_error_is_told_and_the_child_lives_on(service: JsonService) -> None:
    try:
        first = await service.request({"do": "a"}, timeout_s=20)
        with pytest.raises(SpeechFailed, match="no such voice"):
            await service.request({"do": "refuse"}, timeout_s=20)
        assert (await service.request({"do": "b"}, timeout_s=20))["pid"] == first["pid"]
    finally:
        await service.aclose()


async def test_an_unforeseen_error_ends_the_child_with_its_reason_and_the_next_request_gets_a_new_one(
    service: JsonService,
) -> None:
    try:
        first = await service.request({"do": "a"}, timeout_s=20)
        with pytest.raises(SpeechFailed, match="ArithmeticError: unforeseen"):
            await service.request({"do": "crash"}, timeout_s=20)
        assert (await service.request({"do": "b"}, timeout_s=20))["pid"] != first["pid"]
    finally:
        await service.aclose()


@pytest.mark.parametrize("text", ["bfc_arena.cc: Failed to allocate memory", "std::bad_alloc"])
def test_what_onnxruntime_says_of_memory_is_a_memory_error(text: str) -> None:
    class Session:
        def run(self, *_: object) -> None:
            raise RuntimeError(text)

    with pytest.raises(MemoryError):
        run_onnx(Session(), ["audio"], {})
