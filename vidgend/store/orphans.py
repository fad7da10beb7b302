"""Files that no row knows: left by another program, or by a database that was lost or is older than the store.

What vidgend itself leaves behind is written down in the table `doomed` and goes by itself. These are only deleted when
somebody says so (`vidgend gc`, `vidgend fsck --repair`), since it may be the database that is the wrong one.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from vidgend.errors import Conflict
from vidgend.store.assets.port import BlobStore
from vidgend.store.database import Database
from vidgend.store.live import LIVE
from vidgend.store.reading import Reads
from vidgend.store.retention_hands import Freed

if TYPE_CHECKING:
    from vidgend.store.assets.store import AssetStore

FEW = 50
"""So many are deleted without asking how many there are in all, if there is anything that is known."""
_PAGE = 500
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Orphans:
    """`blobs` are (digest, size in bytes); `jobs` have named files and no result. The others are counted as known."""

    blobs: tuple[tuple[str, int], ...]
    jobs: tuple[str, ...]
    known: int
    known_jobs: int

    @property
    def doubt(self) -> Conflict | None:
        """Where there are so many that it is rather the database that is the wrong one, or a new one."""
        nothing_known = not self.known and not self.known_jobs and (self.blobs or self.jobs)
        few = len(self.blobs) <= max(FEW, self.known) and len(self.jobs) <= max(FEW, self.known_jobs)
        if few and not nothing_known:
            return None
        return Conflict(
            f"the database knows {self.known} files and {self.known_jobs} results of the asset store, and does not "
            f"know {len(self.blobs)} files and {len(self.jobs)} results; none of these is deleted",
            hint="Is it the right database for this store, and the newest? If it is, `vidgend gc --unknown` deletes "
            "them. (The first versions had no rows for their cache, which looks like this after the upgrade.)",
        )

    @property
    def freed(self) -> Freed:
        return Freed(count=len(self.blobs), bytes=sum(size for _, size in self.blobs))


async def find_orphans(reads: Reads, blobs: BlobStore) -> Orphans:
    """What lies in the store and has no row. A blob that is being put right now is among them: `discard` spares it."""
    found: list[tuple[str, int]] = []
    known = 0
    async for page in _in_pages(blobs.list()):
        rows = await reads.read(
            "SELECT value FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM assets WHERE digest = value) "
            "OR EXISTS (SELECT 1 FROM published WHERE digest = value) "
            "OR EXISTS (SELECT 1 FROM uploads WHERE digest = value) "
            "OR EXISTS (SELECT 1 FROM doomed WHERE kind = 'blob' AND name = value) "
            "OR EXISTS (SELECT 1 FROM step_assets WHERE digest = value)",
            (json.dumps([digest for digest, _ in page]),),
        )
        with_row = {row[0] for row in rows}
        known += len(with_row)
        found += [entry for entry in page if entry[0] not in with_row]
    jobs: list[str] = []
    known_jobs = 0
    async for names in _in_pages(blobs.published()):
        ids = [name for name in names if name.startswith("job_")]  # a bucket may hold other people's folders
        rows = await reads.read(
            "SELECT value FROM json_each(?1) WHERE NOT EXISTS (SELECT 1 FROM published WHERE job_id = value) "
            "AND NOT EXISTS (SELECT 1 FROM doomed WHERE kind = 'names' AND name = value) "
            f"AND NOT EXISTS (SELECT 1 FROM jobs WHERE id = value AND state IN ({LIVE}))",
            (json.dumps(ids),),
        )
        jobs += [row[0] for row in rows]
        known_jobs += len(ids) - len(rows)
    return Orphans(blobs=tuple(found), jobs=tuple(jobs), known=known, known_jobs=known_jobs)


async def collect_orphans(database: Database, assets: AssetStore, *, even_if_doubtful: bool = False) -> Freed:
    """Delete what no row knows. What got one since it was found stays.

    Raises: Conflict when that would be most of the store: then the database is more likely the wrong one.
    """
    orphans = await find_orphans(database, assets.blobs)
    if orphans.doubt is not None and not even_if_doubtful:
        raise orphans.doubt
    for job_id in orphans.jobs:
        await assets.unpublish(job_id)
    for first in range(0, len(orphans.blobs), _PAGE):
        # No row, so no time of last use: `used_since` decides nothing here.
        await assets.discard([digest for digest, _ in orphans.blobs[first : first + _PAGE]], 0.0)
    return orphans.freed


async def _in_pages(entries: AsyncIterator[T]) -> AsyncIterator[list[T]]:
    page: list[T] = []
    async for entry in entries:
        page.append(entry)
        if len(page) == _PAGE:
            yield page
            page = []
    if page:
        yield page
