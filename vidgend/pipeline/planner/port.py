"""The planner port: a brief in, a plan out. And the ports for a narration in another language, or of another length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from vidgend.models import Brief, Plan


class Planner(Protocol):
    name: str
    identity: str
    """What changes the plan besides our own code: planner, model. Part of the step's key."""

    async def plan(self, brief: Brief) -> Plan:
        """Scenes with narration and searches. Raises: ProviderError (and its kin), StepTimeout."""
        ...


class Translator(Protocol):
    identity: str
    """What changes the translation besides our own code. Part of the step's key."""

    async def translate(
        self, texts: Sequence[str], *, title: str, source: str, target: str
    ) -> tuple[str, tuple[str, ...]]:
        """The title ("" if it is left out) and the texts, none of which is empty, in the language `target`.

        Languages are BCP-47 tags. Raises: ProviderError (and its kin), StepTimeout.
        """
        ...


class Rewriter(Protocol):
    identity: str
    """What changes the texts besides our own code. Part of the step's key."""

    async def rewrite(
        self, texts: Sequence[str], *, targets: Sequence[int], title: str, language: str
    ) -> tuple[str, ...]:
        """As many texts as there were, none empty, nearer in all to the characters that `targets` wish for each.

        `language` is that of the texts (BCP-47). Raises: ProviderError (and its kin), StepTimeout.
        """
        ...
