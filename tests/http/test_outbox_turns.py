"""A hundred thousand events wait: looking for what is due stays cheap, and a slow receiver does not hold up others."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from standins.outbox_standin import Post

from vidgend.models import Brief

MANY = 100_000


def room(*, busy: Sequence[str] = ()) -> Callable[[str, str], bool]:
    """As the sender asks: two places for each host, `busy` ones have none."""
    places = Counter({host: 2 for host in busy})

    def wanted(message_id: str, url: str) -> bool:
        host = url.split("/")[2]
        places[host] += 1
        return places[host] <= 2

    return wanted


async def fill(post: Post, urls: Sequence[str], *, at_s: float = 0.0) -> None:
    """An event for every URL, the first one the oldest."""
    job_id, _ = await post.jobs.submit(Brief(prompt="p"))
    begun = (await post.database.read("SELECT count(*) FROM outbox"))[0][0]
    now = post.clock.now_s
    rows = [
        (f"msg_{begun + number:08d}", job_id, url, b"{}", now + at_s + number * 1e-6, now)
        for number, url in enumerate(urls)
    ]
    await post.database.write(
        lambda connection: connection.executemany(
            "INSERT INTO outbox (id, job_id, url, event, body, state, next_at, created_at) "
            "VALUES (?, ?, ?, 'job.failed', ?, 'pending', ?, ?)",
            rows,
        )
    )


@pytest.fixture
def rows_read(post: Post, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    counted: list[int] = []
    read = post.database.read

    async def counting(sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        rows = await read(sql, parameters)
        counted.append(len(rows))
        return rows

    monkeypatch.setattr(post.database, "read", counting)
    return counted


async def test_one_receiver_with_everything_stands_before_nobody(post: Post, rows_read: list[int]) -> None:
    await fill(post, [f"https://slow.example/{number}" for number in range(MANY)], at_s=-10)
    await fill(post, ["https://fast.example/", "http://Other.example:8080?x=1"], at_s=-1)
    rows_read.clear()
    began = time.process_time()
    due, later_s = await post.outbox.due(16, wanted=room())
    took_s = time.process_time() - began
    assert [delivery.url for delivery in due] == [
        "https://slow.example/0", "https://slow.example/1", "https://fast.example/", "http://Other.example:8080?x=1",
    ]  # fmt: skip
    assert later_s is None
    assert sum(rows_read) < 200
    assert took_s < 0.1, "measured: 2 ms of the processor"
    due, _ = await post.outbox.due(16, wanted=room(busy=["slow.example"]))
    assert [delivery.url for delivery in due] == ["https://fast.example/", "http://Other.example:8080?x=1"]


async def test_what_waits_for_later_is_not_looked_at(post: Post, rows_read: list[int]) -> None:
    await fill(post, [f"https://host{number}.example/" for number in range(MANY)], at_s=100)
    await fill(post, ["https://fast.example/"])
    post.clock.now_s += 1
    rows_read.clear()
    due, later_s = await post.outbox.due(16, wanted=room())
    assert [delivery.url for delivery in due] == ["https://fast.example/"]
    assert later_s == pytest.approx(99)
    assert sum(rows_read) < 10


async def test_many_receivers_are_served_oldest_event_first(post: Post, rows_read: list[int]) -> None:
    await fill(post, [f"https://host{number}.example/" for number in range(2000)], at_s=-10)
    rows_read.clear()
    due, _ = await post.outbox.due(16, wanted=room())
    assert [delivery.url for delivery in due] == [f"https://host{number}.example/" for number in range(16)]
    assert sum(rows_read) < 200


@pytest.mark.parametrize("url", ["nonsense", "", "http://", "://", "HTTP://A.example", "http://[::1", "é://ü/\u2028"])
async def test_no_url_is_too_odd_to_have_its_turn(post: Post, url: str) -> None:
    await fill(post, [f"https://slow.example/{number}" for number in range(100)], at_s=-10)
    await fill(post, [url], at_s=-5)
    due, _ = await post.outbox.due(16, wanted=lambda message_id, found: not found.startswith("https://slow"))
    assert [delivery.url for delivery in due] == [url]
