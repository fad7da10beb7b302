"""Where clients get a result's files: from the store itself if it signs links, else from here."""

from __future__ import annotations

import time
from collections.abc import Mapping

from vidgend.http.auth import ASSETS_PATH, LINK_LIFE_S, signed_url
from vidgend.http.caller import Caller
from vidgend.http.services import Services
from vidgend.models import Published


def own_url(services: Services, digest: str, *, caller: Caller, base_url: str, now_s: float) -> str:
    """Where this server shows an asset to the caller's owner; where keys are asked for, signed for a day."""
    path = f"{ASSETS_PATH}{digest}"
    return signed_url(base_url, path, caller=caller, url_key=services.url_key, now_s=now_s)


async def result_urls(
    services: Services, job_id: str, files: Mapping[str, Published], *, caller: Caller, base_url: str
) -> dict[str, str]:
    """Role -> URL. Links of our own begin with `base_url`; those that are signed live for a day."""
    urls = {}
    for role, file in files.items():
        link = await services.assets.link(job_id, file.name, LINK_LIFE_S) if services.presign else None
        urls[role] = link or own_url(services, file.digest, caller=caller, base_url=base_url, now_s=time.time())
    return urls


async def thumbnail_urls(services: Services, job_id: str, *, caller: Caller, base_url: str) -> dict[str, str]:
    """Digest -> URL of the thumbnails of a job's storyboard that are still there."""
    url_key, now_s = services.url_key, time.time()
    return {
        digest: signed_url(
            base_url, f"/mcp/storyboard/{job_id}/thumbnails/{digest}", caller=caller, url_key=url_key, now_s=now_s
        )
        for digest in await services.storyboards.thumbnails(job_id)
    }
