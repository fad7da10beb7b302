"""How long the last steps took, and for what: so that a new process need not guess how fast this machine is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from vidgend.models import Brief
from vidgend.store.database import Database
from vidgend.store.job_rows import BRIEFS

_LOOKED_AT = 500
"""Steps of any kind that are looked at: a start must not take longer because the cache is large."""


@dataclass(frozen=True, kw_only=True)
class PastStep:
    """A step that was done in `seconds`, and the request that it was done for."""

    kind: str
    label: str
    seconds: float
    output: dict[str, Any]
    brief: Brief


async def past_steps(database: Database) -> list[PastStep]:
    """The steps of videos that were used last, the newest last."""
    rows = await database.read(
        "SELECT used.kind, used.label, used.seconds, used.output, jobs.brief FROM "
        "(SELECT key, kind, label, seconds, output FROM steps INDEXED BY steps_by_use "
        "WHERE state = 'done' AND seconds IS NOT NULL ORDER BY used_at DESC LIMIT ?) AS used "
        "JOIN jobs ON jobs.id = (SELECT job_id FROM job_steps WHERE job_steps.key = used.key LIMIT 1) "
        "WHERE jobs.kind = 'video'",
        (_LOOKED_AT,),
    )
    found = []
    for kind, label, seconds, output, body in reversed(rows):
        try:
            brief = BRIEFS["video"].validate_json(body)
        except ValidationError:  # written by another version
            continue
        found.append(PastStep(kind=kind, label=label, seconds=seconds, output=json.loads(output), brief=brief))
    return found
