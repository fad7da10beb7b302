"""A job that kills its daemon is given up after three times; one that was only there when it died never is."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import workshop

from vidgend.children import Child
from vidgend.pipeline.ffmpeg import Ffmpeg

pytestmark = pytest.mark.process
DYING = Path(__file__).with_name("dying_daemon.py")
INNOCENT = 20
KINDS = ("plan", "search", "fetch", "segment", "join", "check")
"""One after the other. Speech comes beside the first of them and the thumbnail beside the join, so they are over before
their own turn would come."""


class Supervisor:
    """Starts the daemon again whenever it has died."""

    def __init__(self, ffmpeg: Ffmpeg, folder: Path, bodies: Sequence[dict[str, Any]]) -> None:
        workshop.clips(ffmpeg.path, folder / "clips", 4)
        (folder / "bodies.json").write_text(json.dumps(bodies))
        self.folder = folder
        self.deaths = 0

    async def life(self, *options: str, within_s: float = 60) -> bool:
        """One life of the daemon; True if it ended because all jobs had."""
        child = await Child.spawn(
            [sys.executable, str(DYING), str(self.folder / "data"), str(self.folder / "clips"),
             str(self.folder / "bodies.json"), *options]
        )  # fmt: skip
        try:
            code = await asyncio.wait_for(child.wait(), within_s)
        finally:
            await child.stop()
        assert code in (0, -signal.SIGKILL), child.stderr_tail
        self.deaths += code != 0
        return code == 0

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.folder / "data" / "vidgend.db")
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


def _body(number: int, query: str) -> dict[str, Any]:
    scenes = [
        {"narration": f"This is video {number}.", "query": "sea"},
        {"narration": f"It shows {query}.", "query": query},
    ]
    return {"scenes": scenes, "voice": "fake_a", "quality": "draft", "metadata": {"query": query}}


async def test_a_job_that_kills_the_daemon_three_times_is_given_up_and_takes_nobody_with_it(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    bodies = [_body(number, "sea") for number in range(INNOCENT)]
    bodies.insert(2, _body(INNOCENT, "poison"))
    supervisor = Supervisor(ffmpeg, tmp_path, bodies)
    for _ in range(10):
        if await supervisor.life("--die-in", "segment", "--with", "poison", "--jobs", "3"):
            break
    assert supervisor.deaths == 3
    ends = supervisor.rows("SELECT json_extract(metadata, '$.query'), state, json_extract(error, '$.code') FROM jobs")
    assert sorted(ends) == [("poison", "failed", "crash_loop")] + [("sea", "completed", None)] * INNOCENT
    assert supervisor.rows("SELECT crashes FROM jobs WHERE state = 'failed'") == [(3,)]
    assert supervisor.rows("SELECT count(*) FROM jobs WHERE state = 'completed' AND crashes > 0")[0][0] >= 1


async def test_power_cuts_in_ever_other_steps_never_condemn_a_job(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    body = _body(0, "sea")
    supervisor = Supervisor(ffmpeg, tmp_path, [{**body, "scenes": body["scenes"][:1]}])
    for kind in KINDS:
        assert not await supervisor.life("--die-in", kind, "--quiet"), f"no step {kind} was begun"
    assert await supervisor.life()
    assert supervisor.deaths == len(KINDS)
    assert supervisor.rows("SELECT state, crashes FROM jobs") == [("completed", len(KINDS))]
    runs = supervisor.rows("SELECT kind, sum(attempt) - count(*), sum(state <> 'done') FROM steps GROUP BY kind")
    assert {kind: again for kind, again, _ in runs if again} == dict.fromkeys(KINDS, 1)
    assert not any(unfinished for _, _, unfinished in runs)
