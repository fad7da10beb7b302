"""A model takes the place of an encode, and leaves it when only encodes are left."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest

from vidgend.pipeline.executor.lodger import Lodger
from vidgend.pipeline.executor.slots import Slots


class House:
    """Two places for encodes, one model, and who did what."""

    def __init__(self, places: int = 2, *, idle_s: float = 0.0) -> None:
        self.places = places
        self.encodes, self.models = Slots(places), Slots(1)
        self.log: list[str] = []
        self.in_memory = False
        self.lodger = Lodger(self.models, self.encodes, self.unload, idle_s=idle_s)
        self.ends: dict[str, asyncio.Event] = {}
        self.tasks: list[asyncio.Task[None]] = []

    async def unload(self) -> None:
        assert not self.models.held - 1, "nobody runs but who unloads"
        await asyncio.sleep(0)
        self.log.append("unload")
        self.in_memory = False

    async def speak(self, name: str) -> None:
        async with self.lodger.hold(0):
            self.log.append(name)
            self.in_memory = True
            await self.ends[name].wait()

    async def encode(self, name: str) -> None:
        async with self.encodes.hold(0):
            self.log.append(name)
            await self.ends[name].wait()

    async def begin(self, *names: str) -> None:
        for name in names:
            self.ends[name] = asyncio.Event()
            work = self.speak(name) if name.startswith("say") else self.encode(name)
            self.tasks.append(asyncio.create_task(work, name=name))
            await settle()

    async def end(self, *names: str) -> None:
        for name in names:
            self.ends[name].set()
            await settle()

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await settle()
        leaving, self.lodger._leaving = self.lodger._leaving, None
        if leaving is not None:
            leaving.result()
        assert (self.encodes._free + self.lodger._in, self.models._free) == (self.places, 1), "no place was lost"


async def settle() -> None:
    for _ in range(12):
        await asyncio.sleep(0)


@pytest.fixture
def house() -> Iterator[House]:
    yield House()


async def test_a_model_takes_the_place_of_an_encode_and_goes_before_those_that_wait(house: House) -> None:
    await house.begin("a", "b", "c", "say 1")
    assert house.log == ["a", "b"]
    await house.end("a")
    assert house.log == ["a", "b", "say 1"]
    await house.end("b")
    assert house.log == ["a", "b", "say 1", "c"]
    await house.begin("d")
    assert "d" not in house.log, "the model has the second place"
    await house.close()


async def test_it_keeps_its_place_between_two_sentences_and_leaves_after_the_last(house: House) -> None:
    await house.begin("say 1", "say 2", "a", "b")
    await house.end("say 1")
    assert house.log == ["say 1", "a", "say 2"], "nobody comes in between"
    await house.end("say 2")
    assert house.log == ["say 1", "a", "say 2", "unload", "b"]
    await house.close()


async def test_it_stays_in_memory_until_an_encode_wants_its_place(house: House) -> None:
    await house.begin("say 1")
    await house.end("say 1")
    await house.begin("a", "say 2")
    await house.end("say 2")
    assert house.log == ["say 1", "a", "say 2"] and house.in_memory
    await house.begin("b")
    assert house.log[-2:] == ["unload", "b"]
    await house.begin("say 3")
    assert house.log[-1] == "b", "it has to wait for a place as others do"
    await house.end("a")
    assert house.log[-1] == "say 3"
    await house.close()


async def test_where_there_is_one_place_only_they_take_turns() -> None:
    house = House(places=1)
    await house.begin("say 1", "a", "say 2")
    await house.end("say 1", "say 2")
    assert house.log == ["say 1", "say 2", "unload", "a"]
    await house.close()


async def test_a_sentence_that_is_given_up_while_it_waits_does_not_keep_the_model(house: House) -> None:
    await house.begin("say 1", "say 2", "a", "b")
    house.tasks[1].cancel()
    await house.end("say 1")
    assert house.log == ["say 1", "a", "unload", "b"]
    await house.close()


async def test_an_encode_that_takes_two_places_makes_it_leave(house: House) -> None:
    await house.begin("say 1")
    await house.end("say 1")
    async with asyncio.timeout(1), house.encodes.hold(0, 2):
        assert house.log == ["say 1", "unload"]
    await house.close()


async def test_it_leaves_even_if_it_cannot_be_unloaded(house: House) -> None:
    async def failing() -> None:
        raise OSError("gone already")

    house.lodger._unload = failing
    await house.begin("say 1", "a", "b")
    await house.end("say 1")
    assert house.log == ["say 1", "a", "b"] and house.lodger.left == 1
    with pytest.raises(OSError, match="gone already"):
        await house.close()


async def test_it_leaves_when_nobody_used_it_for_a_while_and_not_before() -> None:
    house = House(idle_s=0.1)
    await house.begin("say 1", "a")
    await house.end("say 1")
    await house.begin("say 2")
    await asyncio.sleep(0.12)  # longer than it may be idle
    assert house.log == ["say 1", "a", "say 2"], "it is at work"
    await house.end("say 2")
    assert "unload" not in house.log
    async with asyncio.timeout(5):
        while "unload" not in house.log:
            await asyncio.sleep(0.01)
    assert house.log == ["say 1", "a", "say 2", "unload"]
    await house.begin("say 3")
    assert house.log[-1] == "say 3"
    await house.lodger.aclose()
    await house.close()


async def test_a_model_on_a_gpu_takes_no_place_of_an_encode_and_leaves_the_gpu_too() -> None:
    models, gone = Slots(2), 0

    async def unload() -> None:
        nonlocal gone
        assert models._free == 0 and models.held == 1, "it has all of the GPU, so nobody works on it"
        gone += 1

    lodger = Lodger(models, None, unload, idle_s=0.02)
    async with lodger.hold(0):
        async with lodger.hold(0):
            assert models.held == 2
        await asyncio.sleep(0.05)
        assert gone == 0
    async with asyncio.timeout(5):
        while not lodger.left:
            await asyncio.sleep(0.01)
    assert (gone, lodger.left) == (1, 1)
    await lodger.aclose()


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_happens_there_is_never_a_model_beside_all_encodes(seed: int) -> None:
    chance, house = random.Random(seed), House()
    ended = 0

    async def one() -> None:
        nonlocal ended
        hold = house.lodger.hold(0) if (speaks := chance.random() < 0.5) else house.encodes.hold(chance.randrange(3))
        async with hold:
            house.in_memory |= speaks
            for _ in range(chance.randrange(4)):
                assert house.encodes.held + house.in_memory <= 2 and house.models.held <= 1
                await asyncio.sleep(0)
        ended += 1

    tasks = [asyncio.create_task(one()) for _ in range(100)]
    cancelled = set()
    for _ in range(200):
        if chance.random() < 0.2:
            cancelled.add(task := chance.choice(tasks))
            task.cancel()
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(error is None or isinstance(error, asyncio.CancelledError) for error in outcomes)
    assert ended > 20 and (house.encodes.held, house.models.held, house.encodes.queued) == (0, 0, 0)
    await house.close()
