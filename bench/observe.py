"""What being watched costs: steps and status requests with nobody watching, with metrics, and with metrics and traces.

    python bench/observe.py [STEPS] [REQUESTS]

CPU time of the process with all its threads, so that what else the machine does matters little. The ways take turns; the
ratio of the medians counts.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp import web

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from standins.services_standin import World, open_world  # type: ignore[import-not-found]

from vidgend.http.app import make_app
from vidgend.models import Brief
from vidgend.observe.metrics import Metrics
from vidgend.observe.tracing import build_tracing
from vidgend.observer import NOBODY, Observer, Observers
from vidgend.pipeline.executor.local import LocalExecutor
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec, run_step
from vidgend.store.assets.select import open_filesystem_assets
from vidgend.store.database import Database
from vidgend.store.steps import StepStore

ROUNDS = 15


def watchers() -> dict[str, Observer]:
    metrics = Metrics("bench")
    ways: dict[str, Observer] = {"nobody": NOBODY, "metrics": metrics}
    try:
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    except ImportError:
        return ways
    tracing = build_tracing({}, "bench", InMemorySpanExporter())
    assert tracing is not None
    return {**ways, "metrics and traces": Observers(Metrics("bench"), tracing)}


async def take_turns(ways: dict[str, Callable[[], Awaitable[object]]], count: int) -> dict[str, float]:
    """Microseconds of one of `count`, the median of the rounds."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        order = list(ways.items())
        for name, act in order[number % len(order) :] + order[: number % len(order)]:
            began = time.process_time()
            await act()
            if number:  # the first warms up
                took[name].append((time.process_time() - began) / count * 1e6)
    return {name: statistics.median(one) for name, one in took.items()}


async def steps(folder: Path, count: int) -> dict[str, float]:
    async def nothing(args: dict[str, Any], run: StepRun) -> StepOutput:
        return StepOutput(output={})

    ways: dict[str, Callable[[], Awaitable[object]]] = {}
    databases = []
    numbers = iter(range(10**9))
    for name, observer in watchers().items():
        database = await Database.open(folder / name, observer=observer)
        databases.append(database)
        assets = await open_filesystem_assets(database, folder / f"assets of {name}")
        executor = LocalExecutor(
            slots={"io": 8},
            registry={"nothing": nothing},
            steps=StepStore(database, assets, boot_id="b"),
            work=folder / "w",
        )
        executor.observer = observer

        async def act(executor: LocalExecutor = executor, each: int = max(1, count // ROUNDS)) -> None:
            for _ in range(each):
                await run_step(executor, StepSpec(key=f"{next(numbers):064x}", kind="nothing", args={}, label="io"))

        ways[name] = act
    found = await take_turns(ways, max(1, count // ROUNDS))
    for database in databases:
        await database.close()
    return found


async def requests(world: World, count: int) -> dict[str, float]:
    job_id, _ = await world.jobs.submit(Brief(prompt="The sea"))
    each = max(1, count // ROUNDS)
    runners: list[web.AppRunner] = []
    ways: dict[str, Callable[[], Awaitable[object]]] = {}
    for name, observer in watchers().items():
        services = replace(world.services, observer=observer)
        runner = web.AppRunner(make_app(services), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
        port = runner.addresses[0][1]
        asked = f"GET /mcp/status/{job_id} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def act(
            asked: bytes = asked,
            reader: asyncio.StreamReader = reader,
            writer: asyncio.StreamWriter = writer,
            observer: Observer = observer,
        ) -> None:
            world.database._observer = observer
            for _ in range(each):
                writer.write(asked)
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200 ")
                await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))

        ways[name] = act
    found = await take_turns(ways, each)
    for runner in runners:
        await runner.cleanup()
    return found


def tell(title: str, found: dict[str, float]) -> None:
    bare = found["nobody"]
    for name, us in found.items():
        print(f"{title:16} {name:20} {us:9.1f} us   {100 * (us / bare - 1):+6.2f} %")


async def main(step_count: int, request_count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tell("a step", await steps(Path(folder), step_count))
        async with open_world(Path(folder)) as world:
            tell("a status request", await requests(world, request_count))


if __name__ == "__main__":
    counts = [int(one) for one in sys.argv[1:]]
    asyncio.run(main(*(counts or [3000, 10_000])))
