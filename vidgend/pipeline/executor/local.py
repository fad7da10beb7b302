"""Steps on this machine: slots per label, retries by error class, one run per key."""

from __future__ import annotations

import asyncio
import errno
import itertools
import logging
import random
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from vidgend.errors import DatabaseUnavailable, ProviderRateLimited, StepTimeout, StorageFull, VidgendError
from vidgend.observer import NOBODY, Observer, StepEnd
from vidgend.pipeline.budget.port import JOB
from vidgend.pipeline.executor.company import Company
from vidgend.pipeline.executor.lodger import Lodger
from vidgend.pipeline.executor.port import (
    Label,
    Load,
    Progress,
    StepEvent,
    StepFunction,
    StepOutput,
    StepRun,
    StepSpec,
)
from vidgend.pipeline.executor.slots import Slots
from vidgend.pipeline.executor.watched import watched, written
from vidgend.store.steps import Lease, StepStore
from vidgend.timebase import parse_fps

_log = logging.getLogger(__name__)

RETRY_BASE_S = 0.5
RETRY_CAP_S = 20.0
"""Waits inside a job are short; a longer one is the job's, which then gives up its place."""
DEFAULT_STALL_S = 300.0


async def _nothing(_: Label) -> None:
    """There is no model."""


@dataclass(eq=False)
class _Running:
    spec: StepSpec
    task: asyncio.Task[StepEvent] = field(init=False)
    holders: set[str] = field(default_factory=set)
    watchers: list[Progress] = field(default_factory=list)
    share: float | None = None
    """How far it is, 0..1; None while it has no slot."""
    to_do: bool = False
    """It was not found done, so it wants a slot or has one."""

    def tell(self, share: float) -> None:
        self.share = min(1.0, max(0.0, share))
        for watcher in self.watchers:
            watcher(self.share)


