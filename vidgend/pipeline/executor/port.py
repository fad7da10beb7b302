"""The executor port: run steps somewhere, once per key.

Success is defined by the store, not by whoever ran the step: it is done when its row says so and its assets are there.
`kind` is a name in the step registry (code never travels); `args` is JSON with asset digests only.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from vidgend.errors import VidgendError

Label = Literal["llm", "net", "search", "gpu", "cpu", "ffmpeg", "io"]
"""The one scarce resource of a step. `search` is a request that may wait for its place in a quota, `cpu` a model that
runs on all cores (and takes the place of an encode), `io` work that hardly costs anything."""
Progress = Callable[[float], None]
"""Called with the done share of a step, 0..1."""


@dataclass(frozen=True, kw_only=True)
class StepSpec:
    """One piece of work. `key` identifies it, its output, and its place in the cache; `job_id` is who wants it.

    `stall_s` is how long it may neither report progress nor write to its scratch folder: None for the executor's own
    limit, 0 for none (`timeout_s` alone counts then). `places` is how many slots it takes, or all if there are fewer.
    `spreads` says that it can use as many cores as it gets. A finished output that is older than `max_age_s` is made
    anew; if that fails, the old one has to do, and the event says so.
    """

    key: str
    kind: str
    args: dict[str, Any]
    label: Label
    priority: int = 0
    timeout_s: float = 3600.0
    max_attempts: int = 3
    stall_s: float | None = None
    places: int = 1
    spreads: bool = False
    max_age_s: float | None = None
    job_id: str = ""


def step_key(kind: str, args: dict[str, Any], identity: str) -> str:
    """SHA-256 over the canonical JSON of a step's inputs and `identity`, which names model and code version."""
    canonical = json.dumps([kind, identity, args], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class StepEvent:
    """How a step ended. `seconds` is the time it ran, `waited_s` the time it waited for its slot.

    `stale`: the output is older than wished, and this is why there is no newer one.
    """

    ref: str
    key: str
    state: Literal["done", "failed", "cancelled"]
    output: dict[str, Any] = field(default_factory=dict)
    error: VidgendError | None = None
    attempt: int = 0
    cached: bool = False
    stale: VidgendError | None = None
    seconds: float = 0.0
    waited_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class StepRun:
    """What a running step gets: an empty scratch folder of its own and a way to tell how far it is.

    `alone`: when it began nothing else that `spreads` and no model was running or waiting, so all cores are its.
    """

    scratch: Path
    progress: Progress
    alone: bool = False


@dataclass(frozen=True, kw_only=True)
class StepOutput:
    """What a step returns: JSON, and the digests of the blobs that it stands for."""

    output: dict[str, Any]
    blobs: tuple[str, ...] = ()


StepFunction = Callable[[dict[str, Any], StepRun], Coroutine[Any, Any, StepOutput]]


class Load(NamedTuple):
    """How busy the slots of a label are: how many steps wait and run, and how many places one more would find free. A
    model that would need a place among the encodes finds none while they have all."""

    queued: int
    running: int
    free: int


class Executor(Protocol):
    @property
    def slots(self) -> Mapping[Label, int]:
        """How many steps of each label run at once."""
        ...

    async def submit(self, spec: StepSpec, progress: Progress | None = None) -> str:
        """Begin a step, or join it if it is under way. Returns a ref for one holder.

        `progress` is called with 0 when it gets its slot, each time it does, and at once if it has it already.
        """
        ...

    async def wait(self, ref: str) -> StepEvent:
        """The end of the step. Cancelling the wait does not cancel the step; `cancel` does."""
        ...

    async def cancel(self, ref: str) -> None:
        """Give up this hold. The step is stopped, its child dead, when the last holder has done so. Idempotent."""
        ...

    async def load(self) -> dict[Label, Load]:
        """Per label, now."""
        ...

    async def aclose(self) -> None: ...


async def run_step(executor: Executor, spec: StepSpec, progress: Progress | None = None) -> StepEvent:
    """Submit a step and wait for its end. If this is cancelled, so is the step, and it is dead on return."""
    ref = await executor.submit(spec, progress)
    try:
        return await executor.wait(ref)
    except asyncio.CancelledError:
        await asyncio.shield(executor.cancel(ref))
        raise
