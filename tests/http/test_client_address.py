from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from standins.services_standin import World

from vidgend.http.proxied import client_address

PROXIES = (ip_network("10.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # not a proxy of ours: what it says counts for nothing
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),  # the client's own claim is not believed
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("::1", "junk", "junk"),
        (None, "198.51.100.1", "unknown"),
        ("", None, "unix"),
        ("", "198.51.100.1, 10.0.0.2", "198.51.100.1"),  # a proxy that comes in by the unix socket
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4|198.51.100.1", "198.51.100.1"),  # the proxy added a header of its own
        ("10.0.0.1", "1.2.3.4, 198.51.100.1|10.0.0.2", "198.51.100.1"),
    ],
)
def test_a_forwarded_address_is_believed_only_from_trusted_proxies(
    peer: str | None, forwarded: str | None, client: str
) -> None:
    assert client_address(peer, forwarded.split("|") if forwarded else [], PROXIES) == client


async def test_every_forwarded_header_of_a_request_is_read(
    world: World, connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="vidgend")
    client = await connect(world.with_services(trusted_proxies=(ip_network("127.0.0.0/8"),)))
    claims = [("X-Forwarded-For", "1.2.3.4"), ("X-Forwarded-For", "198.51.100.1")]
    await client.get("/mcp/styles", headers=claims)
    assert [getattr(record, "client", None) for record in caplog.records] == ["198.51.100.1"]
