import asyncio
import errno
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from nobodys import NobodysJobs
from ready_database import ready

from vidgend.errors import (
    DatabaseUnavailable,
    ProviderError,
    ProviderRateLimited,
    StepPoisoned,
    StepTimeout,
    StorageFull,
    StorageUnavailable,
    VidgendError,
)
from vidgend.models import Brief
from vidgend.pipeline.executor import local
from vidgend.pipeline.executor.local import LocalExecutor
from vidgend.pipeline.executor.port import Label, StepOutput, StepRun, StepSpec, step_key
from vidgend.pipeline.speech.fake import FakeSpeech
from vidgend.pipeline.voice_to_sample import VoiceSamples
from vidgend.store.assets.select import open_filesystem_assets
from vidgend.store.assets.store import AssetStore
from vidgend.store.database import Database
from vidgend.store.steps import StepStore


class Bench:
    """Steps that record what happened to them."""

    def __init__(self, database: Database, assets: AssetStore, job_id: str) -> None:
        self.database = database
        self.assets = assets
        self.job_id = job_id
        self.starts: list[str] = []
        self.now = self.most = 0
        self.release = asyncio.Event()
        self.scratches: list[Path] = []
        self.unloaded = 0

    async def unload(self, label: Label) -> None:
        self.unloaded += 1

    async def write(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        self.starts.append(args["name"])
        path = run.scratch / "out"
        path.write_text(json.dumps(args))
        digest = await self.assets.put(path)
        return StepOutput(output={"digest": digest}, blobs=(digest,))

    async def hold(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        self.starts.append(args["name"])
        self.scratches.append(run.scratch)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self.release.wait()
        finally:
            self.now -= 1
        return StepOutput(output={})

    async def fail(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        self.starts.append(args["name"])
        if args["how"] == "limit":
            raise ProviderRateLimited("quota", retry_after_s=100)
        if args["how"] == "full":
            raise OSError(errno.ENOSPC, "No space left on device")
        if args["how"] == "bug":
            raise KeyError("oops")
        if len(self.starts) < args.get("works_at", 99):
            raise ProviderError("down")
        return StepOutput(output={"ok": True})

    async def sleep(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        await asyncio.sleep(60)
        return StepOutput(output={})

    async def crawl(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        """Slower than the stall limit, but never still: `sign` is how it shows that."""
        for number in range(12):
            await asyncio.sleep(0.05)
            if args["sign"] == "progress":
                run.progress(number / 12)
            else:
                with (run.scratch / "grows").open("ab") as file:
                    file.write(b"x")
        return StepOutput(output={})

    async def row(self) -> tuple[Any, ...]:
        rows = await self.database.read("SELECT state, attempt, failures, refunds FROM steps")
        return rows[0]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[tuple[LocalExecutor, Bench]]:
    database = await Database.open(ready(tmp_path / "db"))
    jobs = NobodysJobs(database, boot_id="boot", max_queued=10)
    await jobs.recover()
    job_id, _ = await jobs.submit(Brief(prompt="sea"))
    assets = await open_filesystem_assets(database, tmp_path / "assets")
    bench = Bench(database, assets, job_id)
    registry = {
        "write": bench.write, "hold": bench.hold, "fail": bench.fail, "sleep": bench.sleep, "crawl": bench.crawl,
    }  # fmt: skip
    executor = LocalExecutor(
        slots={"ffmpeg": 2, "cpu": 1, "net": 1, "io": 8, "gpu": 1, "llm": 1},
        registry=registry,
        steps=StepStore(database, assets, boot_id="boot"),
        work=tmp_path / "work",
        stall_s=0.3,
        unload=bench.unload,
    )
    yield executor, bench
    await executor.aclose()
    await assets.aclose()
    await database.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def spec(kind: str, name: str, **more: Any) -> StepSpec:
    args = {"name": name, **more.pop("args", {})}
    return StepSpec(key=step_key(kind, args, "1"), kind=kind, args=args, label=more.pop("label", "ffmpeg"), **more)


async def test_a_finished_step_never_runs_again(bench: tuple[LocalExecutor, Bench]) -> None:
    executor, steps = bench
    first = await executor.wait(await executor.submit(spec("write", "a")))
    second = await executor.wait(await executor.submit(spec("write", "a")))
    assert steps.starts == ["a"]
    assert (first.cached, second.cached) == (False, True)
    assert first.output == second.output


async def test_two_that_want_the_same_step_share_one_run(bench: tuple[LocalExecutor, Bench]) -> None:
    executor, steps = bench
    refs = [await executor.submit(spec("hold", "a")) for _ in range(3)]
    await until(lambda: steps.now == 1)
    steps.release.set()
    events = await asyncio.gather(*(executor.wait(ref) for ref in refs))
    assert steps.starts == ["a"] and {event.state for event in events} == {"done"}


async def test_a_step_that_two_daemons_died_of_runs_alone(bench: tuple[LocalExecutor, Bench]) -> None:
    executor, steps = bench
    suspect = spec("hold", "suspect", label="gpu")
    await executor._steps.begin(suspect.key, kind="hold", label="gpu", job_id=steps.job_id)
    await steps.database.write(lambda c: c.execute("UPDATE steps SET crashes = 2, state = 'ready'").fetchall())
    before = await executor.submit(spec("hold", "before"))
    await until(lambda: steps.starts == ["before"])
    alone = await executor.submit(suspect)
    await asyncio.sleep(0.05)
    after = await executor.submit(spec("hold", "after"))
    await asyncio.sleep(0.05)
    assert steps.starts == ["before"]
    steps.release.set()
    events = [await executor.wait(ref) for ref in (before, alone, after)]
    assert [event.state for event in events] == ["done"] * 3
    assert steps.starts == ["before", "suspect", "after"] and steps.most == 1


@pytest.mark.parametrize("error", [StorageUnavailable("away"), DatabaseUnavailable("busy"), StepPoisoned("no")])
@pytest.mark.parametrize("call", ["finished", "begin"])
async def test_what_fails_before_a_step_begins_is_called_by_its_name(
    bench: tuple[LocalExecutor, Bench], monkeypatch: pytest.MonkeyPatch, call: str, error: VidgendError
) -> None:
    executor, steps = bench

    async def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(executor._steps, call, fail)
    event = await executor.wait(await executor.submit(spec("write", "a")))
    assert event.state == "failed" and event.error is error and steps.starts == []


async def test_what_spreads_is_alone_as_long_as_no_other_such_step_has_anything_to_do(
    bench: tuple[LocalExecutor, Bench],
) -> None:
    executor, steps = bench
    await executor.wait(await executor.submit(spec("write", "done", spreads=True)))
    alone: dict[str, bool] = {}

    async def look(args: dict[str, Any], run: StepRun) -> StepOutput:
        alone[args["name"]] = run.alone
        return await steps.hold(args, run)

    executor._registry["hold"] = look
    refs = [await executor.submit(spec("write", "done", spreads=True))]
    refs += [await executor.submit(spec("hold", "plain", label="net"))]
    refs += [await executor.submit(spec("hold", "one", spreads=True))]
    await until(lambda: "one" in alone)
    refs += [await executor.submit(spec("hold", "two", spreads=True))]
    await until(lambda: "two" in alone)
    steps.release.set()
    for ref in refs:
        assert (await executor.wait(ref)).state == "done"
    steps.release.clear()
    refs = [await executor.submit(spec("hold", "model", label="cpu"))]
    refs += [await executor.submit(spec("hold", "beside", spreads=True))]
    await until(lambda: "beside" in alone)
    steps.release.set()
    for ref in refs:
        assert (await executor.wait(ref)).state == "done"
    assert alone == {"plain": False, "one": True, "two": False, "model": False, "beside": False}


async def test_a_model_has_an_encodes_place_and_is_unloaded_when_an_encode_wants_it(
    bench: tuple[LocalExecutor, Bench],
) -> None:
    executor, steps = bench
    refs = [await executor.submit(spec("hold", name, label=label)) for name, label in (("a", "ffmpeg"), ("m", "cpu"))]
    await until(lambda: steps.now == 2)
    refs += [await executor.submit(spec("hold", "b"))]
    await asyncio.sleep(0.1)
    assert steps.now == 2 and steps.unloaded == 0
    steps.release.set()
    for ref in refs:
        assert (await executor.wait(ref)).state == "done"
    refs = [await executor.submit(spec("hold", name)) for name in ("c", "d")]
    for ref in refs:
        assert (await executor.wait(ref)).state == "done"
    assert steps.unloaded == executor.models_unloaded == 1


async def test_what_is_free_counts_places_and_those_of_models(bench: tuple[LocalExecutor, Bench]) -> None:
    executor, steps = bench
    assert (await executor.load())["cpu"] == (0, 0, 1)
    wide = await executor.submit(spec("hold", "all cores", places=2))
    await until(lambda: steps.now == 1)
    load = await executor.load()
    assert load["ffmpeg"] == (0, 1, 0), "one that has both places"
    assert load["cpu"] == (0, 0, 0) and load["gpu"] == (0, 0, 1), "a model on the cores would have to wait for one"
    steps.release.set()
    await executor.wait(wide)
    assert (await executor.wait(await executor.submit(spec("hold", "m", label="cpu")))).state == "done"
    steps.release.clear()
    narrow = await executor.submit(spec("hold", "one"))
    await until(lambda: steps.now == 1)
    load = await executor.load()
    assert (load["ffmpeg"], load["cpu"]) == ((0, 1, 0), (0, 0, 1)), "the model in memory has its place already"
    steps.release.set()
    await executor.wait(narrow)


async def test_a_sample_of_a_voice_does_not_push_in_before_encodes(bench: tuple[LocalExecutor, Bench]) -> None:
    """Once it asked for a slot its model would take the first place that gets free, whoever waits for it."""
    executor, _ = bench

    async def is_done(key: str) -> bool:
        return False

    maker = VoiceSamples(engines=[FakeSpeech()], executor=executor, is_done=is_done, speed=1.0)
    async with executor.slot("ffmpeg", places=2):
        asked = asyncio.create_task(maker.make("fake_a"))
        await asyncio.sleep(0.3)
        assert not asked.done() and (await executor.load())["cpu"] == (0, 0, 0)
    with pytest.raises(VidgendError, match="speech: KeyError"):  # it was begun, and there is no such step here
        await asked


async def test_a_slot_bounds_how_much_runs_at_once(bench: tuple[LocalExecutor, Bench]) -> None:
    executor, steps = bench
    refs = [await executor.submit(spec("hold", str(number))) for number in range(6)]
    await until(lambda: steps.now == 2)
    async with asyncio.timeout(10):
        while (await executor.load())["ffmpeg"] != (4, 2, 0):
            await asyncio.sleep(0.005)
    steps.release.set()
    await asyncio.gather(*(executor.wait(ref) for ref in refs))
    assert steps.most == 2
    assert (await executor.load())["ffmpeg"] == (0, 0, 2)


async def test_a_step_is_stopped_only_when_its_last_holder_gives_up(bench: tuple[LocalExecutor, Bench]) -> None:
    executor, steps = bench
    one, two = await executor.submit(spec("hold", "a")), await executor.submit(spec("hold", "a"))
    await until(lambda: steps.now == 1)
    await executor.cancel(one)
    await executor.cancel(one)
    assert steps.now == 1
    waiting = asyncio.create_task(executor.wait(two))
    await asyncio.sleep(0)
    await executor.cancel(two)
    assert steps.now == 0
    assert (await waiting).state == "cancelled"


async def test_a_queued_step_that_is_cancelled_never_starts(bench: tuple[LocalExecutor, Bench]) -> None:
    executor, steps = bench
    first = await executor.submit(spec("hold", "0", label="net"))
    await until(lambda: steps.now == 1)
    second = await executor.submit(spec("hold", "1", label="net"))
    await asyncio.sleep(0)
    await executor.cancel(second)
    steps.release.set()
    await executor.wait(first)
    assert steps.starts == ["0"]


async def test_whoever_wants_a_step_that_is_being_stopped_gets_a_run_of_his_own(
    bench: tuple[LocalExecutor, Bench],
) -> None:
    executor, steps = bench
    first = await executor.submit(spec("hold", "a"))
    await until(lambda: steps.now == 1)
    stopping = asyncio.create_task(executor.cancel(first))
    await asyncio.sleep(0)
    second = await executor.submit(spec("hold", "a"))
    await stopping
    await until(lambda: steps.now == 1)
    steps.release.set()
    assert (await executor.wait(second)).state == "done"


async def test_a_cancel_at_any_moment_ends_in_an_event(bench: tuple[LocalExecutor, Bench]) -> None:
    executor, steps = bench
    for turns in range(12):
        ref = await executor.submit(spec("hold", str(turns)))
        waiting = asyncio.create_task(executor.wait(ref))
        for _ in range(turns):
            await asyncio.sleep(0)
        await executor.cancel(ref)
        assert (await waiting).state == "cancelled"
    assert steps.now == 0
    assert (await executor.load())["ffmpeg"] == (0, 0, 2)


async def test_of_those_that_wait_the_highest_priority_comes_first(bench: tuple[LocalExecutor, Bench]) -> None:
    executor, steps = bench
    refs = [await executor.submit(spec("hold", "running", label="net"))]
    await until(lambda: steps.now == 1)
    for name, priority in (("low", -5), ("late", 0), ("high", 5)):
        refs.append(await executor.submit(spec("hold", name, label="net", priority=priority)))
    async with asyncio.timeout(10):
        while (await executor.load())["net"] != (3, 1, 0):
            await asyncio.sleep(0.005)
    steps.release.set()
    await asyncio.gather(*(executor.wait(ref) for ref in refs))
    assert steps.starts == ["running", "high", "late", "low"]


async def test_a_full_disk_is_called_by_its_name(bench: tuple[LocalExecutor, Bench]) -> None:
    executor, _ = bench
    event = await executor.wait(await executor.submit(spec("fail", "a", args={"how": "full"})))
    assert isinstance(event.error, StorageFull)


async def test_scratch_is_gone_however_a_step_ends(bench: tuple[LocalExecutor, Bench], tmp_path: Path) -> None:
    executor, steps = bench
    ref = await executor.submit(spec("hold", "a"))
    await until(lambda: steps.now == 1)
    assert steps.scratches[0].is_dir()
    await executor.cancel(ref)
    await executor.wait(await executor.submit(spec("fail", "b", args={"how": "bug"})))
    assert list((tmp_path / "work").iterdir()) == []


async def test_a_transient_failure_is_tried_again(
    bench: tuple[LocalExecutor, Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "RETRY_CAP_S", 0.01)
    executor, steps = bench
    event = await executor.wait(await executor.submit(spec("fail", "a", args={"how": "down", "works_at": 3})))
    assert event.state == "done" and event.attempt == 3 and len(steps.starts) == 3


async def test_a_used_up_quota_is_not_hammered(bench: tuple[LocalExecutor, Bench]) -> None:
    executor, steps = bench
    event = await executor.wait(await executor.submit(spec("fail", "a", args={"how": "limit"})))
    assert event.state == "failed" and len(steps.starts) == 1
    assert isinstance(event.error, ProviderRateLimited)


async def test_a_bug_in_a_step_fails_the_step_and_not_the_executor(bench: tuple[LocalExecutor, Bench]) -> None:
    executor, _ = bench
    event = await executor.wait(await executor.submit(spec("fail", "a", args={"how": "bug"})))
    assert event.state == "failed" and event.error is not None and "KeyError" in event.error.detail
    assert (await executor.wait(await executor.submit(spec("write", "b")))).state == "done"


async def test_a_step_that_shows_no_progress_is_stopped_and_told(bench: tuple[LocalExecutor, Bench]) -> None:
    executor, steps = bench
    event = await executor.wait(await executor.submit(spec("hold", "a", max_attempts=1)))
    assert isinstance(event.error, StepTimeout) and "no progress for 0.3 s" in event.error.detail
    assert steps.now == 0 and await steps.row() == ("failed", 1, 1, 0)


@pytest.mark.parametrize("sign", ["progress", "bytes"])
async def test_a_slow_step_that_tells_or_writes_something_goes_on(
    bench: tuple[LocalExecutor, Bench], sign: str
) -> None:
    executor, _ = bench
    assert (await executor.wait(await executor.submit(spec("crawl", "a", args={"sign": sign})))).state == "done"


async def test_what_happens_to_a_step_is_on_record(bench: tuple[LocalExecutor, Bench]) -> None:
    executor, steps = bench
    ref = await executor.submit(spec("hold", "a"))
    await until(lambda: steps.now == 1)
    assert await steps.row() == ("running", 1, 0, 0)
    await executor.cancel(ref)
    assert await steps.row() == ("ready", 0, 0, 1)
    steps.release.set()
    await executor.wait(await executor.submit(spec("hold", "a")))
    assert await steps.row() == ("done", 1, 0, 1)


async def test_a_bug_in_a_step_is_on_record_too(bench: tuple[LocalExecutor, Bench]) -> None:
    executor, steps = bench
    await executor.wait(await executor.submit(spec("fail", "a", args={"how": "bug"})))
    assert await steps.row() == ("failed", 1, 1, 0)
    assert await steps.database.read("SELECT error FROM steps") == [("KeyError: 'oops'",)]


async def test_every_job_that_wants_a_step_is_on_record(bench: tuple[LocalExecutor, Bench]) -> None:
    executor, steps = bench
    jobs = NobodysJobs(steps.database, boot_id="boot", max_queued=10)
    other, _ = await jobs.submit(Brief(prompt="sea"))
    late, _ = await jobs.submit(Brief(prompt="sea"))
    first = await executor.submit(spec("hold", "a", job_id=steps.job_id))
    await until(lambda: steps.now == 1)
    second = await executor.submit(spec("hold", "a", job_id=other))
    steps.release.set()
    await asyncio.gather(executor.wait(first), executor.wait(second))
    await executor.wait(await executor.submit(spec("hold", "a", job_id=late)))
    await steps.database.write(lambda c: None)
    wanted = await steps.database.read("SELECT job_id FROM job_steps")
    assert {row[0] for row in wanted} == {steps.job_id, other, late} and steps.starts == ["a"]


async def test_a_step_has_a_deadline(bench: tuple[LocalExecutor, Bench]) -> None:
    executor, _ = bench
    event = await executor.wait(await executor.submit(spec("sleep", "a", timeout_s=0.1)))
    assert isinstance(event.error, StepTimeout)


def test_a_key_depends_on_every_input_and_not_on_their_order() -> None:
    base = step_key("k", {"a": 1, "b": [1, 2]}, "v1")
    assert step_key("k", {"b": [1, 2], "a": 1}, "v1") == base
    assert len({base, step_key("k", {"a": 2, "b": [1, 2]}, "v1"), step_key("k", {"a": 1, "b": [1, 2]}, "v2"),
                step_key("j", {"a": 1, "b": [1, 2]}, "v1")}) == 4  # fmt: skip
