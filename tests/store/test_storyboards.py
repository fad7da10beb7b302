"""Versions of a storyboard: nobody's edit is lost, none changes afterwards, and rendering one takes what is there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from nobodys import NobodysJobs
from ready_database import ready

from vidgend.errors import Conflict, NotFound, StoryboardChanged
from vidgend.models import Brief, Clip, Credit, PrefetchBrief, Published, Result, Scene, Storyboard
from vidgend.store.database import Database
from vidgend.store.jobs import Job, JobStore
from vidgend.store.outbox import Outbox
from vidgend.store.storyboards import StoryboardStore

BOARD = Storyboard(
    title="t", language="en", planner="builtin", stretch=False, fps="30",
    scenes=(Scene(index=0, id="s1", narration="The sea.", queries=("sea",)),),
)  # fmt: skip


BRIEF = Brief(prompt="A beautiful sunset over the ocean")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(ready(tmp_path / "vidgend.db"))
    yield opened
    await opened.close()


async def boot(database: Database) -> JobStore:
    jobs = NobodysJobs(database, boot_id="one", max_queued=10)
    await jobs.recover()
    return jobs


async def claimed(jobs: JobStore) -> Job:
    job = await jobs.claim()
    assert job is not None
    return job


def result(digit: str) -> Result:
    file = Published(name="output.mp4", digest=digit * 64, content_type="video/mp4", size_bytes=5, uri="file:///x")
    return Result(
        files={"video": file}, width_px=2, height_px=2, duration_s=1.0, credits=(), degraded=(), timings={}, report={}
    )


async def completed(jobs: JobStore, digit: str = "a") -> Job:
    job = await claimed(jobs)
    assert await jobs.complete(job, result(digit), scenes=1, line="done", event={})
    return await jobs.get(job.id)


async def test_what_a_run_finds_goes_into_the_version_that_it_renders(database: Database) -> None:
    jobs, boards = await boot(database), StoryboardStore(database)
    job_id, _ = await jobs.submit(BRIEF)
    assert await boards.get(job_id) is None and await boards.being_made(job_id) is None
    await boards.save(job_id, BOARD)
    await boards.save(job_id, replace(BOARD, mood="calm"))
    assert await boards.being_made(job_id) == (1, replace(BOARD, mood="calm"))
    version = await boards.get(job_id)
    assert version is not None and (version.number, version.author, version.brief) == (1, "planner", BRIEF)


async def test_an_edit_is_a_version_of_its_own_and_leaves_the_others_as_they_were(database: Database) -> None:
    jobs, boards = await boot(database), StoryboardStore(database)
    job_id, _ = await jobs.submit(BRIEF)
    await boards.save(job_id, BOARD)
    await completed(jobs)
    noir = replace(BRIEF, style="noir")
    changes = [{"op": "change", "field": "style", "from": "cinematic", "to": "noir"}]
    assert await boards.add(job_id, BOARD, noir, author="Ann", based_on=1, newest=1, changes=changes) == 2
    await jobs.render(job_id, version=2, brief=noir)
    assert (await jobs.get(job_id)).brief == noir
    await boards.save(job_id, replace(BOARD, title="found"))
    first, second = await boards.get(job_id, 1), await boards.get(job_id, 2)
    assert first is not None and (first.brief, first.storyboard) == (BRIEF, BOARD)
    assert second is not None and (second.brief, second.storyboard.title) == (noir, "found")
    lines = await boards.versions(job_id)
    assert [(line.number, line.author, line.based_on, line.changes) for line in lines] == [
        (1, "planner", None, []),
        (2, "Ann", 1, changes),
    ]
    assert await boards.get(job_id, 3) is None


async def test_of_two_edits_of_one_version_the_second_is_told(database: Database) -> None:
    jobs, boards = await boot(database), StoryboardStore(database)
    job_id, _ = await jobs.submit(BRIEF)
    await boards.save(job_id, BOARD)
    await completed(jobs)
    edits = [boards.add(job_id, BOARD, BRIEF, author=name, based_on=1, newest=1, changes=[]) for name in ("A", "B")]
    ended = await asyncio.gather(*edits, return_exceptions=True)
    assert sorted(str(type(one).__name__) for one in ended) == ["StoryboardChanged", "int"]
    with pytest.raises(StoryboardChanged):
        await boards.add(job_id, BOARD, BRIEF, author="C", based_on=1, newest=1, changes=[])


async def test_nobody_edits_or_renders_what_is_being_made(database: Database) -> None:
    jobs, boards = await boot(database), StoryboardStore(database)
    job_id, _ = await jobs.submit(BRIEF)
    await boards.save(job_id, BOARD)
    for _ in range(2):  # queued, then running
        with pytest.raises(Conflict):
            await boards.add(job_id, BOARD, BRIEF, author="A", based_on=1, newest=1, changes=[])
        with pytest.raises(Conflict):
            await jobs.render(job_id, version=1, brief=BRIEF)
        await claimed(jobs) if (await jobs.get(job_id)).state == "queued" else None
    with pytest.raises(NotFound):
        await jobs.render("job_0", version=1, brief=BRIEF)


async def test_a_video_stays_until_the_next_one_takes_its_place(database: Database) -> None:
    jobs, boards = await boot(database), StoryboardStore(database)
    job_id, _ = await jobs.submit(BRIEF)
    await boards.save(job_id, BOARD)
    await completed(jobs, "a")
    await jobs.render(job_id, version=1, brief=BRIEF)
    job = await claimed(jobs)
    assert job.result == result("a") and await jobs.published("a" * 64, owner=""), "it can still be watched"
    assert await jobs.complete(job, result("b"), scenes=1, line="done", event={})
    assert await jobs.published("b" * 64, owner="") and not await jobs.published("a" * 64, owner="")
    doomed = await database.read("SELECT kind, name FROM doomed")
    assert ("result", "a" * 64) in doomed and ("result", "b" * 64) not in doomed, "its bytes are to go"


async def test_a_poster_that_a_segment_needs_stays_when_the_video_goes(database: Database) -> None:
    jobs, boards = await boot(database), StoryboardStore(database)
    job_id, _ = await jobs.submit(BRIEF)
    await boards.save(job_id, BOARD)
    await completed(jobs, "a")
    await database.write(
        lambda c: c.execute(
            "INSERT INTO assets (digest, size_bytes, content_type, stored_at, used_at) VALUES (?, 5, '', 0, 0)",
            ("a" * 64,),
        )
    )
    await database.write(
        lambda c: c.execute(
            "INSERT INTO steps (key, kind, label, state, attempt, began_at, used_at) VALUES ('k', 'segment', 'ffmpeg', "
            "'done', 1, 0, 0)"
        )
    )
    await database.write(lambda c: c.execute("INSERT INTO step_assets (key, digest) VALUES ('k', ?)", ("a" * 64,)))
    await jobs.render(job_id, version=1, brief=BRIEF)
    assert await jobs.complete(await claimed(jobs), result("b"), scenes=1, line="done", event={})
    assert await database.read("SELECT name FROM doomed WHERE kind = 'result'") == []
    await jobs.delete(job_id)
    assert await database.read("SELECT name FROM doomed WHERE kind = 'result'") == [("b" * 64,)]


async def test_a_draft_does_not_become_the_quality_of_the_job(database: Database) -> None:
    jobs, boards = await boot(database), StoryboardStore(database)
    job_id, _ = await jobs.submit(BRIEF)
    await boards.save(job_id, BOARD)
    await completed(jobs)
    await jobs.render(job_id, version=1, brief=replace(BRIEF, quality="draft"))
    assert (await claimed(jobs)).brief == replace(BRIEF, quality="draft")
    version = await boards.get(job_id)
    assert version is not None and version.brief == BRIEF


async def test_a_job_whose_storyboard_was_edited_is_not_made_again_as_it_was(database: Database) -> None:
    jobs, boards = await boot(database), StoryboardStore(database)
    job_id, _ = await jobs.submit(BRIEF)
    await boards.save(job_id, BOARD)
    await jobs.request_cancel(job_id)
    await boards.add(job_id, BOARD, BRIEF, author="A", based_on=1, newest=1, changes=[])
    with pytest.raises(Conflict, match="version 2 is the newest"):
        await jobs.retry(job_id)
    await jobs.render(job_id, version=1, brief=BRIEF)
    assert (await claimed(jobs)).id == job_id


async def test_the_numbers_of_scenes_are_those_of_all_versions(database: Database) -> None:
    jobs, boards = await boot(database), StoryboardStore(database)
    job_id, _ = await jobs.submit(BRIEF)
    await boards.save(job_id, BOARD)
    await jobs.request_cancel(job_id)
    named = replace(BOARD, scenes=(replace(BOARD.scenes[0], id="s7"),))
    await boards.add(job_id, named, BRIEF, author="A", based_on=1, newest=1, changes=[])
    await boards.add(job_id, BOARD, BRIEF, author="A", based_on=1, newest=2, changes=[])
    assert await boards.most_scene_number(job_id) == 7
    assert await boards.most_scene_number("job_0") == 0


async def test_a_render_that_fails_leaves_the_video_that_there_was(database: Database) -> None:
    jobs, boards = await boot(database), StoryboardStore(database)
    job_id, _ = await jobs.submit(BRIEF)
    await boards.save(job_id, BOARD)
    await completed(jobs, "a")
    await jobs.render(job_id, version=1, brief=BRIEF)
    await jobs.request_cancel(job_id)
    job = await jobs.get(job_id)
    assert (job.state, job.result) == ("cancelled", result("a")) and await jobs.has_files(job_id)


async def test_a_job_waits_for_its_review_tells_so_and_goes_on_when_it_is_approved(database: Database) -> None:
    jobs, boards = await boot(database), StoryboardStore(database)
    review = replace(BRIEF, review=True)
    job_id, _ = await jobs.submit(review, callback_url="https://x.example/hook")
    job = await claimed(jobs)
    await boards.save(job_id, BOARD)
    assert await jobs.await_review(job, progress=20.0, scenes=1, line="look", event={"total_scenes": 1})
    waiting = await jobs.get(job_id)
    assert (waiting.state, waiting.scenes_total, waiting.progress) == ("awaiting_review", 1, 20.0)
    assert await jobs.claim() is None, "it waits for a person"
    (delivery,), _ = await Outbox(database).due()
    told = json.loads(delivery.body)
    assert (told["type"], told["data"]["total_scenes"]) == ("job.awaiting_review", 1)
    await jobs.render(job_id, version=1, brief=replace(review, review=False))
    again = await claimed(jobs)
    assert again.id == job_id and again.brief == BRIEF
    assert not await jobs.await_review(job, progress=1.0, scenes=1, line="late", event={}), "a lost claim"


async def test_a_restart_leaves_what_awaits_review_alone_and_a_cancel_ends_it(database: Database) -> None:
    jobs, boards = await boot(database), StoryboardStore(database)
    job_id, _ = await jobs.submit(BRIEF)
    job = await claimed(jobs)
    await boards.save(job_id, BOARD)
    await jobs.await_review(job, progress=20.0, scenes=1, line="look", event={})
    jobs = NobodysJobs(database, boot_id="another", max_queued=10)
    await jobs.recover()
    assert (await jobs.get(job_id)).state == "awaiting_review"
    assert await jobs.request_cancel(job_id) == "cancelled"


SHOWN = Clip(provider="pexels", id="1", kind="video", description="", query="", credit=Credit(provider="pexels"))


async def show(database: Database, jobs: JobStore, brief: Brief, *names: str) -> None:
    """A finished video of these clips."""
    await jobs.submit(brief)
    job = await claimed(jobs)
    scenes = tuple(replace(BOARD.scenes[0], index=at, clip=replace(SHOWN, id=name)) for at, name in enumerate(names))
    await StoryboardStore(database).save(job.id, replace(BOARD, scenes=scenes))
    assert await jobs.complete(job, result("a"), scenes=len(names), line="done", event={})


async def test_what_the_last_videos_show_is_remembered_the_last_one_most(database: Database) -> None:
    now = [1000.0]
    database.clock = lambda: now[0]
    jobs = await boot(database)
    for number, names in enumerate(("ab", "bc", "d")):
        now[0] += 1
        await show(database, jobs, Brief(prompt=f"video {number}"), *names)
    now[0] += 1
    job_id, _ = await jobs.submit(Brief(prompt="another"))
    recent = await StoryboardStore(database).recently_shown(job_id)
    assert recent == {("pexels", "d"): 1.0, ("pexels", "b"): 0.9, ("pexels", "c"): 0.9, ("pexels", "a"): 0.8}


async def test_the_same_request_again_remembers_what_it_did_the_first_time(database: Database) -> None:
    now = [1000.0]
    database.clock = lambda: now[0]
    jobs = await boot(database)
    for prompt, name in (("first", "a"), ("mine", "b"), ("between", "c"), ("mine", "b"), ("later", "d")):
        now[0] += 1
        await show(database, jobs, Brief(prompt=prompt), name)
    now[0] += 1
    again, _ = await jobs.submit(Brief(prompt="mine"))
    assert await StoryboardStore(database).recently_shown(again) == {("pexels", "a"): 1.0}
    ahead, _ = await jobs.submit(PrefetchBrief(per_query=1, width_px=1, height_px=1, brief=Brief(prompt="mine")))
    assert await StoryboardStore(database).recently_shown(ahead) == {("pexels", "a"): 1.0}, "what the video will show"
    other, _ = await jobs.submit(Brief(prompt="mine", seed=2))
    assert ("pexels", "b") in await StoryboardStore(database).recently_shown(other), "another seed is another video"