class LocalExecutor:
    """`slots` is how many steps of each label run at once. Scratch folders lie under `work`. A step that shows no
    progress for `stall_s` is stopped; `activity` is a number that grows while the store moves bytes for anybody;
    `unload` removes the models of the steps with a label, `cpu` or `gpu`, from memory, also after `idle_s` without use
    (see `Lodger`)."""

    def __init__(
        self,
        *,
        slots: Mapping[Label, int],
        registry: Mapping[str, StepFunction],
        steps: StepStore,
        work: Path,
        stall_s: float = DEFAULT_STALL_S,
        activity: Callable[[], int] = lambda: 0,
        unload: Callable[[Label], Awaitable[None]] = _nothing,
        idle_s: float = 0.0,
    ) -> None:
        self.slots: Mapping[Label, int] = dict(slots)
        self._slots = {label: Slots(count) for label, count in slots.items()}
        self._lodgers: dict[Label, Lodger] = {}
        for label, encodes in (("cpu", self._slots.get("ffmpeg")), ("gpu", None)):
            if label in self._slots:
                self._lodgers[label] = Lodger(self._slots[label], encodes, partial(unload, label), idle_s=idle_s)
        self._registry = dict(registry)
        self._steps = steps
        self._work = work
        self._stall_s = stall_s
        self._activity = activity
        self._running: dict[str, _Running] = {}
        self._stopping: set[asyncio.Task[StepEvent]] = set()
        self._refs: dict[str, _Running] = {}
        self._numbers = itertools.count(1)
        self._company = Company()
        self.observer: Observer = NOBODY

    async def submit(self, spec: StepSpec, progress: Progress | None = None) -> str:
        running = self._running.get(spec.key)
        if running is None:
            running = _Running(spec)
            running.task = asyncio.create_task(self._run(running), name=f"{spec.kind} {spec.key[:8]}")
            running.task.add_done_callback(lambda _: self._forget(running))
            self._running[spec.key] = running
        elif spec.job_id != running.spec.job_id:
            self._steps.join(spec.key, spec.job_id)
        ref = f"{spec.key}#{next(self._numbers)}"
        running.holders.add(ref)
        if progress is not None:
            running.watchers.append(progress)
            if running.share is not None:
                progress(running.share)
        self._refs[ref] = running
        return ref

    def _forget(self, running: _Running) -> None:
        if self._running.get(running.spec.key) is running:
            del self._running[running.spec.key]

    async def wait(self, ref: str) -> StepEvent:
        running = self._refs.get(ref)
        if running is None:  # given up before
            return StepEvent(ref=ref, key=ref.partition("#")[0], state="cancelled")
        try:
            event = await asyncio.shield(running.task)
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if running.task.cancelled() and me is not None and not me.cancelling():
                event = StepEvent(ref=ref, key=running.spec.key, state="cancelled")  # it never took its first step
            else:
                raise
        self._refs.pop(ref, None)
        return event

    async def cancel(self, ref: str) -> None:
        running = self._refs.pop(ref, None)
        if running is None:
            return
        running.holders.discard(ref)
        if not running.holders:
            self._forget(running)  # whoever wants the step from now on starts it anew
            self._stopping.add(running.task)
            running.task.cancel()
            await asyncio.wait([running.task])
            self._stopping.discard(running.task)

    async def load(self) -> dict[Label, Load]:
        return {
            label: Load(queued=slots.queued, running=slots.held, free=self._lodgers.get(label, slots).free)
            for label, slots in self._slots.items()
        }

    @property
    def places_used(self) -> dict[Label, int]:
        """Slots of each label that are taken, by steps, by other work, or by a model that lives in one."""
        return {label: count - self._slots[label].free for label, count in self.slots.items()}

    @property
    def waiting(self) -> dict[Label, int]:
        """How much waits for a slot of each label."""
        return {label: slots.queued for label, slots in self._slots.items()}

    @asynccontextmanager
    async def slot(self, label: Label, priority: int = 0, places: int = 1) -> AsyncIterator[None]:
        """A place among the steps of that label, for work that is no step: nothing of it is to be found again."""
        async with self._slots[label].hold(priority, places):
            yield

    @property
    def models_unloaded(self) -> int:
        """How often models were removed from memory."""
        return sum(lodger.left for lodger in self._lodgers.values())

    def _hold(self, spec: StepSpec) -> AbstractAsyncContextManager[None]:
        if spec.label in self._lodgers:
            return self._lodgers[spec.label].hold(spec.priority, spec.places)
        return self._slots[spec.label].hold(spec.priority, spec.places)

    async def aclose(self) -> None:
        tasks = [*(running.task for running in self._running.values()), *self._stopping]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for lodger in self._lodgers.values():
            await lodger.aclose()

    async def _run(self, running: _Running) -> StepEvent:
        """The whole life of a step. Ends with an event, never with an exception, whatever happens to it."""
        spec = running.spec
        waited_s = seconds = 0.0

        def ended(
            attempt: int,
            *,
            output: dict[str, Any] | None = None,
            error: VidgendError | None = None,
            cached: bool = False,
            stale: VidgendError | None = None,
        ) -> StepEvent:
            state: Literal["done", "failed"] = "done" if error is None else "failed"
            outcome = ("found" if stale is None else "stale") if cached else str(state)
            self._tell(spec, outcome, output or {}, error or stale, attempt, seconds=seconds, waited_s=waited_s)
            if not cached:
                _log.info(
                    "step",
                    extra={
                        "job": spec.job_id, "kind": spec.kind, "key": spec.key[:12], "outcome": state,
                        "seconds": round(seconds, 3), "waited_s": round(waited_s, 3), "attempt": attempt,
                    },
                )  # fmt: skip
            return StepEvent(
                ref=spec.key, key=spec.key, state=state, output=output or {}, error=error, attempt=attempt,
                cached=cached, stale=stale, seconds=seconds, waited_s=waited_s,
            )  # fmt: skip

        try:
            done = await self._steps.finished(spec.key, spec.job_id, max_age_s=spec.max_age_s)
            if done is not None:
                return ended(0, output=done, cached=True)
            running.to_do = True
            for attempt in itertools.count(1):
                asked = time.monotonic()
                async with self._hold(spec):
                    waited_s += time.monotonic() - asked
                    began = time.monotonic()
                    running.tell(0.0)
                    async with self._company.hold(alone=await self._steps.is_suspect(spec.key)):
                        outcome = await self._once(running)
                    running.share = None
                    seconds += time.monotonic() - began
                if not isinstance(outcome, VidgendError):
                    return ended(attempt, output=outcome)
                last = attempt >= spec.max_attempts or not outcome.retryable
                # A provider that says when to come back is not asked before; the caller has other ways.
                if last or isinstance(outcome, ProviderRateLimited):
                    old = None if spec.max_age_s is None else await self._steps.finished(spec.key, spec.job_id)
                    if old is not None:
                        return ended(attempt, output=old, cached=True, stale=outcome)
                    return ended(attempt, error=outcome)
                await asyncio.sleep(random.uniform(0, min(RETRY_CAP_S, RETRY_BASE_S * 2**attempt)))
        except asyncio.CancelledError:
            self._tell(spec, "cancelled", {}, None, 0, seconds=seconds, waited_s=waited_s)
            return StepEvent(ref=spec.key, key=spec.key, state="cancelled")
        except VidgendError as error:  # of the store, before the step could be begun
            return ended(0, error=error)
        except Exception as bug:  # noqa: BLE001  the step boundary: a bug fails the step, not the daemon
            _log.exception("step_crashed", extra={"kind": spec.kind, "key": spec.key[:12]})
            return ended(0, error=VidgendError(f"{spec.kind}: {type(bug).__name__}: {bug}"))
        raise AssertionError("unreachable")

    def _tell(
        self,
        spec: StepSpec,
        outcome: str,
        output: Mapping[str, Any],
        error: VidgendError | None,
        attempt: int,
        *,
        seconds: float,
        waited_s: float,
    ) -> None:
        encoding = spec.args.get("encoding") or {}
        frames = output.get("encoded_frames", 0) if outcome == "done" and "encoder" in encoding else 0
        self.observer.step_ended(
            StepEnd(
                key=spec.key, kind=spec.kind, label=spec.label, job_id=spec.job_id, outcome=outcome, seconds=seconds,
                waited_s=waited_s, attempt=attempt, code=error.code if error is not None else "",
                encoder=encoding["encoder"] if frames else "", frames=frames,
                fps=float(parse_fps(encoding["fps"])) if frames else 0.0,
            )
        )  # fmt: skip

    async def _once(self, running: _Running) -> dict[str, Any] | VidgendError:
        """One attempt: the output, recorded, or what went wrong, recorded."""
        spec = running.spec
        scratch = self._work / f"{spec.key[:16]}-{next(self._numbers)}"
        began = time.monotonic()
        try:
            lease = await self._begin(spec)
        except StorageFull as error:
            return error
        try:
            done = await self._attempt(running, scratch)
            # From here on the work is done; a cancel must not lose it.
            output = await asyncio.shield(
                self._steps.finish(lease, done.output, done.blobs, seconds=time.monotonic() - began)
            )
            if output is None:
                raise VidgendError(f"another run of {spec.kind} took this one's place")
            return output
        except asyncio.CancelledError:
            await asyncio.shield(self._steps.release(lease))
            raise
        except Exception as error:  # recorded here, judged by `_run`
            await self._record_failure(lease, error, began)
            if isinstance(error, VidgendError):
                return error
            raise
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True))

    async def _begin(self, spec: StepSpec) -> Lease:
        """Take the lease. A cancel that comes meanwhile gives it back."""
        begin = asyncio.ensure_future(
            self._steps.begin(
                spec.key, kind=spec.kind, label=spec.label, job_id=spec.job_id, keep=spec.max_age_s is not None
            )
        )
        try:
            return await asyncio.shield(begin)
        except asyncio.CancelledError:
            if not begin.cancelled():
                await self._steps.release(await begin)
            raise

    async def _record_failure(self, lease: Lease, error: Exception, began: float) -> None:
        reason = error.detail if isinstance(error, VidgendError) else f"{type(error).__name__}: {error}"
        try:
            await self._steps.fail(lease, reason, seconds=time.monotonic() - began)
        except (StorageFull, DatabaseUnavailable):  # it stays `running`, and the next attempt begins it anew
            _log.error("step_failure_not_recorded", extra={"key": lease.key[:12]})

    def _step_run(self, running: _Running, scratch: Path) -> StepRun:
        others = [one for one in self._running.values() if one.to_do and one is not running]
        alone = running.spec.spreads and not any(one.spec.spreads or one.spec.label == "cpu" for one in others)
        return StepRun(scratch=scratch, progress=running.tell, alone=alone)

    async def _attempt(self, running: _Running, scratch: Path) -> StepOutput:
        """Raises: VidgendError."""
        spec = running.spec
        deadline = asyncio.timeout(spec.timeout_s)
        try:
            await asyncio.to_thread(scratch.mkdir, parents=True, mode=0o700)
            JOB.set(spec.job_id)  # this task's own: each step has one
            self.observer.step_began(spec.key)
            async with deadline:
                work = self._registry[spec.kind](spec.args, self._step_run(running, scratch))
                return await watched(
                    work,
                    name=spec.kind,
                    stall_s=self._stall_s if spec.stall_s is None else spec.stall_s,
                    sign=lambda: (running.share, written(scratch), self._activity()),
                )
        except OSError as error:
            if isinstance(error, TimeoutError) and deadline.expired():
                raise StepTimeout(f"{spec.kind} was not finished after {spec.timeout_s:g} s") from None
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull(f"{spec.kind} could not write: the disk is full") from error
            raise
