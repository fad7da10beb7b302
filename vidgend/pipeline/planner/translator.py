"""A narration in another language, by a language model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from vidgend.pipeline.planner.llm_chat import LlmChat, Wish
from vidgend.pipeline.planner.translation_wire import (
    SYSTEM,
    answer_schema,
    batches,
    read_translation,
    translation_message,
)

_WISH = Wish(name="translation", system=SYSTEM, schema=answer_schema())


class LlmTranslator:
    """See Translator. A text that is too long for one question is translated part by part."""

    def __init__(self, chat: LlmChat) -> None:
        self._chat = chat
        self.identity = chat.identity

    async def translate(
        self, texts: Sequence[str], *, title: str, source: str, target: str
    ) -> tuple[str, tuple[str, ...]]:
        """Raises: ProviderUnauthorized, ProviderRateLimited, ProviderError, ProviderGarbage, StepTimeout."""
        named = ""
        said: list[str] = []
        for part in batches(texts):
            message = translation_message(part, title=title, source=source, target=target)
            read = partial(read_translation, texts=part, source=source)
            heading, translated = await self._chat.ask(_WISH, message, read)
            named = named or heading
            said += translated
        return named, tuple(said)
