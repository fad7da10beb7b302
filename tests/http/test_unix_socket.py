"""Listening on a unix socket, on what systemd hands over, and on nothing."""

from __future__ import annotations

import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from standins.raw_http import GET, open_site
from standins.services_standin import World

from vidgend.errors import SettingsInvalid
from vidgend.http.app import make_app
from vidgend.http.connections import Limits
from vidgend.http.listeners import Listener, open_listeners, refuse_open


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "v.sock"


def listen(path: Path, mode: int = 0o600) -> Listener:
    return open_listeners(host="", port=0, unix_socket=path, unix_mode=mode)[0]


async def test_requests_come_in_by_a_file_that_is_gone_afterwards(world: World, path: Path) -> None:
    async with open_site(make_app(world.services), unix_socket=path) as site:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert site.listener.url("http") == f"unix://{path}"
        assert (await site.ask(GET)).status == 200
        assert (await site.ask(GET.replace(b"localhost", b"evil.example"))).status == 421
    assert not path.exists()


async def test_connections_by_file_are_bounded_only_in_all(world: World, path: Path) -> None:
    async with open_site(make_app(world.services), unix_socket=path, limits=Limits(total=20, per_address=2)) as site:
        wires = [await site.open() for _ in range(10)]
        assert [(await wire.ask(GET)).status for wire in wires] == [200] * 10


def test_the_mode_is_the_one_that_was_wished_for(path: Path) -> None:
    listener = listen(path, 0o660)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    listener.close()


def test_the_file_of_a_daemon_that_is_gone_is_replaced(path: Path) -> None:
    listen(path).socket.close()  # as a crash leaves it
    assert path.exists()
    listener = listen(path)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    listener.close()


def test_a_daemon_that_listens_there_is_not_pushed_out(path: Path) -> None:
    listener = listen(path)
    with pytest.raises(SettingsInvalid, match="another program"):
        listen(path)
    assert path.exists()
    listener.close()


def test_something_else_of_that_name_is_kept(path: Path) -> None:
    path.write_text("precious")
    with pytest.raises(SettingsInvalid, match="something else"):
        listen(path)
    assert path.read_text() == "precious"


def test_the_file_of_a_successor_is_left_alone(path: Path) -> None:
    listener = listen(path)
    path.unlink()
    successor = listen(path)
    listener.close()
    assert path.exists()
    successor.close()
    assert not path.exists()


@pytest.mark.parametrize("wrong", ["no/folder/v.sock", "x" * 120])
def test_a_place_that_does_not_work_is_told(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(SettingsInvalid, match="socket"):
        listen(tmp_path / wrong)


def test_to_listen_nowhere_is_a_mistake() -> None:
    with pytest.raises(SettingsInvalid, match=r"http\.unix_socket"):
        open_listeners(host="", port=0, unix_socket=None, unix_mode=0)


def test_tcp_and_a_file_can_be_had_together(path: Path) -> None:
    tcp, file = open_listeners(host="127.0.0.1", port=0, unix_socket=path, unix_mode=0o600)
    assert tcp.url("http") == f"http://127.0.0.1:{tcp.port}" and tcp.port and file.is_unix
    with pytest.raises(SettingsInvalid, match=f"port {tcp.port}"):
        open_listeners(host="127.0.0.1", port=tcp.port, unix_socket=path.with_name("w.sock"), unix_mode=0o600)
    assert not path.with_name("w.sock").exists()
    tcp.close()
    file.close()


@pytest.mark.parametrize(("mode", "refused"), [(0o600, False), (0o660, False), (0o666, True), (0o662, True)])
def test_a_file_that_everybody_may_open_needs_a_key(path: Path, mode: int, refused: bool) -> None:
    listener = listen(path, mode)
    refuse_open([listener], has_key=True)
    if refused:
        with pytest.raises(SettingsInvalid, match=r"every user.*there is no key"):
            refuse_open([listener], has_key=False)
    else:
        refuse_open([listener], has_key=False)
    listener.close()


@pytest.mark.parametrize(("host", "refused"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_an_address_that_others_reach_needs_a_key(host: str, refused: bool) -> None:
    listeners = open_listeners(host=host, port=0, unix_socket=None, unix_mode=0)
    refuse_open(listeners, has_key=True)
    if refused:
        with pytest.raises(SettingsInvalid, match="other machines"):
            refuse_open(listeners, has_key=False)
    else:
        refuse_open(listeners, has_key=False)
    listeners[0].close()


def test_to_let_every_page_in_needs_a_key(path: Path) -> None:
    listener = listen(path)
    refuse_open([listener], has_key=True, any_origin=True)
    with pytest.raises(SettingsInvalid, match=r"cors_origins.*there is no key"):
        refuse_open([listener], has_key=False, any_origin=True)
    listener.close()


TAKER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
from vidgend.errors import SettingsInvalid
from vidgend.http.connections import Limits
from vidgend.http.listeners import open_listeners
try:
    for one in open_listeners(host="127.0.0.1", port=1, unix_socket=None, unix_mode=0):
        print(one.url("http"), os.get_inheritable(one.socket.fileno()), os.environ.get("LISTEN_FDS"))
except SettingsInvalid as error:
    print(error)
"""


def take_over(sock: socket.socket) -> str:
    command = [sys.executable, "-c", TAKER, str(sock.fileno())]
    return subprocess.run(command, pass_fds=[sock.fileno()], capture_output=True, text=True, check=True).stdout


def test_what_systemd_hands_over_takes_the_place_of_the_settings() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        assert take_over(sock).split() == [f"http://127.0.0.1:{sock.getsockname()[1]}", "False", "None"]


def test_a_socket_that_nobody_can_connect_to_is_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        assert "no listening stream socket" in take_over(sock)
