"""The real daemon over TLS and a unix socket."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import ssl
import stat
import sys
from pathlib import Path

import aiohttp
import pytest
import trustme
from daemon_process import Daemon

from vidgend.children import Child

pytestmark = pytest.mark.process


def issue(authority: trustme.CA, folder: Path) -> None:
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")


async def serial(url: str, context: ssl.SSLContext) -> str:
    host, port = re.fullmatch(r"https://(.+):(\d+)", url).groups()  # type: ignore[union-attr]
    _, writer = await asyncio.open_connection(host, int(port), ssl=context)
    found = str(writer.get_extra_info("peercert")["serialNumber"])
    writer.close()
    return found


async def command(daemon: Daemon, *words: str) -> str:
    """A command of the command line with the daemon's settings."""
    child = await Child.spawn(
        [sys.executable, "-m", "vidgend", *words], cwd=daemon.folder,
        env={"VIDGEND_DATA_DIR": str(daemon.data), **daemon.environ},
    )  # fmt: skip
    assert child.process.stdout is not None
    out = (await child.process.stdout.read()).decode()
    assert await child.wait() == 0, child.stderr_tail
    return out


async def test_tls_and_a_socket_at_once(tmp_path: Path) -> None:
    authority, socket_path = trustme.CA(), tmp_path / "v.sock"
    issue(authority, tmp_path)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    daemon = Daemon(
        folder=tmp_path,
        environ={
            "VIDGEND_HTTP__TLS_CERT": str(tmp_path / "cert.pem"), "VIDGEND_HTTP__TLS_KEY": str(tmp_path / "key.pem"),
            "VIDGEND_HTTP__UNIX_SOCKET": str(socket_path), "VIDGEND_HTTP__UNIX_SOCKET_MODE": "0660",
            "VIDGEND_HTTP__PUBLIC_URL": "https://localhost",
        },
    )  # fmt: skip
    await daemon.start()
    try:
        assert daemon.url.startswith("https://127.0.0.1:")
        assert stat.S_IMODE(socket_path.stat().st_mode) == 0o660
        async with aiohttp.ClientSession() as http, http.get(f"{daemon.url}/livez", ssl=context) as answer:
            assert answer.status == 200
            assert answer.headers["Strict-Transport-Security"]
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket_path))) as http,
            http.get("http://localhost/livez") as answer,
        ):
            assert answer.status == 200
            assert "Strict-Transport-Security" not in answer.headers
        daemon.environ["VIDGEND_HTTP__PORT"] = daemon.url.rpartition(":")[2]
        assert "paused" in await command(daemon, "queue", "--json")  # by the certificate in the settings
        assert "paused" in await command(daemon, "queue", "--json", "--url", f"unix://{socket_path}")
        first = await serial(daemon.url, context)
        issue(authority, tmp_path)
        os.kill(daemon.pid, signal.SIGHUP)
        async with asyncio.timeout(10):
            while await serial(daemon.url, context) == first:
                await asyncio.sleep(0.05)
    finally:
        assert await daemon.terminate() == 0
    assert not socket_path.exists()
