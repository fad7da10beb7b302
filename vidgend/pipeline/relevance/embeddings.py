"""How near two texts are in meaning, by all-MiniLM-L6-v2 in a process of its own."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

from vidgend.children import JsonService
from vidgend.errors import StepError
from vidgend.pipeline.executor.port import Label
from vidgend.pipeline.relevance.model_files import LocalEmbeddings
from vidgend.pipeline.relevance.port import MAX_TEXT_CHARS

LOAD_S = 30.0
EACH_S = 0.5
"""A text takes 4 to 8 ms on a core of its own; the limits are for a machine that has none to spare."""

IDLE_S = 2.0
"""Scenes look for clips at the same time, and then nobody asks for long; starting anew takes a quarter of a second."""

MIDDLE, SLOPE = 0.42, 9.5
"""At that cosine a description fits as likely as not, and so steep is it there. Fitted on the half `dev` of
bench/relevance; the middle a little higher than there, since a search more costs less than a wrong picture."""


def fit_of(cosine: float) -> float:
    """A cosine on the scale of the port, 0..1."""
    return 1 / (1 + math.exp(SLOPE * (MIDDLE - cosine)))


class EmbeddingSimilarity:
    """A TextSimilarity. `model` is a folder that is already here (see `find_embeddings`); nothing is downloaded.

    It has the label of a model on the cores, though it uses one core for a fraction of a second: so its memory (about
    100 MB) takes the place of an encode's and is never there beside all of them.
    """

    name = "embeddings"
    label: Label | None = "cpu"

    def __init__(self, model: LocalEmbeddings) -> None:
        self.identity = f"all-MiniLM-L6-v2:{model.fingerprint}"
        argv = (sys.executable, "-m", "vidgend.pipeline.relevance.child", "--model", str(model.folder.absolute()))
        self._service = JsonService(argv, name="embeddings", failure=StepError, idle_s=IDLE_S)

    async def compare(self, wanted: Sequence[str], described: Sequence[str]) -> list[list[float]]:
        """See the port. Raises: StepError, OutOfMemory, StepTimeout."""
        if not wanted or not described:
            return [[] for _ in wanted]
        message = {name: [text[:MAX_TEXT_CHARS] for text in texts] for name, texts in
                   (("wanted", wanted), ("described", described))}  # fmt: skip
        timeout_s = LOAD_S + EACH_S * (len(wanted) + len(described))
        answer = await self._service.request(message, timeout_s=timeout_s)
        rows = answer.get("cosines")
        if not isinstance(rows, list) or [len(row) for row in rows] != [len(described)] * len(wanted):
            raise StepError("embeddings answered something else than was asked for")
        if not all(math.isfinite(cosine) for row in rows for cosine in row):
            raise StepError("the embedding model gives no numbers: its file is damaged")
        return [[fit_of(cosine) for cosine in row] for row in rows]

    async def aclose(self) -> None:
        """End the process. It may be asked again."""
        await self._service.aclose()
