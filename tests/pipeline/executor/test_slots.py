"""Slots: never more than there are, in the right order, and none lost."""

from __future__ import annotations

import asyncio
import random

import pytest

from vidgend.pipeline.executor.slots import Slots


async def hold(
    slots: Slots, log: list[str], name: str, release: asyncio.Event, *, priority: int = 0, places: int = 1
) -> None:
    async with slots.hold(priority, places):
        log.append(name)
        await release.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_needs_two_gets_them_and_nobody_overtakes_meanwhile() -> None:
    slots, log = Slots(2), list[str]()
    first, rest = asyncio.Event(), asyncio.Event()
    tasks = [asyncio.create_task(hold(slots, log, "one", first))]
    await settle()
    tasks.append(asyncio.create_task(hold(slots, log, "large", rest, priority=1, places=2)))
    tasks.append(asyncio.create_task(hold(slots, log, "small", rest)))
    await settle()
    assert log == ["one"] and slots.queued == 2
    first.set()
    await settle()
    assert log == ["one", "large"]
    rest.set()
    await asyncio.gather(*tasks)
    assert log == ["one", "large", "small"] and (slots.held, slots.queued) == (0, 0)


async def test_who_needs_more_than_there_are_takes_all() -> None:
    slots = Slots(1)
    async with asyncio.timeout(1), slots.hold(places=2):
        assert slots.held == 1
    async with asyncio.timeout(1), slots.hold():
        pass


async def test_a_wait_that_is_cancelled_lets_those_behind_it_through() -> None:
    slots, log, release = Slots(2), list[str](), asyncio.Event()
    one = asyncio.create_task(hold(slots, log, "one", release))
    await settle()
    large = asyncio.create_task(hold(slots, log, "large", release, priority=1, places=2))
    small = asyncio.create_task(hold(slots, log, "small", release))
    await settle()
    large.cancel()
    await asyncio.gather(large, return_exceptions=True)
    await settle()
    assert log == ["one", "small"]
    release.set()
    await asyncio.gather(one, small)


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_is_cancelled_there_are_never_too_many_and_in_the_end_all_are_free(seed: int) -> None:
    chance, count = random.Random(seed), 3
    slots, taken, most = Slots(count), 0, 0

    async def one(places: int) -> None:
        nonlocal taken, most
        async with slots.hold(chance.randrange(3), places):
            taken += min(places, count)
            most = max(most, taken)
            try:
                for _ in range(chance.randrange(4)):
                    await asyncio.sleep(0)
            finally:
                taken -= min(places, count)

    tasks = [asyncio.create_task(one(chance.randint(1, 4))) for _ in range(200)]
    for _ in range(300):
        chance.choice(tasks).cancel() if chance.random() < 0.3 else None
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks, return_exceptions=True)
        assert 1 < most <= count and (slots.held, slots.queued, taken) == (0, 0, 0)
        async with slots.hold(places=count):
            pass
