"""The planner port: a brief in, a plan out."""

from __future__ import annotations

from typing import Protocol

from vidgend.models import Brief, Plan


class Planner(Protocol):
    name: str
    identity: str
    """What changes the plan besides our own code: planner, model. Part of the step's key."""

    async def plan(self, brief: Brief) -> Plan:
        """Scenes with narration and searches. Raises: ProviderError (and its kin), StepTimeout."""
        ...
