"""How well what a picture shows fits a text, by a CLIP model in a process of its own."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

from vidgend.children import JsonService
from vidgend.errors import StepError
from vidgend.pipeline.executor.port import Label
from vidgend.pipeline.relevance.clip_files import ClipFiles
from vidgend.pipeline.relevance.port import MAX_TEXT_CHARS

LOAD_S = 60.0
EACH_S = 2.0
"""For a text or a picture: some tenths of a second on a core of its own; a limit for a machine that has none to
spare."""

MIDDLE, SLOPE = 0.25, 40.0
"""At that cosine a picture fits as likely as not, and so steep is it there. A guess, measured by nobody: those of
ViT-B/32 lie at about 0.15 to 0.2 for what has nothing to do with each other, and at 0.3 for what belongs together."""


def look_of(cosine: float) -> float:
    """A cosine on the scale of the port, 0..1."""
    return 1 / (1 + math.exp(SLOPE * (MIDDLE - cosine)))


class ClipSimilarity:
    """An ImageSimilarity. `files` are already here; nothing is downloaded.

    It has the label of a model on the cores, so its memory (some more than the size of its files) takes the place of an
    encode's.
    """

    name = "clip"
    label: Label = "cpu"

    def __init__(self, files: ClipFiles) -> None:
        self.problem, self.identity = files.problem, "none"
        if not self.problem:
            try:
                self.identity = f"{files.vision.name}:{files.fingerprint}"
            except OSError as error:
                self.problem = f"footage.image_model {files.folder} cannot be read: {error.strerror}"
        argv = (sys.executable, "-m", "vidgend.pipeline.relevance.clip_child", "--model", str(files.folder.absolute()))
        self._service = JsonService(argv, name="the image model", failure=StepError)

    async def compare(self, wanted: Sequence[str], pictures: Sequence[Path]) -> list[list[float]]:
        """See the port. Raises: StepError, OutOfMemory, StepTimeout."""
        if self.problem:
            raise StepError(self.problem)
        if not wanted or not pictures:
            return [[] for _ in wanted]
        message = {
            "wanted": [text[:MAX_TEXT_CHARS] for text in wanted],
            "pictures": [str(path.absolute()) for path in pictures],
        }
        timeout_s = LOAD_S + EACH_S * (len(wanted) + len(pictures))
        answer = await self._service.request(message, timeout_s=timeout_s)
        rows = answer.get("cosines")
        if not isinstance(rows, list) or [len(row) for row in rows] != [len(pictures)] * len(wanted):
            raise StepError("the image model answered something else than was asked for")
        return [[look_of(cosine) for cosine in row] for row in rows]

    async def aclose(self) -> None:
        """End the process. It may be asked again."""
        await self._service.aclose()
