"""Clients that use a daemon while it is being killed, and know at every moment what it has promised them."""

from __future__ import annotations

import asyncio
import json
import random
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from standins.pexels_standin import PexelsStandin, StandinClip

MAX_OPEN = 6
"""Jobs that the clients keep under way together."""


@dataclass(kw_only=True)
class CountingPexels(PexelsStandin):
    """Takes its time, so that kills come while it is asked, and counts what it is asked for."""

    limit: int = 1_000_000
    strict: bool = True
    delay_s: tuple[float, float] = (0.02, 0.25)
    asked: Counter[str] = field(default_factory=Counter)
    served: Counter[int] = field(default_factory=Counter)

    async def __aenter__(self) -> CountingPexels:
        await self.start()
        return self

    async def _search(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/videos/search"):  # photos are another request for the same words
            self.asked[request.query["query"]] += 1
        await asyncio.sleep(random.uniform(*self.delay_s))
        return await super()._search(request)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        self.served[int(request.match_info["clip"])] += 1
        await asyncio.sleep(random.uniform(*self.delay_s))
        return await super()._file(request)


def offer_clips(original: Path, folder: Path, count: int) -> list[StandinClip]:
    """`count` clips of different content, each found by one word alone: `wave0`, `wave1`, ..."""
    folder.mkdir()
    media = original.read_bytes()
    clips = []
    for number in range(count):
        path = folder / f"wave{number}.mp4"
        path.write_bytes(media + struct.pack(">I4sI", 12, b"free", number))  # an MP4 box that says nothing
        clips.append(StandinClip(path=path, width=320, height=180, duration_s=3, scales=(1.0,)))
    return clips


@dataclass(eq=False)
class Known:
    """What a client knows of a job. `ends` are the states in which it may end by what was promised."""

    job_id: str
    kind: str
    callback: bool
    ends: set[str] = field(default_factory=lambda: {"completed"})
    status: str = "queued"
    sha256: str = ""
    busy: bool = False

    @property
    def open(self) -> bool:
        return self.status not in ("completed", "failed", "cancelled")


@dataclass(kw_only=True)
class Keyed:
    """A request with an Idempotency-Key, and the job that it got; None while no answer has come through."""

    body: dict[str, Any]
    job_id: str | None = None


class Unanswered(Exception):
    """The daemon died before it answered."""


class Clients:
    """`broken` is every promise that was not kept, in words."""

    def __init__(self, *, seed: str, hook: str, words: int) -> None:
        self.jobs: dict[str, Known] = {}
        self.keys: dict[str, Keyed] = {}
        self.unanswered: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.crash_loops: list[str] = []
        self.broken: list[str] = []
        self.on_accepted: Callable[[], None] | None = None
        """Called once, at the very moment that a job has been acknowledged."""
        self._random = random.Random(seed)
        self._hook = hook
        self._words = words
        self._next_word = 0

    async def use(self, url: str, *, clients: int = 3) -> None:
        """Send all kinds of requests until the daemon is gone."""
        async with aiohttp.ClientSession(url) as http, asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(self._one(http))

    async def _one(self, http: aiohttp.ClientSession) -> None:
        try:
            while True:
                await self._act(http)
                await asyncio.sleep(self._random.uniform(0.01, 0.1))
        except Unanswered:
            pass

    async def finish(self, url: str, *, within_s: float) -> None:
        """Nothing new: wait until every job has ended, learn what went unanswered, send crash loops again."""
        async with aiohttp.ClientSession(url) as http, asyncio.timeout(within_s):
            for key in self.keys:
                await self._send_keyed(http, key)
            for job in self.jobs.values():  # those that had ended as well: they are to be as they were
                await self._look(http, job)
            while waiting := [job for job in self.jobs.values() if job.open]:
                for job in waiting:
                    await self._look(http, job)
                await asyncio.sleep(0.1)

    # --- one request each ----------------------------------------------------------------------------------------

    async def _act(self, http: aiohttp.ClientSession) -> None:
        roll = self._random.random()
        under_way = [job for job in self.jobs.values() if job.open and not job.busy]
        cancelled = [job for job in self.jobs.values() if job.status == "cancelled" and not job.busy]
        if roll < 0.6 and len(under_way) >= MAX_OPEN:
            await self._look(http, self._random.choice(under_way))
        elif roll < 0.6:
            if roll < 0.1:
                await self._prefetch(http)
            elif roll < 0.35:
                key = f"key-{len(self.keys)}"
                self.keys[key] = Keyed(body=self._body())
                await self._send_keyed(http, key)
            else:
                await self._submit(http, "/mcp/generate", self._body())
        elif roll < 0.66 and self.keys:
            await self._send_keyed(http, self._random.choice(list(self.keys)[-8:]))
        elif roll < 0.675 and under_way:
            await self._cancel(http, self._random.choice(under_way))
        elif roll < 0.68 and cancelled:
            await self._retry(http, self._random.choice(cancelled))
        elif under_way:
            await self._look(http, self._random.choice(under_way))

    async def _ask(
        self, http: aiohttp.ClientSession, method: str, path: str, **sent: Any
    ) -> tuple[int, dict[str, Any]]:
        what = f"{method} {'/'.join(path.split('/')[:3])}"
        try:
            async with http.request(method, path, **sent) as answer:
                if answer.status == 202 and self.on_accepted is not None:
                    self.on_accepted()
                    self.on_accepted = None
                told = json.loads(await answer.read())
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            self.unanswered[what] += 1
            raise Unanswered from None
        self.done[what] += 1
        if answer.status >= 500:
            self.broken.append(f"{what}: {answer.status} {told}")
        return answer.status, told

    def _body(self) -> dict[str, Any]:
        scenes = []
        for _ in range(self._random.choice((1, 2))):
            word = self._word()
            narration = f"Look at {word}, it is calm." if self._random.random() < 0.6 else ""
            scenes.append({"narration": narration, "query": word, "duration": 0.6})
        body: dict[str, Any] = {"prompt": "the sea", "scenes": scenes, "quality": "draft"}
        if self._random.random() < 0.5:
            body["callback_url"] = self._hook
        return body

    def _word(self) -> str:
        """Mostly one that nobody asked for before, at times one of the latest."""
        if self._next_word and (self._random.random() < 0.3 or self._next_word == self._words):
            return f"wave{self._random.randrange(max(0, self._next_word - 10), self._next_word)}"
        self._next_word += 1
        return f"wave{self._next_word - 1}"

    async def _prefetch(self, http: aiohttp.ClientSession) -> None:
        await self._submit(http, "/mcp/prefetch", {"queries": [self._word(), self._word()], "per_query": 1})

    async def _submit(
        self, http: aiohttp.ClientSession, path: str, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> str:
        status, told = await self._ask(http, "POST", path, json=body, headers=headers)
        if status != 202:
            self.broken.append(f"POST {path}: {status} {told}")
            raise Unanswered
        job_id = str(told["job_id"])
        kind = "video" if path.endswith("generate") else "prefetch"
        self.jobs.setdefault(job_id, Known(job_id=job_id, kind=kind, callback="callback_url" in body))
        return job_id

    async def _send_keyed(self, http: aiohttp.ClientSession, key: str) -> None:
        keyed = self.keys[key]
        job_id = await self._submit(http, "/mcp/generate", keyed.body, {"Idempotency-Key": key})
        if keyed.job_id not in (None, job_id):
            self.broken.append(f"{key} got {keyed.job_id} and then {job_id}")
        keyed.job_id = job_id

    async def _cancel(self, http: aiohttp.ClientSession, job: Known) -> None:
        job.busy = True
        try:
            job.ends |= {"cancelled"}
            status, told = await self._ask(http, "POST", f"/mcp/cancel/{job.job_id}")
            if status == 200:
                job.status, job.ends = "cancelled", {"cancelled"}
            elif status == 409:
                job.status, job.ends = told["job_status"], {told["job_status"]}
            else:
                self.broken.append(f"cancel of {job.job_id}: {status} {told}")
        finally:
            job.busy = False

    async def _retry(self, http: aiohttp.ClientSession, job: Known) -> None:
        job.busy = True
        try:
            job.ends |= {"completed"}
            status, told = await self._ask(http, "POST", f"/mcp/retry/{job.job_id}")
            if status in (202, 409):  # 409: an earlier one, whose answer was lost, has been heard
                job.status, job.ends = "queued", {"completed"}
            else:
                self.broken.append(f"retry of {job.job_id}: {status} {told}")
        finally:
            job.busy = False

    async def _look(self, http: aiohttp.ClientSession, job: Known) -> None:
        job.busy = True
        try:
            status, told = await self._ask(http, "GET", f"/mcp/status/{job.job_id}")
        finally:
            job.busy = False
        if status != 200:
            self.broken.append(f"{job.job_id} is lost: {status} {told}")
            job.status = "failed"
            return
        if told["status"] == "failed" and told["error"]["code"] == "crash_loop":
            self.crash_loops.append(f"{job.job_id}: {told['error']['detail']}")
            await self._retry(http, job)
            return
        job.status = told["status"]
        if not job.open and job.status not in job.ends:
            self.broken.append(
                f"{job.job_id} ended {job.status}, not {job.ends}: {told.get('error')} {told['logs'][-4:]}"
            )
        if job.status == "completed" and job.kind == "video":
            await self._result(http, job)

    async def _result(self, http: aiohttp.ClientSession, job: Known) -> None:
        status, told = await self._ask(http, "GET", f"/mcp/result/{job.job_id}")
        if status != 200:
            self.broken.append(f"result of {job.job_id}: {status} {told}")
        elif job.sha256 not in ("", told["sha256"]):
            self.broken.append(f"{job.job_id} had the video {job.sha256} and then {told['sha256']}")
        else:
            job.sha256 = told["sha256"]
