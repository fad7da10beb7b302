"""Narration -> the same in another language, by a language model: one step for all scenes of a video."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vidgend.errors import StepError, ToolMissing
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.planner.port import Translator
from vidgend.pipeline.planner.translation_wire import batches
from vidgend.pipeline.run import JobRun

KIND = "translate"
CODE = ("narration_to_translation.py", "planner")


class TranslateStep:
    """args: source, target, title, texts -> title, texts"""

    def __init__(self, translator: Translator | None) -> None:
        self._translator = translator

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        target = args["target"]
        try:
            title, texts = await _present(self._translator).translate(
                args["texts"], title=args["title"], source=args["source"], target=target
            )
        except StepError as error:
            error.detail = f"translating into {target}: {error.detail}"
            raise
        return StepOutput(output={"title": title, "texts": list(texts)})


async def translate(
    run: JobRun, texts: Sequence[str], *, title: str, source: str, target: str, translator: Translator | None
) -> tuple[str, tuple[str, ...]]:
    """The title and the texts, each of which has words, in the language `target`; languages are BCP-47 tags.

    There is no second best: what is not translated is not shown. Raises: ProviderError and its kin, StepTimeout,
    ToolMissing without a model.
    """
    args = {"source": source, "target": target, "title": title, "texts": list(texts)}
    spec = StepSpec(
        key=run.key(KIND, args, CODE, _present(translator).identity),
        kind=KIND,
        args=args,
        label="llm",
        timeout_s=600.0 * len(batches(texts)),
        stall_s=0,  # the model does not say how far it is
        max_attempts=1,
    )
    output = await run.step(spec, stage="planning")
    return output["title"] or title, tuple(output["texts"])


def _present(translator: Translator | None) -> Translator:
    if translator is None:
        hint = "Set planner.base_url and planner.model."
        raise ToolMissing("there is no language model to translate with", hint=hint)
    return translator
