"""Files that users gave: kept until they are deleted, and not deleted while a job that has not ended needs them.

Which job needs which is written down (`job_uploads`) with the job itself, so a deletion cannot come between the check
of a request and its job. A deleted upload is doomed as a deleted result is: its bytes go when nothing else needs them.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from vidgend.errors import NotFound, UploadInUse, UploadUnknown, VidgendError
from vidgend.models import Brief, Clip, Credit, Storyboard
from vidgend.store import doomed
from vidgend.store.assets.store import AssetStore
from vidgend.store.database import Database
from vidgend.store.live import LIVE

_log = logging.getLogger(__name__)

PROVIDER = "upload"
"""What a clip that is an upload names as its provider; its `id` is its digest."""
UploadKind = Literal["video", "photo", "audio"]
_CLIP = TypeAdapter(Clip)
_COLUMNS = "digest, kind, name, content_type, size_bytes, facts, created_at"


@dataclass(frozen=True, kw_only=True)
class Upload:
    """`facts` are fields of `Clip` for a video or photo, and `sound_s` for a video; for sound `demuxer`, `codec`,
    `sample_rate_hz`, `channels` and `duration_s`. `created_at` in seconds since the epoch."""

    digest: str
    kind: UploadKind
    name: str
    content_type: str
    size_bytes: int
    facts: dict[str, Any]
    created_at: float

    @property
    def duration_s(self) -> float | None:
        """None for a photo."""
        length_s: float | None = self.facts.get("duration_s")
        return length_s

    @property
    def sound_s(self) -> float | None:
        """How long there is sound in it. None for a video that was taken before that was looked for: its job finds
        out."""
        length_s: float | None = self.facts.get("duration_s" if self.kind == "audio" else "sound_s")
        return length_s

    def clip(self, in_point_s: float | None = None) -> Clip:
        """The picture of a scene; for a video or a photo."""
        return _CLIP.validate_python(
            {
                **self.facts, "provider": PROVIDER, "id": self.digest, "digest": self.digest, "description": self.name,
                "query": "", "credit": Credit(provider=PROVIDER), "in_point_s": in_point_s,
            }
        )  # fmt: skip


def _upload(row: tuple[Any, ...]) -> Upload:
    return Upload(
        digest=row[0], kind=row[1], name=row[2], content_type=row[3], size_bytes=row[4], facts=json.loads(row[5]),
        created_at=row[6],
    )  # fmt: skip


def uploads_of_brief(brief: Brief) -> frozenset[str]:
    """The digests of all uploads that a job needs which has not been planned yet."""
    clips = [scene.clip for scene in brief.scenes]
    return _digests(clips, brief)


def uploads_of_storyboard(storyboard: Storyboard, brief: Brief) -> frozenset[str]:
    """The same of one that is: the scenes of its request are no longer asked."""
    return _digests([scene.clip for scene in storyboard.scenes], brief)


def _digests(clips: Iterable[Clip | None], brief: Brief) -> frozenset[str]:
    pictures = {clip.digest for clip in clips if clip is not None and clip.provider == PROVIDER and clip.digest}
    music = brief.music.asset if brief.music.enabled else None
    voice = brief.narration_audio.asset if brief.narration_audio else None
    return frozenset(pictures | {one for one in (music, voice) if one})


# --- inside a transaction ------------------------------------------------------------------------------------------


def hold(connection: sqlite3.Connection, job_id: str, digests: Iterable[str]) -> None:
    """Write down that a job needs these uploads of its owner, and no others. Raises: UploadUnknown."""
    wanted = sorted(digests)
    connection.execute("DELETE FROM job_uploads WHERE job_id = ?", (job_id,))
    held = connection.execute(
        "INSERT INTO job_uploads (job_id, digest) SELECT j.id, u.digest FROM jobs AS j JOIN uploads AS u "
        "ON u.owner = j.owner WHERE j.id = ? AND u.digest IN (SELECT value FROM json_each(?)) RETURNING digest",
        (job_id, json.dumps(wanted)),
    ).fetchall()
    gone = set(wanted) - {digest for (digest,) in held}
    if gone:
        raise UploadUnknown(f"there is no upload {min(gone)}; it was deleted")


# --- the table -----------------------------------------------------------------------------------------------------


class UploadStore:
    def __init__(self, database: Database, assets: AssetStore) -> None:
        self._database = database
        self._assets = assets

    async def add(
        self,
        path: Path,
        *,
        kind: UploadKind,
        name: str,
        content_type: str,
        facts: dict[str, Any],
        owner: str,
    ) -> tuple[Upload, bool]:
        """Take a file that has been looked at into the store (it is moved). Answers (upload, whether it is new); the
        same bytes again keep their name. Durable on return.

        Raises: StorageFull, StorageUnavailable.
        """
        now = self._database.clock()
        made: list[tuple[tuple[Any, ...], bool]] = []

        def record(connection: sqlite3.Connection, digest: str, size_bytes: int) -> None:
            new = connection.execute(
                "INSERT OR IGNORE INTO uploads (owner, digest, kind, name, content_type, size_bytes, facts, "
                "created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (owner, digest, kind, name, content_type, size_bytes, json.dumps(facts), now),
            ).rowcount
            # What was found out is newer than what was known, as is the program that did.
            connection.execute(
                "UPDATE uploads SET kind = ?, content_type = ?, facts = ? WHERE owner = ? AND digest = ?",
                (kind, content_type, json.dumps(facts), owner, digest),
            )
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM uploads WHERE owner = ? AND digest = ?", (owner, digest)
            ).fetchone()
            made[:] = [(row, new > 0)]  # a transaction may run twice

        await self._assets.put(path, content_type, also=record)
        row, new = made[0]
        return _upload(row), new

    async def get(self, digest: str, *, owner: str) -> Upload:
        """Raises: NotFound."""
        found = await self.find([digest], owner=owner)
        if digest not in found:
            raise NotFound("no such upload")
        return found[digest]

    async def find(self, digests: Iterable[str], *, owner: str) -> dict[str, Upload]:
        """Those of `digests` that are uploads of this owner."""
        wanted = sorted(set(digests))
        if not wanted:
            return {}
        rows = await self._database.read(
            f"SELECT {_COLUMNS} FROM uploads WHERE owner = ? AND digest IN (SELECT value FROM json_each(?))",
            (owner, json.dumps(wanted)),
        )
        return {row[0]: _upload(row) for row in rows}

    async def page(self, *, limit: int = 50, before: tuple[float, str] | None = None, owner: str) -> list[Upload]:
        """Newest first; `before` is the (created_at, digest) of the last one seen."""
        rows = await self._database.read(
            f"SELECT {_COLUMNS} FROM uploads WHERE owner = ? AND (created_at, digest) < (?, ?) "
            "ORDER BY created_at DESC, digest DESC LIMIT ?",
            (owner, *(before or (float("inf"), "")), limit),
        )
        return [_upload(row) for row in rows]

    async def served(self, digest: str, *, owner: str) -> tuple[str, str] | None:
        """(file name, content type) of an upload of this owner."""
        rows = await self._database.read(
            "SELECT name, content_type FROM uploads WHERE digest = ? AND owner = ?", (digest, owner)
        )
        return (rows[0][0], rows[0][1]) if rows else None

    async def remove(self, digest: str, *, owner: str) -> None:
        """Forget an upload, and delete its bytes if nothing else needs them. Raises: NotFound, UploadInUse."""
        now = self._database.clock()

        def transaction(connection: sqlite3.Connection) -> None:
            rows = connection.execute(
                "SELECT size_bytes FROM uploads WHERE owner = ? AND digest = ?", (owner, digest)
            ).fetchall()
            if not rows:
                raise NotFound("no such upload")
            live = connection.execute(
                "SELECT u.job_id FROM job_uploads AS u JOIN jobs AS j ON j.id = u.job_id "
                f"WHERE u.digest = ? AND j.owner = ? AND j.state IN ({LIVE}) LIMIT 1",
                (digest, owner),
            ).fetchone()
            if live:
                raise UploadInUse(f"{live[0]} needs this file and has not ended")
            connection.execute("DELETE FROM uploads WHERE owner = ? AND digest = ?", (owner, digest))
            doomed.doom_unneeded(connection, digest, rows[0][0], now)

        await self._database.write(transaction)
        try:
            await doomed.work_off(self._database, self._assets)
        except (VidgendError, OSError, sqlite3.Error) as error:  # it stays written down
            _log.warning("doomed_files_left", extra={"reason": str(error)})
