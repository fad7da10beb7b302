"""One call of a webhook receiver: sent, judged by its status, and never looked at any further."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from vidgend import __version__
from vidgend.errors import TargetForbidden
from vidgend.pipeline.provider_http import retry_after_s

_log = logging.getLogger(__name__)

TOTAL_TIMEOUT_S = 15.0
_ANSWER_BYTES = 4096
_DRAIN_S = 1.0
_LONGEST_RETRY_AFTER_S = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a call came to. An empty `reason` is success; `gone` means: never again, and nothing else either;
    `forbidden`: nobody was called. `status` None: there was no answer."""

    reason: str = ""
    status: int | None = None
    duration_ms: int = 0
    retry_after_s: float = 0.0
    gone: bool = False
    forbidden: bool = False


async def call_receiver(
    client: httpx.AsyncClient, url: str, *, body: bytes, headers: Mapping[str, str], now_s: float
) -> Outcome:
    """`headers` are those of the signature; `now_s` is the time that `Retry-After` counts from. Raises nothing."""
    began_s = time.monotonic()
    outcome = await _outcome(client, url, body, headers, now_s)
    duration_ms = round((time.monotonic() - began_s) * 1000)
    return Outcome(**{**outcome.__dict__, "duration_ms": duration_ms})


async def _outcome(
    client: httpx.AsyncClient, url: str, body: bytes, headers: Mapping[str, str], now_s: float
) -> Outcome:
    try:
        async with asyncio.timeout(TOTAL_TIMEOUT_S):
            return await _post(client, url, body, headers, now_s)
    except TimeoutError:
        return Outcome(reason=f"no answer within {TOTAL_TIMEOUT_S:g} s")
    except TargetForbidden as error:
        return Outcome(reason=error.detail, forbidden=True)
    except httpx.TimeoutException:
        return Outcome(reason="no answer in time")
    except httpx.ConnectError as error:
        return Outcome(reason=f"no connection: {error}")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Outcome(reason=f"the request failed: {type(error).__name__}")
    except Exception as bug:  # noqa: BLE001  the boundary of a delivery: its row would stop every later start too
        _log.error("webhook_crashed", exc_info=bug, extra={"webhook": headers.get("webhook-id")})
        return Outcome(reason=f"a bug in vidgend: {type(bug).__name__}")


async def _post(client: httpx.AsyncClient, url: str, body: bytes, headers: Mapping[str, str], now_s: float) -> Outcome:
    sent = {
        "content-type": "application/json",
        "user-agent": f"vidgend/{__version__}",
        "accept-encoding": "identity",
        **headers,
    }
    request = client.build_request("POST", url, content=body, headers=sent)
    response = await client.send(request, stream=True, follow_redirects=False)
    try:
        outcome = _judge(response, now_s)
        await _drain(response)
        return outcome
    finally:
        await response.aclose()


def _judge(response: httpx.Response, now_s: float) -> Outcome:
    status = response.status_code
    if 200 <= status < 300:
        return Outcome(status=status)
    reason = f"HTTP {status}"
    if status == 410:
        return Outcome(reason=reason, status=status, gone=True)
    wait_s = retry_after_s(response.headers, now_s=now_s) if status in (429, 503) else None
    return Outcome(reason=reason, status=status, retry_after_s=min(wait_s or 0.0, _LONGEST_RETRY_AFTER_S))


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
