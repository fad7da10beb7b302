"""One S3 bucket, through obstore: every call bounded in time, every failure one of our own errors.

What obstore does by itself and what it does not (tried with 0.12.1):
- It reads AWS_* variables behind the caller's back. Keys that are given come from a credential provider, which beats
  them all (a stray AWS_SESSION_TOKEN too) and never asks a metadata service.
- A multipart upload whose source raises is aborted; one whose future is cancelled leaves its parts in the bucket for
  good. So an upload that nobody wants any more is ended from its source.
- Its timeout is for a whole request with its body. Reads are therefore ranges, never one endless stream.
- Create-if-absent is ignored by some servers and unknown to others. Nothing here is built on it.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from vidgend.errors import NotFound, StorageFull, StorageRefused, StorageUnavailable, VidgendError
from vidgend.redaction import without_password
from vidgend.store.assets.local_files import Stopped
from vidgend.store.assets.meter import Meter
from vidgend.store.assets.to_the_end import to_the_end

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from obstore import Attributes
    from obstore.store import S3Config, S3Credential

T = TypeVar("T")

PART_BYTES = 8 * 1024 * 1024
"""Of an upload. At most UPLOADS of them are in memory per upload."""
UPLOADS = 4
MAX_PARTS = 9000  # S3 takes 10 000
RANGE_BYTES = 4 * 1024 * 1024
CALL_S = 30.0
"""For a call without a body worth speaking of, retries included."""
RANGE_S = 90.0
ABORT_S = 15.0
"""How long an upload that is no longer wanted may take to clean up after itself."""
MAX_LINK_S = 7 * 24 * 3600.0  # S3 signs no longer ones
_FULL = ("QuotaExceeded", "InsufficientStorage", "StorageFull", "code: 507")
_REFUSED = re.compile(r"status code: 40[13]\b")
_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")


class S3Client:
    def __init__(
        self, *, bucket: str, endpoint: str, region: str, access_key: str, secret_key: str, meter: Meter | None = None
    ) -> None:
        """`meter` counts what is sent and received."""
        self.bucket = bucket
        self._meter = meter or Meter()
        self._where = without_password(endpoint) or f"Amazon S3 ({region})"

        def keys() -> S3Credential:
            return {"access_key_id": access_key, "secret_access_key": secret_key, "token": None, "expires_at": None}

        own: S3Config = {"endpoint": endpoint, "aws_endpoint_url_s3": endpoint} if endpoint else {}
        self._store = S3Store(
            bucket,
            config=own,
            region=region,
            virtual_hosted_style_request=not endpoint,
            skip_signature=False,
            disable_bulk_delete=True,  # not every server has it
            credential_provider=keys if access_key else None,
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": "5s",
                "read_timeout": "120s",
                "timeout": "300s",
            },
            retry_config={
                "max_retries": 3,
                "retry_timeout": timedelta(seconds=60),
                "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=5)},
            },
        )

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            raise StorageUnavailable(f"{self._where} did not answer in time") from None
        except (FileNotFoundError, BaseError) as error:
            raise self._translated(error) from None

    def _translated(self, error: Exception) -> VidgendError:
        """The text is looked at too: a refused listing comes as a GenericError."""
        told = str(error)
        found = _CODE.search(told)
        code = f" ({found[1]})" if found else ""
        # Only what obstore says itself: the server's own words may repeat parts of the signature.
        first = told.partition("\n")[0].partition("<")[0]
        if "NoSuchBucket" in code:
            hint = "Make the bucket, or mend assets.url."
            return StorageUnavailable(f"{self._where} has no bucket {self.bucket!r}", hint=hint)
        if isinstance(error, FileNotFoundError):
            return NotFound("no such object in the S3 store")
        if isinstance(error, (PermissionDeniedError, UnauthenticatedError)) or _REFUSED.search(first):
            return StorageRefused(f"{self._where} refused the key{code}")
        if any(word in code or word in first for word in _FULL):
            return StorageFull(f"{self._where} is full", hint="Give the bucket more room.")
        return StorageUnavailable(f"{self._where} failed{code}: {first.rpartition(' - ')[2].strip(' :')[:200]}")

    async def _call(self, call: Awaitable[T], limit_s: float | None = None) -> T:
        with self._named_errors():
            async with asyncio.timeout(limit_s or CALL_S):
                return await call

    async def size_bytes(self, key: str) -> int:
        """Raises: NotFound, StorageUnavailable."""
        return (await self._call(obstore.head_async(self._store, key)))["size"]

    async def upload(self, key: str, path: Path, attributes: Mapping[str, str] | None = None) -> None:
        """The object is there whole when this returns, and not at all if it raises."""
        stop = asyncio.Event()
        work = self._upload(key, path, cast("Attributes | None", attributes), stop)
        await to_the_end(work, on_cancel=stop.set, patience_s=ABORT_S)

    async def _upload(self, key: str, path: Path, attributes: Attributes | None, stop: asyncio.Event) -> None:
        with await asyncio.to_thread(path.open, "rb", buffering=0) as file, self._named_errors():
            size_bytes = path.stat().st_size
            if size_bytes <= PART_BYTES:
                body = await asyncio.to_thread(file.read)
                await obstore.put_async(self._store, key, body, attributes=attributes, use_multipart=False)
                self._meter.add(size_bytes)
                return
            part_bytes = max(PART_BYTES, -(-size_bytes // MAX_PARTS))
            await obstore.put_async(
                self._store,
                key,
                self._parts(file, part_bytes, stop),
                attributes=attributes,
                chunk_size=part_bytes,
                max_concurrency=UPLOADS,
            )

    async def _parts(self, file: FileIO, part_bytes: int, stop: asyncio.Event) -> AsyncIterator[bytes]:
        while piece := await asyncio.to_thread(file.read, part_bytes):
            if stop.is_set():
                raise Stopped  # obstore then aborts the upload
            yield piece
            self._meter.add(len(piece))  # it is asked for more when there is room: a part was sent

    async def read(self, key: str, first: int, end: int, *, ahead: int) -> AsyncGenerator[memoryview, None]:
        """The bytes from `first` to before `end`, in order; up to `ahead` ranges are on their way meanwhile."""
        coming: deque[asyncio.Task[memoryview]] = deque()
        try:
            while first < end or coming:
                while first < end and len(coming) <= ahead:
                    count = min(RANGE_BYTES, end - first)
                    coming.append(asyncio.create_task(self._range(key, first, count), name="S3 range"))
                    first += count
                yield await coming.popleft()
        finally:
            for task in coming:
                task.cancel()
            await asyncio.gather(*coming, return_exceptions=True)

    async def _range(self, key: str, first: int, count: int) -> memoryview:
        found = await self._call(obstore.get_range_async(self._store, key, start=first, length=count), RANGE_S)
        piece = memoryview(found)
        if len(piece) != count:
            raise StorageUnavailable(f"{self._where} gave {len(piece)} bytes instead of {count}")
        self._meter.add(count)
        return piece

    async def delete(self, key: str) -> None:
        with suppress(NotFound):
            await self._call(obstore.delete_async(self._store, key))

    async def walk(self, prefix: str) -> AsyncIterator[tuple[str, int]]:
        """(key, size in bytes) of every object under `prefix`, a page at a time."""
        pages = obstore.list(self._store, prefix=prefix or None, chunk_size=1000)
        while True:
            try:
                page = await self._call(pages.__anext__())
            except StopAsyncIteration:
                return
            for found in page:
                yield found["path"], found["size"]

    async def folders(self, prefix: str) -> list[str]:
        """What lies directly under `prefix` and has something under it."""
        found = await self._call(obstore.list_with_delimiter_async(self._store, prefix or None), 4 * CALL_S)
        return [path.rstrip("/") for path in found["common_prefixes"]]

    async def sign(self, key: str, life_s: float) -> str:
        life = timedelta(seconds=int(min(life_s, MAX_LINK_S)))
        return await self._call(obstore.sign_async(self._store, "GET", key, life))
