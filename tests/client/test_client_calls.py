"""The client against the real application: it blocks, so it runs in a thread here."""

from __future__ import annotations

import asyncio
import hashlib
import wave
from asyncio import to_thread
from pathlib import Path
from typing import Any

import pytest
from standins.services_standin import KEY, VIDEO, World

from vidgend.client import Patience, Vidgend
from vidgend.errors import (
    BadInput,
    DaemonUnreachable,
    Draining,
    IdempotencyMismatch,
    JobNotFinished,
    NotFound,
    PromptEmpty,
    StepError,
    StorageFull,
    Unauthorized,
)
from vidgend.models import Brief

BRIEF = Brief(prompt="The sea at dawn")


async def test_a_job_from_the_request_to_the_file(world: World, url: str, tmp_path: Path) -> None:
    job, _ = await world.completed()
    client = Vidgend(url)
    assert (await to_thread(client.wait, job.id))["overall_progress"] == 100
    result = await to_thread(client.result, job.id)
    assert result["duration"] == 12.5
    written = await to_thread(client.download, result, tmp_path)
    assert written == tmp_path / "output.mp4"
    assert written.read_bytes() == VIDEO
    words = await to_thread(lambda: client.download(result, tmp_path / "w.json", role="words"))
    assert words.read_bytes() == b"{}"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["output.mp4", "w.json"]


