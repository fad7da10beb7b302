"""A real S3 server (nanio) in a child process. Buckets are folders and objects are files, so tests can look and spoil."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ACCESS_KEY = "vidgend-test"
SECRET_KEY = "a-secret-that-must-never-be-seen"
BUCKET = "videos"
_START_S = 30.0


@dataclass(frozen=True, kw_only=True)
class S3Server:
    endpoint: str
    data: Path

    def object(self, key: str) -> Path:
        """The file that holds an object."""
        return self.data / BUCKET / key

    def unfinished(self) -> list[Path]:
        """Parts of uploads that are neither complete nor aborted."""
        return [path for path in (self.data / ".nanio" / "multipart").rglob("*") if path.is_file()]


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """With the bucket `videos` in it. Skips the test where the packages for it are missing."""
    for name in ("obstore", "nanio"):
        pytest.importorskip(name)
    (folder / "data" / BUCKET).mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "nanio", "serve", "--data-dir", str(folder / "data"),
        "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning", "--no-access-log",
    ]  # fmt: skip
    environ = {**os.environ, "NANIO_ACCESS_KEY": ACCESS_KEY, "NANIO_SECRET_KEY": SECRET_KEY}
    with (folder / "nanio.log").open("wb") as log:
        server = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    try:
        _wait_for(port, server, folder / "nanio.log")
        yield S3Server(endpoint=f"http://127.0.0.1:{port}", data=folder / "data")
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return
