"""Texts -> similarity: how well each description fits each wanted text, once for the same texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vidgend.errors import StepError
from vidgend.models import Substitution
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.relevance.port import TextSimilarity
from vidgend.pipeline.run import JobRun

KIND = "similarity"
CODE = ("texts_to_similarity.py", "relevance")
TIMEOUT_S = 300.0
PRIORITY = 1
"""Before what is spoken: it takes a fraction of a second, and a scene's picture waits for it."""


class SimilarityStep:
    """args: wanted, described (texts) -> {"rows": a row for each wanted text}. `similarities` are those with a label,
    by which a step is found again; args has its `name`."""

    def __init__(self, similarities: Sequence[TextSimilarity]) -> None:
        self._similarities = {one.name: one for one in similarities}

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        rows = await self._similarities[args["name"]].compare(args["wanted"], args["described"])
        return StepOutput(output={"rows": [[round(value, 4) for value in row] for row in rows]})


class JobSimilarity:
    """The similarities of one job, as one TextSimilarity: asks the first, as a step if it costs something, and the next
    one from then on when it fails, which it records as a substitution. The last one is expected to need nothing.

    Raises: what the last one raises; StorageFull and the like of the store.
    """

    def __init__(self, run: JobRun, similarities: Sequence[TextSimilarity]) -> None:
        self._run = run
        self._left = list(similarities)

    @property
    def name(self) -> str:
        return self._left[0].name

    @property
    def identity(self) -> str:
        return self._left[0].identity

    label = None

    async def compare(self, wanted: Sequence[str], described: Sequence[str]) -> list[list[float]]:
        while True:
            asked = self._left[0]
            try:
                return await self._compare(asked, list(wanted), list(described))
            except StepError as error:
                if len(self._left) == 1 and self._left[0] is asked:
                    raise
                if self._left[0] is asked:  # several scenes may ask at the same time
                    self._left.pop(0)
                used, reason = self._left[0].name, error.detail or error.title
                await self._run.substitute(
                    Substitution(stage="retrieving", wanted=asked.name, used=used, reason=reason)
                )

    async def _compare(self, asked: TextSimilarity, wanted: list[str], described: list[str]) -> list[list[float]]:
        if asked.label is None:
            return await asked.compare(wanted, described)
        args: dict[str, Any] = {"name": asked.name, "wanted": wanted, "described": described}
        spec = StepSpec(
            key=self._run.key(KIND, args, CODE, asked.identity), kind=KIND, args=args, label=asked.label,
            priority=PRIORITY, timeout_s=TIMEOUT_S, stall_s=0, max_attempts=2,
        )  # fmt: skip
        rows: list[list[float]] = (await self._run.step(spec, stage="retrieving"))["rows"]
        return rows

    async def aclose(self) -> None:
        """They are the pipeline's, not the job's."""