async def test_progress_is_told_until_the_job_is_done(world: World, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidgend.client.calls.POLL_S", 0.01)
    client = Vidgend(url)
    accepted = await to_thread(lambda: client.generate(prompt="The sea", metadata={"order": 7}))
    assert accepted["status"] == "accepted"
    seen: list[str] = []
    waiting = asyncio.create_task(
        to_thread(lambda: client.wait(accepted, on_progress=lambda status: seen.append(status["status"])))
    )
    while not seen:
        await asyncio.sleep(0.01)
    job = await world.jobs.claim()
    assert job is not None and job.id == accepted["job_id"]
    while seen[-1] != "planning":
        await asyncio.sleep(0.01)
    assert await to_thread(client.cancel, accepted) == {"job_id": job.id, "status": "cancelled"}
    with pytest.raises(StepError, match="the job was cancelled"):
        await waiting
    assert list(dict.fromkeys(seen)) == ["queued", "planning", "cancelled"]


async def test_waiting_may_have_an_end(world: World, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidgend.client.calls.POLL_S", 0.01)
    job_id, _ = await world.jobs.submit(BRIEF)
    with pytest.raises(TimeoutError, match=job_id):
        await to_thread(lambda: Vidgend(url).wait(job_id, timeout_s=0.05))


async def test_the_same_key_is_the_same_job(world: World, url: str) -> None:
    client = Vidgend(url)
    one, same, other = [
        await to_thread(lambda key=key: client.generate(prompt="The sea", idempotency_key=key))
        for key in ("a", "a", "b")
    ]
    assert one == same
    assert one["job_id"] != other["job_id"]
    with pytest.raises(IdempotencyMismatch):
        await to_thread(lambda: client.generate(prompt="The land", idempotency_key="a"))


async def test_an_answer_that_gets_lost_makes_no_second_job(world: World, url: str) -> None:
    async with _losing_answers(url, count=3) as lossy:
        client = Vidgend(lossy.url, patience=Patience(first_wait_s=0.01))
        accepted = await to_thread(lambda: client.generate(prompt="The sea"))
        fetched = await to_thread(lambda: client.prefetch(queries=["sea"]))
    assert lossy.lost == 3
    assert {job.id for job in await world.jobs.page()} == {accepted["job_id"], fetched["job_id"]}


async def test_a_job_is_tried_as_often_as_patience_says(url: str) -> None:
    async with _losing_answers(url, count=9) as lossy:
        with pytest.raises(DaemonUnreachable):
            await to_thread(lambda: Vidgend(lossy.url, patience=Patience(tries=1)).generate(prompt="The sea"))
    assert lossy.lost == 1


async def test_what_must_not_be_done_twice_is_not_tried_twice(world: World, url: str) -> None:
    job = await world.running()
    async with _losing_answers(url, count=1) as lossy:
        client = Vidgend(lossy.url, patience=Patience(first_wait_s=0.01))
        with pytest.raises(DaemonUnreachable):
            await to_thread(client.retry, job.id)
    assert lossy.lost == 1


async def test_errors_are_those_of_the_package(world: World, url: str) -> None:
    client = Vidgend(url)
    job = await world.running()
    for call, kind, code in (
        (lambda: client.status("job_none"), NotFound, "not_found"),
        (lambda: client.status("../../livez"), NotFound, "not_found"),
        (lambda: client.result(job.id), JobNotFinished, "job_not_finished"),
        (lambda: client.generate(prompt=" "), PromptEmpty, "prompt_empty"),
        (lambda: client.generate(prompt="x", fps="fast"), BadInput, "invalid_request"),
        (lambda: client.daemon.call("GET", "/mcp/generate"), BadInput, "method_not_allowed"),
    ):
        with pytest.raises(kind) as raised:
            await to_thread(call)
        assert (type(raised.value), raised.value.code) == (kind, code)


async def test_the_key_is_sent(world: World, serve: Any) -> None:
    url = await serve(world.with_api_key())
    assert (await to_thread(Vidgend(url, api_key=KEY).queue))["paused"] is False
    with pytest.raises(Unauthorized):
        await to_thread(Vidgend(url).queue)


async def test_lists_are_read_to_their_end(world: World, url: str) -> None:
    made = [(await world.jobs.submit(BRIEF))[0] for _ in range(120)]
    client = Vidgend(url)
    found = await to_thread(lambda: [job["job_id"] for job in client.jobs()])
    assert sorted(found) == sorted(made)
    assert await to_thread(lambda: [*client.jobs(state="failed")]) == []


async def test_an_upload_is_named_by_its_content(url: str, tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    with wave.open(str(song), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(range(250)) * 256)
    client = Vidgend(url)
    sent: list[int] = []
    made = await to_thread(lambda: client.upload(song, on_bytes=sent.append))
    assert made["asset_id"] == hashlib.sha256(song.read_bytes()).hexdigest()
    assert (made["name"], made["kind"]) == ("song.wav", "audio")
    assert sum(sent) == song.stat().st_size
    assert await to_thread(lambda: [one["asset_id"] for one in client.uploads()]) == [made["asset_id"]]
    await to_thread(client.delete_upload, made["asset_id"])
    assert await to_thread(lambda: [*client.uploads()]) == []
    with pytest.raises(FileNotFoundError):
        await to_thread(client.upload, tmp_path / "none.wav")


async def test_what_there_is_to_choose_from(url: str) -> None:
    client = Vidgend(url)
    assert [voice["id"] for voice in (await to_thread(client.voices))["voices"]] == ["af_heart"]
    assert "cinematic" in [style["name"] for style in (await to_thread(client.styles))["styles"]]
    assert (await to_thread(lambda: client.usage(by="day")))["entries"] == []


async def test_a_daemon_that_asks_for_time_gets_it(world: World, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        world.worker.draining = False

    monkeypatch.setattr("vidgend.client.retries.time.sleep", sleep)
    world.worker.draining = True
    with pytest.raises(Draining) as refused:
        await to_thread(lambda: Vidgend(url, patience=Patience(tries=1)).generate(prompt="The sea"))
    assert refused.value.retry_after_s is not None
    assert (await to_thread(lambda: Vidgend(url).generate(prompt="The sea")))["status"] == "accepted"
    assert slept == [refused.value.retry_after_s]


async def test_a_full_disk_is_not_waited_for(world: World, url: str) -> None:
    world.worker.space = False
    with pytest.raises(StorageFull):
        await to_thread(lambda: Vidgend(url).generate(prompt="The sea"))


class _losing_answers:
    """A way to the server on which the first `count` answers get lost, after they were made."""

    def __init__(self, url: str, *, count: int) -> None:
        self._port = int(url.rpartition(":")[2])
        self._left = count
        self.lost = 0

    async def __aenter__(self) -> _losing_answers:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", self._port)

        async def forward() -> None:
            while piece := await reader.read(65536):
                outer.write(piece)

        sending = asyncio.create_task(forward())
        answer = await inner.read(65536)
        if self.lost < self._left:
            self.lost += 1
        else:
            writer.write(answer)
        sending.cancel()
        for end in (writer, outer):
            end.close()
