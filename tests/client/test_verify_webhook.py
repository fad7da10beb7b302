"""The receiver's side of webhooks, against what the daemon and the standard's own package sign."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook

from vidgend.client import verify_webhook
from vidgend.errors import WebhookInvalid
from vidgend.http.webhook_signing import new_secret, secret_bytes, signature

SECRET = new_secret()
BODY = json.dumps({"type": "job.completed", "data": {"job_id": "job_1", "title": "Säge"}}).encode()
NOW = 1_790_000_000
HEADERS = {
    "Webhook-Id": "msg_1",
    "Webhook-Timestamp": str(NOW),
    "Webhook-Signature": signature(secret_bytes(SECRET), "msg_1", NOW, BODY),
}


def test_what_the_daemon_signs_is_taken() -> None:
    assert verify_webhook(SECRET, HEADERS, BODY, now_s=NOW + 299) == json.loads(BODY)
    assert verify_webhook(SECRET, {name.upper(): value for name, value in HEADERS.items()}, BODY, now_s=NOW - 299)


def test_what_the_standards_own_package_signs_is_taken() -> None:
    signed = Webhook(SECRET).sign("msg_2", datetime.fromtimestamp(NOW, UTC), BODY.decode())
    headers = {"webhook-id": "msg_2", "webhook-timestamp": str(NOW), "webhook-signature": signed}
    assert verify_webhook(SECRET, headers, BODY, now_s=NOW)["type"] == "job.completed"


def test_one_good_signature_of_several_will_do() -> None:
    other = signature(secret_bytes(new_secret()), "msg_1", NOW, BODY)
    several = f"v1a,xyz {other} v1,### {HEADERS['Webhook-Signature']}"
    assert verify_webhook(SECRET, {**HEADERS, "Webhook-Signature": several}, BODY, now_s=NOW)


@pytest.mark.parametrize(
    ("changed", "body", "now_s", "why"),
    [
        ({}, BODY + b" ", NOW, "signature"),
        ({"Webhook-Id": "msg_2"}, BODY, NOW, "signature"),
        ({"Webhook-Timestamp": str(NOW + 1)}, BODY, NOW, "signature"),
        ({"Webhook-Timestamp": "soon\udc80"}, BODY, NOW, "signature"),
        ({"Webhook-Signature": ""}, BODY, NOW, "signature"),
        ({"Webhook-Signature": HEADERS["Webhook-Signature"].replace("v1,", "v2,")}, BODY, NOW, "signature"),
        ({}, BODY, NOW + 301, "too old"),
        ({}, BODY, NOW - 301, "from the future"),
    ],
)
def test_anything_else_is_refused(changed: dict[str, str], body: bytes, now_s: float, why: str) -> None:
    with pytest.raises(WebhookInvalid, match=why):
        verify_webhook(SECRET, {**HEADERS, **changed}, body, now_s=now_s)


def test_another_secret_and_missing_headers_are_refused() -> None:
    with pytest.raises(WebhookInvalid, match="signature"):
        verify_webhook(new_secret(), HEADERS, BODY, now_s=NOW)
    with pytest.raises(WebhookInvalid, match="secret"):
        verify_webhook("whsec_???", HEADERS, BODY, now_s=NOW)
    for missing in HEADERS:
        rest = {name: value for name, value in HEADERS.items() if name != missing}
        with pytest.raises(WebhookInvalid, match=missing.lower()):
            verify_webhook(SECRET, rest, BODY, now_s=NOW)


def test_the_clock_is_that_of_the_machine_unless_told() -> None:
    with pytest.raises(WebhookInvalid, match="too old"):
        verify_webhook(SECRET, {**HEADERS, **_signed_at(1000)}, BODY)


def _signed_at(timestamp: int) -> dict[str, str]:
    return {
        "Webhook-Timestamp": str(timestamp),
        "Webhook-Signature": signature(secret_bytes(SECRET), "msg_1", timestamp, BODY),
    }
