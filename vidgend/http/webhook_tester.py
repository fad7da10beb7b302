"""A test event to a receiver, sent and signed as the real ones are, and what came of it."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vidgend.egress import Network
from vidgend.errors import CallbackForbidden
from vidgend.guarded_client import Resolve, guarded_client
from vidgend.http.callback_url import check_callback_url
from vidgend.http.webhook_call import TOTAL_TIMEOUT_S, Outcome, call_receiver
from vidgend.http.webhook_signing import Signer

TEST_EVENT = "webhook.test"


@dataclass(frozen=True, kw_only=True)
class SentEvent:
    """`headers` are those that a receiver verifies, of exactly this `body`; `own_secret` tells which secret signed."""

    outcome: Outcome
    headers: dict[str, str]
    body: str
    own_secret: bool


class WebhookTester:
    def __init__(
        self,
        *,
        signer: Signer,
        allow_networks: Iterable[Network] = (),
        resolve: Resolve | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._signer = signer
        self._allow = tuple(allow_networks)
        self._resolve = resolve
        self._clock = clock

    async def send(self, url: str, *, owner: str) -> SentEvent:
        """One call, not repeated. Raises: InvalidFields, CallbackForbidden, DatabaseUnavailable."""
        check_callback_url(url, self._allow, pointer="/url")
        now_s = self._clock()
        at = datetime.fromtimestamp(now_s, UTC).isoformat().replace("+00:00", "Z")
        body = json.dumps(
            {"type": TEST_EVENT, "timestamp": at, "data": {"message": "A test event of vidgend; it is about no job."}},
            separators=(",", ":"),
        )
        keys = await self._signer.keys(url, owner=owner, now_s=now_s)
        headers = keys.headers(f"msg_{secrets.token_hex(12)}", int(now_s), body.encode())
        # Reading the certificates blocks.
        opened = await asyncio.to_thread(
            lambda: guarded_client(self._allow, timeout_s=TOTAL_TIMEOUT_S, max_connections=1, resolve=self._resolve)
        )
        async with opened as client:
            outcome = await call_receiver(client, url, body=body.encode(), headers=headers, now_s=now_s)
        if outcome.forbidden:
            raise CallbackForbidden(outcome.reason)
        return SentEvent(outcome=outcome, headers=headers, body=body, own_secret=keys.own)


def told_of(url: str, tested: SentEvent) -> dict[str, Any]:
    """The answer of POST /mcp/webhooks/test."""
    outcome = tested.outcome
    return {
        "url": url,
        "delivered": not outcome.reason,
        "status": outcome.status,
        "duration_ms": outcome.duration_ms,
        "error": outcome.reason or None,
        "own_secret": tested.own_secret,
        "headers": tested.headers,
        "body": tested.body,
    }
