"""A narration made shorter or longer, by the language model that wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from vidgend.pipeline.planner.length_wire import SYSTEM, length_message, length_schema, read_lengths
from vidgend.pipeline.planner.llm_chat import LlmChat, Wish


class LlmRewriter:
    """See Rewriter."""

    def __init__(self, chat: LlmChat) -> None:
        self._chat = chat
        self.identity = chat.identity

    async def rewrite(
        self, texts: Sequence[str], *, targets: Sequence[int], title: str, language: str
    ) -> tuple[str, ...]:
        """Raises: ProviderUnauthorized, ProviderRateLimited, ProviderError, ProviderGarbage, StepTimeout."""
        wish = Wish(name="narration", system=SYSTEM, schema=length_schema(), counted=length_schema(len(texts)))
        message = length_message(texts, targets, title=title, language=language)
        return await self._chat.ask(
            wish, message, partial(read_lengths, texts=texts, targets=targets, language=language)
        )
