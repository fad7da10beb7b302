"""One run of one job: its steps, its progress, what was substituted, and where the time went."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from vidgend.errors import VidgendError
from vidgend.models import Brief, JobState, Storyboard, Substitution
from vidgend.pipeline.code_version import code_version
from vidgend.pipeline.executor.port import Executor, StepEvent, StepSpec, run_step, step_key
from vidgend.pipeline.peak_memory import PeakMemory
from vidgend.pipeline.progress import Progress

STAGES: tuple[JobState, ...] = ("planning", "retrieving", "narrating", "aligning", "rendering", "publishing")
Announce = Callable[[JobState, str], Awaitable[None]]
Note = Callable[[str], Awaitable[None]]
One = TypeVar("One")
Other = TypeVar("Other")


def salt_of(job_id: str, *, share_steps: bool) -> str:
    """What makes the keys of a job its own, where jobs may not share steps."""
    return "" if share_steps else f"/{job_id}"


def key_with(salt: str, kind: str, args: dict[str, Any], code: tuple[str, ...], identity: str = "") -> str:
    """The key of a step: its inputs, the source files `code` that make its output, and `identity` for what else does
    (an adapter, a model, a program)."""
    return step_key(kind, args, f"{code_version(*code)}/{identity}{salt}")


def first_cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that made a group of tasks fail, without the wrapping."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def both(one: Coroutine[Any, Any, One], other: Coroutine[Any, Any, Other]) -> tuple[One, Other]:
    """Both at once; if one fails the other is stopped, and the failure is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = group.create_task(one), group.create_task(other)
    except BaseExceptionGroup as failed:
        raise first_cause(failed) from failed
    return tasks[0].result(), tasks[1].result()


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
        self.slot_waits_s: dict[str, float] = {}
        self.encoded: list[tuple[str, int]] = []
        """(digest, frames) of everything that was encoded in this run, not found finished."""
        self.memory = PeakMemory()
        self.began = time.monotonic()
        self.steps_run = 0
        self.steps_reused = 0
        self.job: JobRun = self
        """The run that counts: another one only for `OutputRun`."""
        self.output = 0
        """Which of several videos this makes."""
        self._state: JobState | None = None
        self.stale_keys: set[str] = set()
        """The steps whose output is older than wished, since it could not be made anew."""
        self._stale: set[str] = set()

    def key(self, kind: str, args: dict[str, Any], code: tuple[str, ...], identity: str = "") -> str:
        """The key of a step of this job."""
        return key_with(self._salt, kind, args, code, identity)

    async def enter(self, state: JobState, line: str) -> None:
        """Say that the job has come to a stage. Stages overlap; the word never goes backwards."""
        if self._state is not None and STAGES.index(state) <= STAGES.index(self._state):
            return
        self._state = self.progress.state = state
        await self._announce(state, line)

    def plan_video(self, brief: Brief, storyboard: Storyboard, encoding: Mapping[str, Any]) -> None:
        """Say what there is to do. `encoding` is what the segments' steps are given."""
        self.progress.plan_video(brief, storyboard, encoding, output=self.output)

    def scene_done(self) -> None:
        """A scene is rendered."""
        self.progress.scene_done(self.output)

    async def note(self, line: str) -> None:
        await self._note(line)

    async def substitute(self, entry: Substitution) -> None:
        """Record a fall-back, once, and tell it in the log."""
        if entry in self.substitutions:
            return
        self.substitutions.append(entry)
        where = f"{entry.output}: " if entry.output is not None else ""
        where += f"scene {entry.scene}: " if entry.scene is not None else ""
        await self._note(f"{where}{entry.used} instead of {entry.wanted}: {entry.reason}")

    async def step(self, spec: StepSpec, *, stage: JobState, scene: int | None = None) -> dict[str, Any]:
        """Run a step, or take its finished output. If this is cancelled, so is the step, and it is dead on return.

        `scene` says whose it is, from 0. Raises: what the step raised.
        """
        work = self.progress.asked(spec, scene, self.output)
        event: StepEvent | None = None
        try:
            owned = replace(spec, job_id=self._job_id)
            event = await run_step(self._executor, owned, lambda share: self.progress.told(work, share))
        finally:
            self.progress.ended(work, event)
        self.seconds[stage] = self.seconds.get(stage, 0.0) + event.seconds
        self.job.waited_s += event.waited_s
        self.slot_waits_s[spec.label] = self.slot_waits_s.get(spec.label, 0.0) + event.waited_s
        if event.state == "cancelled":
            raise VidgendError(f"the step {spec.kind} was stopped from outside")
        if event.error is not None:
            raise event.error
        if event.stale is not None:
            self.stale_keys.add(spec.key)
            if event.stale.detail not in self._stale:
                self._stale.add(event.stale.detail)
                await self.note(f"an earlier answer has to do: {event.stale.detail}")
        if event.cached:
            self.job.steps_reused += 1
        else:
            self.job.steps_run += 1
            if "encoded_frames" in event.output:
                self.encoded.append((event.output["digest"], event.output["encoded_frames"]))
        return event.output


class OutputRun(JobRun):
    """The run of one of several videos of a job, `name`. What it does is counted and told as the job's own.

    `making` are the numbers of the videos that are still rendering: the job publishes once none does.
    """

    def __init__(self, job: JobRun, *, number: int, name: str, making: set[int]) -> None:
        super().__init__(
            job._executor,
            job_id=job._job_id,
            salt=job._salt,
            announce=job._announce,
            note=job._note,
            progress=job.progress,
        )
        self.job, self.output = job, number
        self.substitutions, self.seconds, self.slot_waits_s = job.substitutions, job.seconds, job.slot_waits_s
        self.memory, self.began = job.memory, job.began
        self._name = name
        self._making = making
        making.add(number)

    async def enter(self, state: JobState, line: str) -> None:
        if state == "publishing":
            self._making.discard(self.output)
            if self._making:
                return
        await self.job.enter(state, line)

    async def note(self, line: str) -> None:
        await self.job.note(f"{self._name}: {line}")

    async def substitute(self, entry: Substitution) -> None:
        """Plan and clips are found for the main video and shown in all."""
        common = self.output == 0 and entry.stage in ("planning", "retrieving")
        await super().substitute(entry if common else replace(entry, output=self._name))
