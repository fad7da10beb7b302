"""Where clients get a result's files: from the store itself if it signs links, else from here."""

from __future__ import annotations

import time
from collections.abc import Mapping

from vidgend.http.auth import LINK_LIFE_S, asset_url
from vidgend.http.services import Services
from vidgend.models import Published


async def result_urls(
    services: Services, job_id: str, files: Mapping[str, Published], *, base_url: str
) -> dict[str, str]:
    """Role -> URL. Links of our own begin with `base_url`; those that are signed live for a day."""
    key = services.url_key if services.api_key else None
    urls = {}
    for role, file in files.items():
        link = await services.assets.link(job_id, file.name, LINK_LIFE_S) if services.presign else None
        urls[role] = link or asset_url(base_url, file.digest, url_key=key, now_s=time.time())
    return urls
