"""One run of one job: its steps, its progress, what was substituted, and where the time went."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from vidgend.errors import VidgendError
from vidgend.models import JobState, Substitution
from vidgend.pipeline.code_version import code_version
from vidgend.pipeline.executor.port import Executor, StepSpec, step_key

STAGES: tuple[JobState, ...] = ("planning", "retrieving", "narrating", "aligning", "rendering", "publishing")
_WEIGHTS: dict[JobState, float] = {
    "planning": 2, "retrieving": 8, "narrating": 16, "aligning": 2, "rendering": 66, "publishing": 6,
}  # fmt: skip
"""Share of each stage in the whole, in percent: about what the stages cost on two cores."""

Announce = Callable[[JobState, str], Awaitable[None]]
Note = Callable[[str], Awaitable[None]]


@dataclass
class Progress:
    """How far a job is. Shares are 0..1 per stage; `percent` never goes down."""

    state: JobState = "planning"
    shares: dict[JobState, float] = field(default_factory=dict)
    scenes_done: int = 0
    scenes_total: int = 0
    began: float = field(default_factory=time.monotonic)
    _percent: float = 0.0

    def set(self, stage: JobState, share: float) -> None:
        self.shares[stage] = max(self.shares.get(stage, 0.0), min(1.0, share))

    @property
    def percent(self) -> float:
        now = sum(_WEIGHTS[stage] * share for stage, share in self.shares.items())
        self._percent = max(self._percent, min(99.9, now))
        return self._percent

    def eta_s(self) -> float | None:
        """Seconds that are left if the rest goes as the part until now; None while that says nothing."""
        elapsed_s = time.monotonic() - self.began
        if self.percent < 5 or elapsed_s < 2:
            return None
        return elapsed_s * (100 - self.percent) / self.percent


class JobRun:
    """What the stages use: `step` runs a step and gives its output, the rest records."""

    def __init__(
        self, executor: Executor, *, job_id: str, salt: str, announce: Announce, note: Note, progress: Progress
    ) -> None:
        self._executor = executor
        self._job_id = job_id
        self._announce = announce
        self._note = note
        self._salt = salt
        self.progress = progress
        self.substitutions: list[Substitution] = []
        self.seconds: dict[str, float] = {}
        self.waited_s = 0.0
        self.steps_run = 0
        self.steps_reused = 0
        self._state: JobState | None = None

    def key(self, kind: str, args: dict[str, Any], code: tuple[str, ...], identity: str = "") -> str:
        """The key of a step of this job: its inputs, the source files `code` that make its output, and `identity` for
        what else does (an adapter, a model, a program). Jobs that may not share steps have keys of their own."""
        return step_key(kind, args, f"{code_version(*code)}/{identity}{self._salt}")

    async def enter(self, state: JobState, line: str) -> None:
        """Say that the job has come to a stage. Stages overlap; the word never goes backwards."""
        if self._state is not None and STAGES.index(state) <= STAGES.index(self._state):
            return
        self._state = self.progress.state = state
        await self._announce(state, line)

    async def note(self, line: str) -> None:
        await self._note(line)

    async def substitute(self, entry: Substitution) -> None:
        """Record a fall-back, once, and tell it in the log."""
        if entry in self.substitutions:
            return
        self.substitutions.append(entry)
        where = f"scene {entry.scene}: " if entry.scene is not None else ""
        await self._note(f"{where}{entry.used} instead of {entry.wanted}: {entry.reason}")

    async def step(
        self, spec: StepSpec, *, stage: JobState, progress: Callable[[float], None] | None = None
    ) -> dict[str, Any]:
        """Run a step, or take its finished output. If this is cancelled, so is the step, and it is dead on return.

        Raises: what the step raised.
        """
        ref = await self._executor.submit(replace(spec, job_id=self._job_id), progress)
        try:
            event = await self._executor.wait(ref)
        except asyncio.CancelledError:
            await asyncio.shield(self._executor.cancel(ref))
            raise
        self.seconds[stage] = self.seconds.get(stage, 0.0) + event.seconds
        self.waited_s += event.waited_s
        if event.state == "cancelled":
            raise VidgendError(f"the step {spec.kind} was stopped from outside")
        if event.error is not None:
            raise event.error
        if event.cached:
            self.steps_reused += 1
        else:
            self.steps_run += 1
        return event.output
