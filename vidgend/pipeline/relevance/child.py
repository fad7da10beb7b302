"""The process that holds the embedding model: `python -m vidgend.pipeline.relevance.child --model FOLDER`.

A request is `{"wanted": [text, ...], "described": [text, ...]}`, the answer `{"cosines": [[number, ...], ...]}`: a row
for each wanted text. The first request loads the model. Vectors are remembered: a scene asks again with all that it has
whenever it has searched for more, and many scenes find the same clips.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidgend.pipeline.speech.json_lines import serve

if TYPE_CHECKING:
    from vidgend.pipeline.relevance.minilm import Floats, MiniLm

MOST_REMEMBERED = 4096
"""Texts, and 6 MB of vectors."""


class Vectors:
    """The vectors of texts, each computed once while it is among the last `MOST_REMEMBERED`."""

    def __init__(self, model: MiniLm) -> None:
        self._model = model
        self._known: dict[str, Floats] = {}

    def of(self, texts: Sequence[str]) -> list[Floats]:
        import numpy as np

        found = {text: self._known.pop(text) for text in dict.fromkeys(texts) if text in self._known}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        found |= zip(new, map(np.copy, self._model.encode(new)), strict=True)
        self._known |= found  # at the end: the first ones are those that nobody asked for the longest
        for text in list(self._known)[:-MOST_REMEMBERED]:
            del self._known[text]
        return [found[text] for text in texts]


def main() -> None:
    parser = argparse.ArgumentParser(prog="vidgend.pipeline.relevance.child")
    parser.add_argument("--model", type=Path, required=True)
    options = parser.parse_args()
    # The products are small. On cores that have other work two threads wait for each other: five times as slow.
    # Counts only before numpy is there.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    loaded: list[Vectors] = []

    def handle(request: dict[str, Any]) -> dict[str, Any]:
        import numpy as np

        from vidgend.pipeline.relevance.minilm import MiniLm

        if not loaded:
            loaded.append(Vectors(MiniLm(options.model)))
        wanted, described = request["wanted"], request["described"]
        vectors = np.stack(loaded[0].of([*wanted, *described]))
        rows = vectors[: len(wanted)] @ vectors[len(wanted) :].T
        return {"cosines": [[round(float(value), 4) for value in row] for row in rows]}

    serve(handle)


if __name__ == "__main__":
    main()
