"""Steps on this machine: a semaphore per label, retries by error class, one run per key."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidgend.errors import ProviderRateLimited, StepTimeout, VidgendError
from vidgend.pipeline.executor.port import (
    Label,
    Progress,
    StepEvent,
    StepFunction,
    StepRun,
    StepSpec,
)
from vidgend.store.assets.port import AssetStore

_log = logging.getLogger(__name__)

RETRY_BASE_S = 0.5
RETRY_CAP_S = 20.0


@dataclass
class _Running:
    spec: StepSpec
    task: asyncio.Task[StepEvent]
    holders: set[str] = field(default_factory=set)
    watchers: list[Progress] = field(default_factory=list)


class LocalExecutor:
    """`slots` is how many steps of each label run at once. Scratch folders lie under `work`."""

    def __init__(
        self,
        *,
        slots: Mapping[Label, int],
        registry: Mapping[str, StepFunction],
        assets: AssetStore,
        work: Path,
    ) -> None:
        self._slots = {label: asyncio.Semaphore(count) for label, count in slots.items()}
        self._load = {label: [0, 0] for label in slots}
        self._registry = dict(registry)
        self._assets = assets
        self._work = work
        self._running: dict[str, _Running] = {}
        self._refs: dict[str, _Running] = {}
        self._numbers = itertools.count(1)

    async def submit(self, spec: StepSpec, progress: Progress | None = None) -> str:
        running = self._running.get(spec.key)
        if running is None:
            task = asyncio.create_task(self._run(spec), name=f"{spec.kind} {spec.key[:8]}")
            running = self._running[spec.key] = _Running(spec, task)
            task.add_done_callback(lambda _: self._running.pop(spec.key, None))
        ref = f"{spec.key}#{next(self._numbers)}"
        running.holders.add(ref)
        if progress is not None:
            running.watchers.append(progress)
        self._refs[ref] = running
        return ref

    async def wait(self, ref: str) -> StepEvent:
        running = self._refs[ref]
        event = await asyncio.shield(running.task)
        self._refs.pop(ref, None)
        return event

    async def cancel(self, ref: str) -> None:
        running = self._refs.pop(ref, None)
        if running is None:
            return
        running.holders.discard(ref)
        if not running.holders:
            running.task.cancel()
            await asyncio.wait([running.task])

    async def load(self) -> dict[str, tuple[int, int]]:
        return {label: (queued, running) for label, (queued, running) in self._load.items()}

    async def aclose(self) -> None:
        tasks = [running.task for running in self._running.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _run(self, spec: StepSpec) -> StepEvent:
        """The whole life of a step. Ends with an event, never with an exception, whatever happens to it."""
        done = await self._assets.manifest(spec.key)
        if done is not None:
            return StepEvent(ref=spec.key, key=spec.key, state="done", output=done, cached=True)
        asked = time.monotonic()
        load = self._load[spec.label]
        load[0] += 1
        waiting = True
        try:
            async with self._slots[spec.label]:
                load[0] -= 1
                load[1] += 1
                waiting = False
                began = time.monotonic()
                try:
                    return await self._attempts(spec, began, began - asked)
                finally:
                    load[1] -= 1
        except asyncio.CancelledError:
            return StepEvent(ref=spec.key, key=spec.key, state="cancelled")
        finally:
            if waiting:
                load[0] -= 1

    async def _attempts(self, spec: StepSpec, began: float, waited_s: float) -> StepEvent:
        def ended(
            attempt: int, *, output: dict[str, Any] | None = None, error: VidgendError | None = None
        ) -> StepEvent:
            return StepEvent(
                ref=spec.key, key=spec.key, state="done" if error is None else "failed", output=output or {},
                error=error, attempt=attempt, seconds=time.monotonic() - began, waited_s=waited_s,
            )  # fmt: skip

        for attempt in itertools.count(1):
            try:
                output = await self._once(spec)
            except VidgendError as error:
                last = attempt >= spec.max_attempts or not error.retryable
                # A provider that says when to come back is not asked before; the caller has other ways.
                if last or isinstance(error, ProviderRateLimited):
                    return ended(attempt, error=error)
                await asyncio.sleep(random.uniform(0, min(RETRY_CAP_S, RETRY_BASE_S * 2**attempt)))
                continue
            except Exception as bug:  # noqa: BLE001  the step boundary: a bug fails the step, not the daemon
                _log.exception("step_crashed", extra={"kind": spec.kind, "key": spec.key})
                return ended(attempt, error=VidgendError(f"{spec.kind}: {type(bug).__name__}: {bug}"))
            return ended(attempt, output=output)
        raise AssertionError("unreachable")

    async def _once(self, spec: StepSpec) -> dict[str, Any]:
        scratch = self._work / f"{spec.key[:16]}-{next(self._numbers)}"
        scratch.mkdir(parents=True, mode=0o700)

        def tell(share: float) -> None:
            running = self._running.get(spec.key)
            for watcher in running.watchers if running else ():
                watcher(min(1.0, max(0.0, share)))

        try:
            async with asyncio.timeout(spec.timeout_s):
                done = await self._registry[spec.kind](spec.args, StepRun(scratch=scratch, progress=tell))
        except TimeoutError:
            raise StepTimeout(f"{spec.kind} was not finished after {spec.timeout_s:g} s") from None
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True))
        # From here on the work is done; a cancel must not lose it.
        return await asyncio.shield(self._assets.put_manifest(spec.key, done.output, done.blobs))
