"""The painter as a program: bytes on stdout, quiet when the reader leaves, one line for a bad recipe."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vidgend.pipeline.footage.paint.recipe import Recipe, RecipeInvalid

RECIPE = {
    "theme": "ocean",
    "palette": "sunset",
    "seed": 3,
    "width_px": 64,
    "height_px": 36,
    "fps": "30000/1001",
    "frames": 10,
}
FRAME_BYTES = 64 * 36 * 3


def paint(argument: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "vidgend.pipeline.footage.paint", argument]
    return subprocess.run(command, capture_output=True, timeout=60)


def test_it_writes_exactly_the_frames_that_the_recipe_asks_for_and_nothing_else() -> None:
    done = paint(json.dumps(RECIPE))
    assert (done.returncode, done.stderr, len(done.stdout)) == (0, b"", 10 * FRAME_BYTES)


def test_the_same_recipe_paints_the_same_bytes_and_a_shorter_one_a_prefix(tmp_path: Path) -> None:
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps(RECIPE))
    whole, part = paint(str(file)), paint(json.dumps({**RECIPE, "frames": 9}))
    assert len(part.stdout) == 9 * FRAME_BYTES
    assert whole.stdout[: 9 * FRAME_BYTES] == part.stdout


def test_a_reader_that_leaves_early_ends_it_without_a_word() -> None:
    recipe = json.dumps({**RECIPE, "frames": 100_000})
    child = subprocess.Popen(
        [sys.executable, "-m", "vidgend.pipeline.footage.paint", recipe],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None and child.stderr is not None
    with child:
        assert len(child.stdout.read(FRAME_BYTES)) == FRAME_BYTES
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(timeout=60) == 0


@pytest.mark.parametrize("argument", ["{", "[]", "no-such-file.json", json.dumps({"theme": "ocean"})])
def test_a_bad_recipe_is_one_line_on_stderr_and_status_2(argument: str) -> None:
    done = paint(argument)
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.startswith(b"bad recipe") and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("change", [{"fps": "0"}, {"fps": "1/0"}, {"width_px": 8}, {"height_px": 9000}, {"frames": -1}])
def test_a_recipe_that_cannot_be_painted_says_so(change: dict[str, object]) -> None:
    with pytest.raises(RecipeInvalid):
        Recipe.of({**RECIPE, **change})
