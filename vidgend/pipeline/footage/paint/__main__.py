"""The painter as a program: one recipe in, raw rgb24 frames out, exactly as many as the recipe says."""

from __future__ import annotations

import os
import sys

# The encoder runs beside this process on the same cores: one thread is the fair share, and one thread
# also keeps sums in the same order, so that a recipe always paints the same bytes.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

from vidgend.pipeline.footage.paint.recipe import Recipe, RecipeInvalid  # noqa: E402
from vidgend.pipeline.footage.paint.scenes import Painter  # noqa: E402


def main(argv: list[str]) -> int:
    """0 when every frame is written or the reader went away; 2 with one line on stderr for a bad recipe."""
    if len(argv) != 2:
        sys.stderr.write("usage: python -m vidgend.pipeline.footage.paint RECIPE (JSON, or the path of a .json file)\n")
        return 2
    try:
        recipe = Recipe.read(argv[1])
    except RecipeInvalid as error:
        sys.stderr.write(f"bad recipe: {error}\n")
        return 2
    painter = Painter(recipe)
    out = sys.stdout.buffer.raw if hasattr(sys.stdout.buffer, "raw") else sys.stdout.buffer
    try:
        for index in range(recipe.first, recipe.first + recipe.frames):
            view = painter.frame(index)
            while len(view):
                view = view[out.write(view) or 0 :]
    except BrokenPipeError:
        # The reader has all it wants. Python would complain again when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))
