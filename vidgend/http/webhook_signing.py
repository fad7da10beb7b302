"""Signing webhooks as Standard Webhooks 1.0.0 has it, each endpoint with its own secret or with the one of all others.

Source of names and signature: the specification at standardwebhooks.com.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass

import httpx

from vidgend.errors import SettingsInvalid
from vidgend.store.reading import Reads
from vidgend.store.webhook_secrets import find_secret

_PREFIX = "whsec_"


def new_secret() -> str:
    """A fresh signing secret."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def secret_bytes(secret: str) -> bytes:
    """Raises: SettingsInvalid unless it is `whsec_` and the base64 of 24 to 64 bytes."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or not 24 <= len(key) <= 64:
        raise SettingsInvalid("webhooks.secret must be whsec_ followed by the base64 of 24 to 64 bytes")
    return key


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def endpoint_of(url: str) -> str:
    """What a secret belongs to: the address without query and fragment, which may differ from job to job; empty for
    what is no address."""
    try:
        parsed = httpx.URL(url)
        return str(parsed.copy_with(path=parsed.path or "/", query=None, fragment=None, userinfo=b""))
    except httpx.InvalidURL:
        return ""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What signs: the newest first. `own` tells whether the endpoint has a secret of its own."""

    keys: tuple[bytes, ...]
    own: bool

    def headers(self, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signature(key, message_id, timestamp, body) for key in self.keys),
        }


class Signer:
    """`secret` signs for the endpoints that have none of their own."""

    def __init__(self, database: Reads, secret: str) -> None:
        """Raises: SettingsInvalid for a secret that is none."""
        self._database = database
        self._default = secret_bytes(secret)

    async def keys(self, url: str, *, owner: str, now_s: float) -> Keys:
        """What signs for this URL now. Raises: DatabaseUnavailable."""
        found = await find_secret(self._database, owner=owner, endpoint=endpoint_of(url))
        if found is None:
            return Keys(keys=(self._default,), own=False)
        keys = [secret_bytes(found.secret)]
        if now_s < found.previous_until:
            keys.append(self._default if found.previous is None else secret_bytes(found.previous))
        return Keys(keys=tuple(keys), own=True)
