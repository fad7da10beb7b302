"""`python -m bench.event_clients PORT STREAMS PER_S SECONDS`: clients for bench/events.py. Prints what they saw."""

from __future__ import annotations

import asyncio
import json
import sys
import time

import aiohttp

PATIENCE_S = 20.0


async def _listen(
    http: aiohttp.ClientSession, url: str, ready: asyncio.Queue[None], arrived: list[list[float]]
) -> None:
    """Note when each `accepted` came."""
    mine: list[float] = []
    arrived.append(mine)
    async with http.get(f"{url}/mcp/events") as answer:
        waiting = True
        async for piece in answer.content.iter_any():
            if waiting:
                ready.put_nowait(None)
                waiting = False
            mine += [time.monotonic()] * piece.count(b'"line":"accepted"')


async def _submit(http: aiohttp.ClientSession, url: str, accepted: list[float], took: list[float]) -> None:
    began = time.monotonic()
    async with http.post(f"{url}/mcp/generate", json={"prompt": "the sea"}) as answer:
        assert answer.status == 202, await answer.text()
        await answer.read()
    accepted.append(time.monotonic())
    took.append(accepted[-1] - began)


async def main(port: int, streams: int, per_s: int, seconds: int) -> None:
    url = f"http://127.0.0.1:{port}"
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None)) as http:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    async with http.post(f"{url}/mcp/pause") as answer:
                        assert answer.status == 200, await answer.text()
                        break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.1)
        ready: asyncio.Queue[None] = asyncio.Queue()
        arrived: list[list[float]] = []
        listening = [asyncio.create_task(_listen(http, url, ready, arrived)) for _ in range(streams)]
        for _ in listening:
            await ready.get()
        accepted: list[float] = []
        took: list[float] = []
        submits = set[asyncio.Task[None]]()
        began = time.monotonic()
        for number in range(per_s * seconds):
            await asyncio.sleep(max(0.0, began + number / per_s - time.monotonic()))
            submits.add(asyncio.create_task(_submit(http, url, accepted, took)))
        await asyncio.wait(submits)
        deadline = time.monotonic() + PATIENCE_S
        while any(len(mine) < len(accepted) for mine in arrived) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        for task in listening:
            task.cancel()
    accepted.sort()
    delays = sorted(at - before for mine in arrived for at, before in zip(mine, accepted, strict=False)) or [0.0]
    took.sort()
    found = {
        "events": sum(map(len, arrived)), "expected": len(accepted) * streams,
        "delay_p50_ms": 1000 * delays[len(delays) // 2], "delay_p99_ms": 1000 * delays[int(len(delays) * 0.99)],
        "submit_p99_ms": 1000 * took[int(len(took) * 0.99)],
    }  # fmt: skip
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
