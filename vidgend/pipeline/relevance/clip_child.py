"""The process that holds the CLIP model: `python -m vidgend.pipeline.relevance.clip_child --model FOLDER`.

A request is `{"wanted": [text, ...], "pictures": [path, ...]}`, the answer `{"cosines": [[number, ...], ...]}`: a row
for each wanted text. The first request loads the model.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidgend.pipeline.speech.json_lines import serve

if TYPE_CHECKING:
    from vidgend.pipeline.relevance.clip_model import ClipModel


def main() -> None:
    parser = argparse.ArgumentParser(prog="vidgend.pipeline.relevance.clip_child")
    parser.add_argument("--model", type=Path, required=True)
    options = parser.parse_args()
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # as in child.py
        os.environ[name] = "1"
    loaded: list[ClipModel] = []

    def handle(request: dict[str, Any]) -> dict[str, Any]:
        from vidgend.pipeline.relevance.clip_files import clip_files
        from vidgend.pipeline.relevance.clip_model import ClipModel

        if not loaded:
            loaded.append(ClipModel(clip_files(options.model)))
        rows = loaded[0].cosines(request["wanted"], [Path(path) for path in request["pictures"]])
        return {"cosines": [[round(float(value), 4) for value in row] for row in rows]}

    serve(handle)


if __name__ == "__main__":
    main()
