"""Delivers the outbox to callback URLs, signed as Standard Webhooks 1.0.0 has it, at least once.

Source of names and signature: the specification at standardwebhooks.com.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hashlib
import hmac
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import httpx

from vidgend import __version__
from vidgend.egress import Network
from vidgend.errors import DatabaseUnavailable, SettingsInvalid, StorageFull, TargetForbidden
from vidgend.guarded_client import Resolve, guarded_client
from vidgend.observer import NOBODY, Observer
from vidgend.pipeline.provider_http import retry_after_s
from vidgend.store.outbox import Delivery, Outbox

_log = logging.getLogger(__name__)

TOTAL_TIMEOUT_S = 15.0
MAX_AT_ONCE = 16
MAX_PER_HOST = 2
_ANSWER_BYTES = 4096
_DRAIN_S = 1.0
_LONGEST_WAIT_S = 60.0
"""The outbox is looked at so often even if nobody wakes us: wall-clock jumps must not keep an event back."""
_LONGEST_RETRY_AFTER_S = 86_400.0
_SECRET_PREFIX = "whsec_"
_PASSING = (StorageFull, DatabaseUnavailable)
"""A full, busy or faltering disk: the daemon outlives it, and so does this."""


def new_secret() -> str:
    """A fresh signing secret."""
    return _SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def secret_bytes(secret: str) -> bytes:
    """Raises: SettingsInvalid unless it is `whsec_` and the base64 of 24 to 64 bytes."""
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_SECRET_PREFIX) or not 24 <= len(key) <= 64:
        raise SettingsInvalid("webhooks.secret must be whsec_ followed by the base64 of 24 to 64 bytes")
    return key


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What an attempt came to. An empty `reason` is success; `gone` means: never again, and nothing else either."""

    reason: str = ""
    retry_after_s: float = 0.0
    gone: bool = False


class WebhookSender:
    """Run `run()` as a task; set `wake` after an event was written. `secret` is `whsec_...`; `resolve` and `clock`
    (seconds since the epoch) stand in for the name server and the wall clock in tests."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        secret: str,
        wake: asyncio.Event,
        allow_networks: Iterable[Network] = (),
        resolve: Resolve | None = None,
        clock: Callable[[], float] = time.time,
        observer: Observer = NOBODY,
    ) -> None:
        """Raises: SettingsInvalid for a secret that is none."""
        self._outbox = outbox
        self._key = secret_bytes(secret)
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
            began = time.monotonic()
            outcome = await self._attempt(delivery)
            seconds = time.monotonic() - began
            again = await self._record(delivery, outcome)
            told = "delivered" if not outcome.reason else "failed" if again else "given_up"
            self._observer.webhook_tried(told, seconds)
        except _PASSING:
            # The row stays due. Hold its place for a while, or it would be sent over and over.
            _log.error("webhook_not_recorded", extra={"webhook": delivery.id})
            await asyncio.sleep(_LONGEST_WAIT_S)
        finally:
            self._running.pop(delivery.id, None)
            self._woken.set()

    async def _record(self, delivery: Delivery, outcome: _Outcome) -> bool:
        """Whether it will be tried again."""
        about = {
            "webhook": delivery.id,
            "job": delivery.job_id,
            "kind": delivery.event,
            "attempt": delivery.attempt + 1,
        }
        if not outcome.reason:
            await self._outbox.delivered(delivery)
            _log.info("webhook_delivered", extra=about)
            return False
        wait_s = await self._outbox.failed(
            delivery, outcome.reason, retry_after_s=outcome.retry_after_s, gone=outcome.gone
        )
        about |= {"reason": outcome.reason, "next_s": None if wait_s is None else round(wait_s)}
        _log.warning("webhook_failed" if wait_s is not None else "webhook_given_up", extra=about)
        return wait_s is not None

    async def _attempt(self, delivery: Delivery) -> _Outcome:
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT_S):
                return await self._post(delivery)
        except TimeoutError:
            return _Outcome(reason=f"no answer within {TOTAL_TIMEOUT_S:g} s")
        except TargetForbidden as error:
            return _Outcome(reason=error.detail)
        except httpx.TimeoutException:
            return _Outcome(reason="no answer in time")
        except httpx.ConnectError as error:
            return _Outcome(reason=f"no connection: {error}")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _Outcome(reason=f"the request failed: {type(error).__name__}")
        except Exception as bug:  # noqa: BLE001  the boundary of a delivery: its row would stop every later start too
            _log.error("webhook_crashed", exc_info=bug, extra={"webhook": delivery.id})
            return _Outcome(reason=f"a bug in vidgend: {type(bug).__name__}")

    async def _post(self, delivery: Delivery) -> _Outcome:
        now_s = self._clock()
        timestamp = int(now_s)
        headers = {
            "content-type": "application/json",
            "user-agent": f"vidgend/{__version__}",
            "accept-encoding": "identity",
            "webhook-id": delivery.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self._key, delivery.id, timestamp, delivery.body),
        }
        request = self._client.build_request("POST", delivery.url, content=delivery.body, headers=headers)
        response = await self._client.send(request, stream=True, follow_redirects=False)
        try:
            outcome = self._judge(response, now_s)
            await _drain(response)
            return outcome
        finally:
            await response.aclose()

    def _judge(self, response: httpx.Response, now_s: float) -> _Outcome:
        status = response.status_code
        if 200 <= status < 300:
            return _Outcome()
        reason = f"HTTP {status}"
        if status == 410:
            return _Outcome(reason=reason, gone=True)
        wait_s = retry_after_s(response.headers, now_s=now_s) if status in (429, 503) else None
        return _Outcome(reason=reason, retry_after_s=min(wait_s or 0.0, _LONGEST_RETRY_AFTER_S))


async def _drain(response: httpx.Response) -> None:
    """Read a little of the answer so that the receiver's write does not fail. Nobody looks at it: the status counts,
    and an answer that drips or breaks off after it changes nothing."""
    size = 0
    with contextlib.suppress(httpx.HTTPError, TimeoutError):
        async with asyncio.timeout(_DRAIN_S):
            async for part in response.aiter_raw(_ANSWER_BYTES):
                size += len(part)
                if size >= _ANSWER_BYTES:
                    return


def _host(url: str) -> str:
    try:
        return httpx.URL(url).host
    except httpx.InvalidURL:
        return url
