"""What `vidgend doctor` says about the quotas of the providers that are used, as the ledger in data_dir has them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from vidgend.cli.finding import Finding
from vidgend.errors import VidgendError

if TYPE_CHECKING:
    from vidgend.settings import Settings


def quotas(settings: Settings, section: str = "footage") -> Iterator[Finding]:
    """Nothing where there is no database yet, or none that can be read: others tell that."""
    from vidgend.cli.usage import here, quota_lines

    if not (settings.data_dir / "vidgend.db").is_file():
        return
    try:
        found: dict[str, Any] = asyncio.run(here(settings, {}, 1))
    except VidgendError:
        return
    for quota in found["quotas"]:
        if quota["service"] not in settings.footage.providers:
            continue
        for line in quota_lines(quota):
            full = quota["next_request_at"] is not None
            yield Finding(section=section, mark="note" if full else "ok", text=line)
