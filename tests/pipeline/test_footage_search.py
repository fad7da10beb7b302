"""Searches and fetches as steps: which of them hold up which."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from clip_search import clip_files, footage, open_search, scenes

from vidgend.models import Brief, Candidate, Storyboard
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.footage.fake import FakeFootage
from vidgend.pipeline.footage.port import FootageQuery
from vidgend.pipeline.footage_search import FootageSearch, Offer


class Patient(FakeFootage):
    """Its searches wait for their place in a quota."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.waiting, self.full, self.go_on = 0, asyncio.Event(), asyncio.Event()

    async def search(self, query: FootageQuery) -> tuple[Candidate, ...]:
        self.waiting += 1
        if self.waiting == 4:
            self.full.set()
        await self.go_on.wait()
        return await super().search(query)


async def test_searches_that_wait_for_a_quota_hold_up_no_download(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clip_files(ffmpeg.path, tmp_path)
    quick, patient = footage(files, name="quick", sea="a"), Patient({}, {}, name="patient")
    wanted = scenes("sea")
    async with open_search(tmp_path / "here", quick, patient) as (run, _):
        board = Storyboard(title="", language="en", planner="", stretch=False, fps="30", scenes=wanted)
        asks = FootageSearch(run, Brief(prompt="p", width_px=160, height_px=90), board)
        (found,) = await asks.search(quick, wanted[0], "sea")
        waiting = [asyncio.create_task(asks.search(patient, wanted[0], f"sea {number}")) for number in range(6)]
        await patient.full.wait()
        clip = await asyncio.wait_for(asks.fetch(Offer(provider=quick, query="sea", candidate=found), 0), 20)
        assert clip.id == "a" and not patient.go_on.is_set()
        patient.go_on.set()
        assert await asyncio.gather(*waiting) == [()] * 6
