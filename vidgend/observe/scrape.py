"""The page that Prometheus reads, in the form that it asks for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from vidgend.observe.looked_up import LookedUp


@dataclass(frozen=True, kw_only=True)
class Scrape:
    """Call it with the request's Accept and whether the daemon is ready; it answers body and content type. Off the
    loop, since it is some milliseconds of work."""

    registry: CollectorRegistry
    looked_up: LookedUp

    def __post_init__(self) -> None:
        self.registry.register(self.looked_up)

    async def __call__(self, accept: str, is_ready: bool) -> tuple[bytes, str]:
        self.looked_up.is_ready = is_ready
        await self.looked_up.refresh()
        encode, content_type = choose_encoder(accept)
        return await asyncio.to_thread(encode, self.registry), content_type
