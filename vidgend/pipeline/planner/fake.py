"""A planner for tests: it answers what it was told, and remembers what it was asked."""

from __future__ import annotations

from vidgend.errors import StepError
from vidgend.models import Brief, Plan
from vidgend.pipeline.planner.builtin import plan_brief


class FakePlanner:
    """Answers `plan`, raises `error`, or plans as the builtin planner does. `briefs` holds all calls."""

    name = "fake"

    def __init__(self, plan: Plan | None = None, *, error: StepError | None = None, identity: str = "fake:1") -> None:
        self.identity = identity
        self.briefs: list[Brief] = []
        self._plan = plan
        self._error = error

    async def plan(self, brief: Brief) -> Plan:
        """Raises: the error given to the constructor."""
        self.briefs.append(brief)
        if self._error is not None:
            raise self._error
        return self._plan or plan_brief(brief)
