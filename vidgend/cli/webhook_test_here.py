"""A webhook's test event from this process, without a daemon."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from vidgend.cli.data_dir import disk_errors, reading_rows

if TYPE_CHECKING:
    from vidgend.settings import Settings


def send_test_here(settings: Settings, url: str) -> dict[str, Any]:
    """The answer of POST /mcp/webhooks/test. Raises: NotFound where data_dir has no database, and as that does."""
    from vidgend.daemon import webhook_secret
    from vidgend.http.webhook_signing import Signer
    from vidgend.http.webhook_tester import WebhookTester, told_of

    async def send() -> dict[str, Any]:
        async with reading_rows(settings) as reads:
            signer = Signer(reads, await asyncio.to_thread(webhook_secret, settings))
            tester = WebhookTester(signer=signer, allow_networks=settings.egress.for_webhooks)
            return told_of(url, await tester.send(url, owner=""))

    with disk_errors(settings):
        return asyncio.run(send())
