"""Delivers the outbox to callback URLs, signed (`webhook_signing.py`), at least once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable

import httpx

from vidgend.egress import Network
from vidgend.errors import DatabaseUnavailable, SettingsInvalid, StorageFull
from vidgend.guarded_client import Resolve, guarded_client
from vidgend.http.webhook_call import TOTAL_TIMEOUT_S, Outcome, call_receiver
from vidgend.http.webhook_signing import Signer
from vidgend.observer import NOBODY, Observer
from vidgend.store.outbox import Delivery, Outbox
from vidgend.store.webhook_attempts import Attempt

_log = logging.getLogger(__name__)

MAX_AT_ONCE = 16
MAX_PER_HOST = 2
_LONGEST_WAIT_S = 60.0
"""The outbox is looked at so often even if nobody wakes us: wall-clock jumps must not keep an event back."""
_PASSING = (StorageFull, DatabaseUnavailable)
"""A full, busy or faltering disk: the daemon outlives it, and so does this."""


class WebhookSender:
    """Run `run()` as a task; set `wake` after an event was written. `resolve` and `clock` (seconds since the epoch)
    stand in for the name server and the wall clock in tests."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        signer: Signer,
        wake: asyncio.Event,
        allow_networks: Iterable[Network] = (),
        resolve: Resolve | None = None,
        clock: Callable[[], float] = time.time,
        observer: Observer = NOBODY,
    ) -> None:
        self._outbox = outbox
        self._signer = signer
        self._client = guarded_client(
            allow_networks, timeout_s=TOTAL_TIMEOUT_S, max_connections=MAX_AT_ONCE, resolve=resolve
        )
        self._clock = clock
        self._observer = observer
        self._woken = wake
        self._running: dict[str, str] = {}
        """Host by id of what is being delivered."""

    async def run(self) -> None:
        """Deliver until cancelled. What is interrupted stays in the outbox and is sent again."""
        async with self._client, asyncio.TaskGroup() as group:
            while True:
                self._woken.clear()
                due, wait_s = await self._due()
                for delivery in due:
                    self._running[delivery.id] = _host(delivery.url)
                    group.create_task(self._deliver(delivery), name=f"webhook {delivery.id}")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(_LONGEST_WAIT_S, wait_s if wait_s is not None else _LONGEST_WAIT_S)):
                        await self._woken.wait()

    async def _due(self) -> tuple[list[Delivery], float | None]:
        try:
            return await self._outbox.due(MAX_AT_ONCE - len(self._running), wanted=self._chooser())
        except _PASSING as error:
            _log.error("webhooks_wait", extra={"reason": str(error)})
            return [], None

    def _chooser(self) -> Callable[[str, str], bool]:
        """Picks what may start: each host has its own few places, so a slow one keeps nobody else waiting."""
        # As it is before the rows are read: one that ends meanwhile may still look due in what was read.
        running = frozenset(self._running)
        busy = Counter(self._running.values())

        def wanted(message_id: str, url: str) -> bool:
            host = _host(url)
            if message_id in running or busy[host] >= MAX_PER_HOST:
                return False
            busy[host] += 1
            return True

        return wanted

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            now_s = self._clock()
            outcome = await self._attempt(delivery, now_s)
            again = await self._record(delivery, outcome, now_s)
            told = "delivered" if not outcome.reason else "failed" if again else "given_up"
            self._observer.webhook_tried(told, outcome.duration_ms / 1000)
        except _PASSING:
            # The row stays due. Hold its place for a while, or it would be sent over and over.
            _log.error("webhook_not_recorded", extra={"webhook": delivery.id})
            await asyncio.sleep(_LONGEST_WAIT_S)
        finally:
            self._running.pop(delivery.id, None)
            self._woken.set()

    async def _record(self, delivery: Delivery, outcome: Outcome, at: float) -> bool:
        """Whether it will be tried again."""
        attempt = Attempt(at=at, status=outcome.status, duration_ms=outcome.duration_ms, error=outcome.reason or None)
        about = {
            "webhook": delivery.id,
            "job": delivery.job_id,
            "kind": delivery.event,
            "attempt": delivery.attempt + 1,
        }
        if not outcome.reason:
            await self._outbox.delivered(delivery, attempt)
            _log.info("webhook_delivered", extra=about)
            return False
        wait_s = await self._outbox.failed(
            delivery, outcome.reason, retry_after_s=outcome.retry_after_s, gone=outcome.gone, attempt=attempt
        )
        about |= {"reason": outcome.reason, "next_s": None if wait_s is None else round(wait_s)}
        _log.warning("webhook_failed" if wait_s is not None else "webhook_given_up", extra=about)
        return wait_s is not None

    async def _attempt(self, delivery: Delivery, now_s: float) -> Outcome:
        try:
            keys = await self._signer.keys(delivery.url, owner=delivery.owner, now_s=now_s)
        except SettingsInvalid as error:  # a secret that was written by another hand
            return Outcome(reason=error.detail)
        headers = keys.headers(delivery.id, int(now_s), delivery.body)
        return await call_receiver(self._client, delivery.url, body=delivery.body, headers=headers, now_s=now_s)


def _host(url: str) -> str:
    try:
        return httpx.URL(url).host
    except httpx.InvalidURL:
        return url
