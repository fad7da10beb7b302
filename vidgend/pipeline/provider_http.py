"""What every adapter of a web service needs: bounded answers, retries that stop, errors without keys or addresses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx
import stamina

from vidgend.errors import (
    ProviderError,
    ProviderGarbage,
    ProviderRateLimited,
    ProviderUnauthorized,
)

Answer = TypeVar("Answer")
Clock = Callable[[], float]
"""Seconds now, by a clock that the constructor's caller chose."""
ATTEMPTS = 3
MAX_ANSWER_BYTES = 8 * 1024 * 1024
DEFAULT_RETRY_AFTER_S = 60.0
LONGEST_RETRY_AFTER_S = 32 * 86_400.0
"""A month and a bit: the longest quota window in use."""


class Transient(Exception):
    """Inside an adapter only: an answer that another try may better. Carries the error to raise if none does."""

    def __init__(self, error: ProviderError, *, wait_s: float | None = None) -> None:
        super().__init__(error.detail)
        self.error = error
        self.wait_s = wait_s


async def read_answer(response: httpx.Response, *, name: str, max_bytes: int = MAX_ANSWER_BYTES) -> bytes:
    """The body of a streamed response. Raises: ProviderGarbage when it is longer than `max_bytes`."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > max_bytes:
            raise ProviderGarbage(f"{name} sent more than {max_bytes} bytes")
    return bytes(body)


def retry_after_s(headers: Mapping[str, str], *, now_s: float) -> float | None:
    """Seconds that `Retry-After` asks for (a number or a date), never negative; None if it says nothing usable."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            when = parsedate_to_datetime(value)
        except ValueError:
            return None
        if when.tzinfo is None:
            when = when.replace(tzinfo=dt.UTC)
        seconds = when.timestamp() - now_s
    if seconds != seconds:
        return None
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER_S)


def status_error(status: int, *, name: str, wait_s: float | None = None) -> ProviderError:
    """The error for an HTTP status that is not a success. `wait_s` is what the provider asked for, if it did."""
    if status in (401, 403):
        return ProviderUnauthorized(f"{name} refused the key (HTTP {status})")
    if status == 429:
        return ProviderRateLimited(
            f"{name} says that its quota is used up",
            retry_after_s=DEFAULT_RETRY_AFTER_S if wait_s is None else wait_s,
        )
    error = ProviderError(f"{name} answered HTTP {status}")
    if 400 <= status < 500 and status not in (408, 409, 425):  # the same request will not get another answer
        error.retryable, error.max_retries = False, 0
    return error


def transport_error(error: httpx.HTTPError | httpx.InvalidURL, *, name: str) -> ProviderError:
    """The error for a request that got no answer. httpx's own text may hold the address and is left out."""
    if isinstance(error, httpx.TimeoutException):
        return ProviderError(f"{name} did not answer in time")
    if isinstance(error, httpx.ConnectError):
        return ProviderError(f"no connection to {name}")
    return ProviderError(f"the connection to {name} broke off")


def refusal(response: httpx.Response, *, name: str, now_s: float, timeout_s: float) -> ProviderError | Transient:
    """What to raise for an answer that is not a success, where a server that is busy may be asked again as long as it
    names no time beyond `timeout_s`."""
    wait_s = retry_after_s(response.headers, now_s=now_s)
    error = status_error(response.status_code, name=name, wait_s=wait_s)
    busy = response.status_code == 429 or response.status_code >= 500
    return Transient(error, wait_s=wait_s) if busy and (wait_s is None or wait_s < timeout_s) else error


async def persevere(one_try: Callable[[], Awaitable[Answer]], *, timeout_s: float, wait_s: float) -> Answer:
    """What `one_try` returns; while it raises `Transient` it is called again, ATTEMPTS times in all. `wait_s` is the
    first pause, then doubled; a time that the provider names replaces it. Raises: the error of the last `Transient`.
    """
    attempts = stamina.retry_context(
        on=_pause,
        attempts=ATTEMPTS,
        timeout=timeout_s,
        wait_initial=wait_s,
        wait_jitter=wait_s,
        wait_max=10 * wait_s,
    )
    try:
        async for attempt in attempts:
            with attempt:
                return await one_try()
    except Transient as last:
        raise last.error from None
    raise AssertionError("unreachable")


def _pause(error: Exception) -> bool | float:
    if not isinstance(error, Transient):
        return False
    return True if error.wait_s is None else error.wait_s
