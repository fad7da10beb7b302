"""Moving a large file to and from a real S3 server: how fast, and in how much memory."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
import time
from collections.abc import Awaitable
from pathlib import Path

from tests.standins.s3_standin import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server, s3_server
from vidgend.store.assets.local_files import digest_of
from vidgend.store.assets.port import BlobStore
from vidgend.store.assets.select import select_blobs

FILE_BYTES = 500_000_000
BOUND_MB = 150


def _memory_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


class _Peak:
    """The most memory that this process has while something runs, looked at 200 times a second."""

    def __enter__(self) -> _Peak:
        self.mb = self._began_mb = _memory_mb()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory watch")
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._over.wait(0.005):
            self.mb = max(self.mb, _memory_mb())

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def growth_mb(self) -> float:
        return self.mb - self._began_mb


def _make(path: Path) -> str:
    piece = os.urandom(1_000_000)
    with path.open("w+b", buffering=0) as file:
        for number in range(FILE_BYTES // len(piece)):
            file.write(number.to_bytes(8) + piece[8:])
        return digest_of(file)


def _store(server: S3Server, root: Path) -> BlobStore:
    return select_blobs(
        f"s3://{BUCKET}/bench", root=root, endpoint=server.endpoint, access_key=ACCESS_KEY, secret_key=SECRET_KEY
    )


async def _measure(name: str, work: Awaitable[object]) -> None:
    began = time.perf_counter()
    with _Peak() as peak:
        await work
    seconds = time.perf_counter() - began
    print(
        f"s3: {name} {FILE_BYTES / 1e6:.0f} MB in {seconds:.1f} s, {FILE_BYTES / 1e6 / seconds:.0f} MB/s, "
        f"{peak.growth_mb:.0f} MB more memory (bound {BOUND_MB} MB)"
    )


async def _read(store: BlobStore, digest: str) -> None:
    async for _ in store.read(digest):
        pass


async def bench() -> None:
    with tempfile.TemporaryDirectory() as name, s3_server(Path(name)) as server:
        folder = Path(name)
        digest = await asyncio.to_thread(_make, folder / "made")
        here, elsewhere = _store(server, folder / "here"), _store(server, folder / "elsewhere")
        await here.prepare()
        await elsewhere.prepare()
        await _measure("put", here.put(folder / "made", digest))
        await _measure("read", _read(elsewhere, digest))
        await _measure("get, checked and synced,", elsewhere.local(digest))
        await here.aclose()
        await elsewhere.aclose()
