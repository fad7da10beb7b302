"""Who makes room for whom."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from vidgend.http.connections import LOCAL, Connections, Limits, counted_as


class Guest:
    def __init__(self, spare: int | None) -> None:
        self.spare = spare
        self.dropped = False

    def drop(self) -> None:
        self.dropped = True


def fill(connections: Connections, address: str, *spares: int | None) -> list[Guest]:
    guests = [Guest(spare) for spare in spares]
    assert all(connections.add(guest, address) for guest in guests)
    return guests


def dropped(guests: list[Guest]) -> list[int]:
    return [place for place, guest in enumerate(guests) if guest.dropped]


def test_the_oldest_that_never_asked_goes_first_then_the_oldest_that_rests() -> None:
    connections = Connections(Limits(total=100, per_address=5))
    guests = fill(connections, "10.0.0.1", 1, None, 0, 0, 1)
    for gone in ([2], [2, 3], [0, 2, 3], [0, 2, 3, 4]):
        assert connections.add(Guest(None), "10.0.0.1")
        assert dropped(guests) == gone
    assert not connections.add(Guest(None), "10.0.0.1")
    assert (connections.dropped, connections.refused, len(connections)) == (4, 1, 5)
    assert connections.add(Guest(None), "10.0.0.2")


def test_when_there_are_too_many_in_all_the_address_with_the_most_makes_room() -> None:
    connections = Connections(Limits(total=6, per_address=5))
    few, many = fill(connections, "10.0.0.1", 0, 0), fill(connections, "10.0.0.2", 1, 1, 1, 1)
    assert connections.add(Guest(0), "10.0.0.3")
    assert (dropped(few), dropped(many)) == ([], [0])
    for guest in many:
        guest.spare = None
    assert connections.add(Guest(0), "10.0.0.3")
    assert dropped(few) == [0]


def test_a_proxy_is_bounded_only_in_all_and_gives_way_last() -> None:
    connections = Connections(Limits(total=10, per_address=2), exempt=[ip_network("10.0.0.0/8")])
    proxied, local = fill(connections, "10.0.0.1", *[1] * 5), fill(connections, LOCAL, *[1] * 4)
    other = fill(connections, "192.0.2.1", 1)
    assert connections.add(Guest(None), "192.0.2.2")
    assert (dropped(proxied), dropped(local), dropped(other)) == ([], [], [0])
    assert connections.add(Guest(None), "192.0.2.2")
    assert dropped(proxied) == [0]


def test_in_a_flood_from_everywhere_no_more_is_looked_at_than_the_one_that_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connections = Connections(Limits(total=200, per_address=2), exempt=[ip_network("10.0.0.0/8")])
    guests = [fill(connections, f"192.0.2.{number}", 0)[0] for number in range(200)]
    looked_at: list[str] = []
    monkeypatch.setattr(connections, "_is_exempt", lambda address: looked_at.append(address))
    assert connections.add(Guest(0), "198.51.100.1")
    assert dropped(guests) == [0] and looked_at == ["192.0.2.0"]


def test_what_has_gone_is_forgotten_once() -> None:
    connections = Connections(Limits(total=3, per_address=3))
    guests = fill(connections, "10.0.0.1", None, None)
    for _ in range(2):
        connections.remove(guests[0], "10.0.0.1")
    assert len(connections) == 1
    connections.remove(guests[1], "10.0.0.1")
    assert len(connections) == 0 and connections.drop_one() is False
    assert not connections._by_address, "no address is kept of which there is nobody"


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        (("192.0.2.7", 4000), "192.0.2.7"),
        (("::ffff:192.0.2.7", 4000, 0, 0), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 4000, 0, 0), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 4000, 0, 2), "fe80::/64"),
        (("::1", 4000, 0, 0), "::1"),
        ("", LOCAL),
        (None, LOCAL),
    ],
)
def test_an_address_counts_as_what_its_owner_cannot_choose(peer: object, address: str) -> None:
    assert counted_as(peer) == address
