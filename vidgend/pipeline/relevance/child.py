"""The process that holds the embedding model: `python -m vidgend.pipeline.relevance.child --model FOLDER`.

A request is `{"wanted": [text, ...], "described": [text, ...]}`, the answer `{"cosines": [[number, ...], ...]}`: a row
for each wanted text. The first request loads the model.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidgend.pipeline.speech.json_lines import serve

if TYPE_CHECKING:
    from vidgend.pipeline.relevance.minilm import MiniLm


def main() -> None:
    parser = argparse.ArgumentParser(prog="vidgend.pipeline.relevance.child")
    parser.add_argument("--model", type=Path, required=True)
    options = parser.parse_args()
    # The products are small. On cores that have other work two threads wait for each other: five times as slow.
    # Counts only before numpy is there.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    loaded: list[MiniLm] = []

    def handle(request: dict[str, Any]) -> dict[str, Any]:
        from vidgend.pipeline.relevance.minilm import MiniLm

        if not loaded:
            loaded.append(MiniLm(options.model))
        wanted, described = request["wanted"], request["described"]
        texts = list(dict.fromkeys([*wanted, *described]))
        place = {text: number for number, text in enumerate(texts)}
        vectors = loaded[0].encode(texts)
        rows = vectors[[place[text] for text in wanted]] @ vectors[[place[text] for text in described]].T
        return {"cosines": [[round(float(value), 4) for value in row] for row in rows]}

    serve(handle)


if __name__ == "__main__":
    main()
