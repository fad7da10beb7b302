"""The versions of a job's storyboard. A version's choices never change; the run that makes it fills in what it found.

1 planner -> 2 somebody's edit -> 3 a revert ...      jobs.version says which one is rendered, or was last
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from vidgend.errors import Conflict, NotFound, StoryboardChanged
from vidgend.models import Brief, JobState, Storyboard
from vidgend.store.database import Database
from vidgend.store.job_rows import BRIEFS
from vidgend.store.transitions import note

STORYBOARD = TypeAdapter(Storyboard)
EDITABLE: tuple[JobState, ...] = ("awaiting_review", "completed", "failed", "cancelled")
"""Nothing is being made of the storyboard."""

REMEMBERED_VIDEOS = 10
"""So many videos of an owner are remembered for what they show."""
LOOKED_AT_VIDEOS = 50
"""Among so many it is looked for the same request."""
_TOLD = ("prompt", "script", "scenes", "seed", "style")
REQUEST, PREFETCHED = (
    "json_array(" + ", ".join(f"json_extract(j.brief, '{at}.{field}')" for field in _TOLD) + ")"
    for at in ("$", "$.brief")
)
"""What makes two jobs the same request, as far as their pictures go, and the same of the video that a prefetch is for.
Another seed is another video."""

THUMBNAIL_STEP = "candidate_thumbnail"
"""The kind of the steps whose assets are thumbnails."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version: its storyboard, the request that it belongs to, who made it from which one, and what changed."""

    number: int
    storyboard: Storyboard
    brief: Brief
    author: str
    created_at: float
    based_on: int | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class VersionLine:
    """What the list of versions shows of one."""

    number: int
    author: str
    created_at: float
    based_on: int | None
    changes: list[dict[str, Any]]


class StoryboardStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, job_id: str, number: int | None = None) -> Version | None:
        """A version, the newest unless `number` says which; None if there is none (yet)."""
        rows = await self._database.read(
            "SELECT s.version, s.body, coalesce(s.brief, j.brief), s.author, s.created_at, s.based_on, s.changes "
            "FROM storyboards AS s JOIN jobs AS j ON j.id = s.job_id WHERE s.job_id = ? "
            "AND (? IS NULL OR s.version = ?) ORDER BY s.version DESC LIMIT 1",
            (job_id, number, number),
        )
        return await asyncio.to_thread(_version, rows[0]) if rows else None

    async def versions(self, job_id: str) -> list[VersionLine]:
        """All of them, oldest first."""
        rows = await self._database.read(
            "SELECT version, author, created_at, based_on, changes FROM storyboards WHERE job_id = ? ORDER BY version",
            (job_id,),
        )
        return [
            VersionLine(number=row[0], author=row[1], created_at=row[2], based_on=row[3], changes=json.loads(row[4]))
            for row in rows
        ]

    async def thumbnails(self, job_id: str) -> frozenset[str]:
        """Digests of the thumbnails that were made for a job and are still there, whatever version shows them."""
        rows = await self._database.read(
            "SELECT a.digest FROM job_steps AS j JOIN steps AS s ON s.key = j.key AND s.kind = ? AND s.state = 'done' "
            "JOIN step_assets AS t ON t.key = s.key JOIN assets AS a ON a.digest = t.digest WHERE j.job_id = ?",
            (THUMBNAIL_STEP, job_id),
        )
        return frozenset(row[0] for row in rows)

    async def most_scene_number(self, job_id: str) -> int:
        """The highest number in the scene ids of all versions: no new scene is to be called like an earlier one."""
        rows = await self._database.read(
            "SELECT max(max(json_extract(value, '$.index') + 1, "
            "coalesce(CAST(substr(json_extract(value, '$.id'), 2) AS INTEGER), 0))) "
            "FROM storyboards, json_each(body, '$.scenes') WHERE job_id = ?",
            (job_id,),
        )
        return int(rows[0][0] or 0)

    async def recently_shown(self, job_id: str) -> dict[tuple[str, str], float]:
        """(provider, id) of what the owner's last videos show, with how lately: 1 for the last one, then less.

        The same request again, also as a prefetch, sees what its first time saw, so that it is the same video: nothing
        counts that was made since the oldest of the recent jobs with this request.
        """
        rows = await self._database.read(
            f"SELECT j.id, {REQUEST} = (SELECT iif(j.kind = 'prefetch', {PREFETCHED}, {REQUEST}) FROM jobs AS j "
            "WHERE j.id = ?1) FROM jobs AS j "
            "WHERE j.owner = (SELECT owner FROM jobs WHERE id = ?1) AND j.kind = 'video' AND j.state = 'completed' "
            "AND j.id <> ?1 ORDER BY j.created_at DESC LIMIT ?2",
            (job_id, LOOKED_AT_VIDEOS),
        )
        same = [number for number, (_, alike) in enumerate(rows) if alike]
        recent = [row[0] for row in rows[same[-1] + 1 if same else 0 :]][:REMEMBERED_VIDEOS]
        shown: dict[tuple[str, str], float] = {}
        for number, other in enumerate(recent):
            clips = await self._database.read(
                "SELECT json_extract(value, '$.clip.provider'), json_extract(value, '$.clip.id') FROM storyboards AS s "
                "JOIN jobs AS j ON j.id = s.job_id AND j.version = s.version, json_each(s.body, '$.scenes') "
                "WHERE s.job_id = ? AND json_extract(value, '$.clip.provider') NOT IN ('generated', 'upload')",
                (other,),
            )
            for provider, name in clips:
                shown.setdefault((provider, name), 1.0 - number / REMEMBERED_VIDEOS)
        return shown

    async def being_made(self, job_id: str) -> tuple[int, Storyboard] | None:
        """(number, storyboard) of the version that the job renders; None if it has not been planned yet."""
        rows = await self._database.read(
            "SELECT s.version, s.body FROM storyboards AS s JOIN jobs AS j ON j.id = s.job_id "
            "WHERE s.job_id = ? AND s.version = coalesce(j.version, 1)",
            (job_id,),
        )
        return (rows[0][0], await asyncio.to_thread(STORYBOARD.validate_json, rows[0][1])) if rows else None

    async def save(self, job_id: str, storyboard: Storyboard) -> None:
        """Keep what the run of a job found for the version that it renders; the first time it is version 1."""
        now = self._database.clock()
        body = (await asyncio.to_thread(STORYBOARD.dump_json, storyboard)).decode()

        def transaction(connection: sqlite3.Connection) -> None:
            rows = connection.execute(
                "UPDATE jobs SET version = coalesce(version, 1) WHERE id = ? RETURNING version", (job_id,)
            ).fetchall()
            if not rows:
                return  # the job was deleted
            connection.execute(
                "INSERT INTO storyboards (job_id, version, body, created_at) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (job_id, version) DO UPDATE SET body = excluded.body",
                (job_id, rows[0][0], body, now),
            )

        await self._database.write(transaction)

    async def add(
        self,
        job_id: str,
        storyboard: Storyboard,
        brief: Brief,
        *,
        author: str,
        based_on: int,
        newest: int,
        changes: list[dict[str, Any]],
    ) -> int:
        """Keep a new version, made from version `based_on` while `newest` was the newest; durable on return.

        Returns its number. Raises: NotFound, Conflict while the job is being made, StoryboardChanged if somebody was
        faster.
        """
        now = self._database.clock()
        body = (await asyncio.to_thread(STORYBOARD.dump_json, storyboard)).decode()
        request = BRIEFS["video"].dump_json(brief).decode()

        def transaction(connection: sqlite3.Connection) -> int:
            check_editable(connection, job_id)
            found: int | None = connection.execute(
                "SELECT max(version) FROM storyboards WHERE job_id = ?", (job_id,)
            ).fetchone()[0]
            if found != newest:
                raise StoryboardChanged(f"version {found} is the newest by now, not {newest}")
            keep_brief(connection, job_id)
            connection.execute(
                "INSERT INTO storyboards (job_id, version, body, created_at, brief, author, based_on, changes) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (job_id, newest + 1, body, now, request, author, based_on, json.dumps(changes, ensure_ascii=False)),
            )
            note(connection, job_id, now, f"storyboard version {newest + 1} by {author}")
            return newest + 1

        return await self._database.write(transaction)


def keep_brief(connection: sqlite3.Connection, job_id: str) -> None:
    """From now on the job's request may change with what is rendered; each version keeps its own."""
    connection.execute(
        "UPDATE storyboards SET brief = (SELECT brief FROM jobs WHERE id = ?1) WHERE job_id = ?1 AND brief IS NULL",
        (job_id,),
    )


def check_editable(connection: sqlite3.Connection, job_id: str) -> None:
    """Whether nothing is being made of a job's storyboard right now. Raises: NotFound, Conflict."""
    row = connection.execute("SELECT state FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        raise NotFound(f"no job {job_id!r}")
    check_idle(row[0])


def check_idle(state: JobState) -> None:
    """Raises: Conflict for the state of a job that is being made, or is going to be."""
    if state not in EDITABLE:
        raise Conflict(f"the job is {state}", hint="Wait until the video is done, or cancel the job first.")


def version_exists(connection: sqlite3.Connection, job_id: str, number: int) -> bool:
    return bool(
        connection.execute("SELECT 1 FROM storyboards WHERE job_id = ? AND version = ?", (job_id, number)).fetchone()
    )


def _version(row: tuple[Any, ...]) -> Version:
    return Version(
        number=row[0], storyboard=STORYBOARD.validate_json(row[1]), brief=BRIEFS["video"].validate_json(row[2]),
        author=row[3], created_at=row[4], based_on=row[5], changes=json.loads(row[6]),
    )  # fmt: skip
