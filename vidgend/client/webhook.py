"""Telling whether a webhook came from one's own daemon, and just now: Standard Webhooks 1.0.0."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from vidgend.errors import WebhookInvalid

TOLERANCE_S = 300.0


def verify_webhook(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    tolerance_s: float = TOLERANCE_S,
    now_s: float | None = None,
) -> dict[str, Any]:
    """The event in `body`, which must be the bytes as they came. `headers` may have any case. An event may come twice:
    the header webhook-id tells. Raises: WebhookInvalid."""
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, told_s, signatures = (given[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError as error:
        raise WebhookInvalid(f"the header {error.args[0]} is missing") from None
    expected = hmac.new(
        _key(secret), f"{message_id}.{told_s}.".encode("utf-8", "surrogateescape") + body, hashlib.sha256
    ).digest()
    if not any(hmac.compare_digest(expected, one) for one in _signatures(signatures)):
        raise WebhookInvalid("no signature is made with this secret")
    # Signed, so it is a number that the daemon wrote.
    if abs((time.time() if now_s is None else now_s) - int(told_s)) > tolerance_s:
        raise WebhookInvalid("the webhook is too old, or from the future", hint="Set the clock of both machines.")
    event: dict[str, Any] = json.loads(body)
    return event


def _key(secret: str) -> bytes:
    """Raises: WebhookInvalid."""
    try:
        return base64.b64decode(secret.strip().removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise WebhookInvalid("the secret is none: it is whsec_ and base64") from None


def _signatures(header: str) -> Iterator[bytes]:
    """Those of version 1; a secret that is being changed makes two."""
    for one in header.split():
        version, _, text = one.partition(",")
        if version == "v1":
            try:
                yield base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                continue
