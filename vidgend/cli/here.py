"""The whole job in this process: the daemon's store and worker, without its server."""

from __future__ import annotations

import asyncio
import errno
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from vidgend.cli.exits import Interrupted
from vidgend.cli.progress import Reporter, View
from vidgend.cli.target import SUFFIXES, Target, copier
from vidgend.client.problems import error_of
from vidgend.errors import BadInput, DatabaseUnavailable, SettingsInvalid, StepError
from vidgend.logs import set_up_logging
from vidgend.models import Result

if TYPE_CHECKING:
    from vidgend.cli.own_files import OwnFiles
    from vidgend.http.wire import GenerateBody
    from vidgend.runtime import Runtime
    from vidgend.settings import Settings
    from vidgend.store.jobs import Job
    from vidgend.store.uploads import Upload

T = TypeVar("T")
POLL_S = 0.25
_PIECE_BYTES = 1024 * 1024
_UNUSABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENOENT)


def make_here(
    settings: Settings, body: GenerateBody, files: OwnFiles, target: Target, reporter: Reporter, *, verbose: bool
) -> tuple[dict[str, Any], dict[str, Path]]:
    """The result, in the form of GET /mcp/result, and the written files by role.

    Raises: DataDirLocked, what the job fails with, Interrupted (the job is then cancelled and its children dead).
    """
    return _run(settings, _make(settings, body, files, target, reporter), verbose=verbose)


def prefetch_here(
    settings: Settings, body: GenerateBody, files: OwnFiles, reporter: Reporter, *, verbose: bool
) -> dict[str, Any]:
    """The clips that the video would show, in the form of GET /mcp/result. Raises: as `make_here`."""
    return _run(settings, _prefetch(settings, body, files, reporter), verbose=verbose)


def _run(settings: Settings, work: Coroutine[Any, Any, T], *, verbose: bool) -> T:
    set_up_logging("info" if verbose else "error", "text", settings.redactor())
    try:
        return asyncio.run(work)
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise Interrupted("interrupted; the job is cancelled") from None


def with_runtime(settings: Settings, act: Callable[[Runtime], Awaitable[T]]) -> T:
    """Do something with the store of `data_dir` that no daemon uses. Raises: DataDirLocked and what `act` raises."""

    async def run() -> T:
        from vidgend.runtime import Runtime

        async with AsyncExitStack() as stack:
            with data_dir_errors(settings):
                runtime = await stack.enter_async_context(Runtime.open(settings, only_own=True))
            return await act(runtime)

    set_up_logging("error", "text", settings.redactor())
    try:
        return asyncio.run(run())
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise Interrupted("interrupted") from None


@contextmanager
def data_dir_errors(settings: Settings) -> Iterator[None]:
    """A data directory that cannot be used is a matter of the settings. Raises: SettingsInvalid."""
    try:
        yield
    except OSError as error:
        place = Path(str(error.filename or ""))
        folders = (settings.data_dir, settings.assets_dir)
        ours = any(folder.is_relative_to(place) or place.is_relative_to(folder) for folder in folders)
        if error.errno not in _UNUSABLE or not (ours and error.filename):
            raise
        reason = f"{(error.strerror or str(error)).lower()}: {error.filename}"
    except (sqlite3.DatabaseError, DatabaseUnavailable) as error:
        reason = f"the database cannot be opened: {error}"
    else:
        return
    raise SettingsInvalid(f"data_dir {settings.data_dir}: {reason}", hint="`vidgend doctor` looks at data_dir.")


async def _make(
    settings: Settings, body: GenerateBody, files: OwnFiles, target: Target, reporter: Reporter
) -> tuple[dict[str, Any], dict[str, Path]]:
    async with _opened(settings, files) as runtime:
        job_id = await runtime.submit_generate(body)
        result = await _ended(runtime, job_id, reporter)
        assert isinstance(result, Result)
        fetch = {
            role: copier(await runtime.assets.local(file.digest))
            for role, file in result.files.items()
            if role.partition(":")[0] in SUFFIXES
        }
        target = target.with_outputs(output.name for output in result.outputs[1:])
        written = await asyncio.to_thread(target.write, fetch)
        return _shown(job_id, result), written


async def _prefetch(settings: Settings, body: GenerateBody, files: OwnFiles, reporter: Reporter) -> dict[str, Any]:
    from vidgend.http.wire import PrefetchBody

    async with _opened(settings, files) as runtime:
        job_id = await runtime.submit_prefetch(PrefetchBody(video=body))
        found = await _ended(runtime, job_id, reporter)
        assert isinstance(found, dict)
        return {"job_id": job_id, **found}


@asynccontextmanager
async def _opened(settings: Settings, files: OwnFiles) -> AsyncIterator[Runtime]:
    """A runtime that a signal stops, with the files of the request in its store."""
    from vidgend.runtime import Runtime

    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    async with AsyncExitStack() as stack:
        with data_dir_errors(settings):
            runtime = await stack.enter_async_context(Runtime.open(settings, only_own=True))
        known = await runtime.uploads.find(files.paths, owner="")
        for digest, path in files.paths.items():
            if digest not in known and (await take_file(runtime, path))[0].digest != digest:
                raise BadInput(f"{path} was changed while it was read")
        yield runtime


async def _ended(runtime: Runtime, job_id: str, reporter: Reporter) -> Result | dict[str, Any]:
    """What the job gave. Raises: what it failed with."""
    try:
        job = await _follow(runtime, job_id, reporter)
    except asyncio.CancelledError:
        await asyncio.shield(runtime.worker.cancel(job_id))
        raise
    if job.state == "cancelled":
        raise StepError("the job was cancelled")
    if job.result is None:
        failure = job.error
        assert failure is not None
        raise error_of(failure.code, failure.detail, hint=failure.hint, tail=failure.tail, otherwise=StepError)
    return job.result


async def take_file(runtime: Runtime, path: Path) -> tuple[Upload, bool]:
    """Take a file of this machine into the store. Raises: BadInput and its kin, StorageFull, OSError."""

    async def pieces() -> AsyncIterator[bytes]:
        with path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
                yield piece

    return await runtime.intake.take(pieces(), name=path.name, expected_bytes=path.stat().st_size, owner="")


async def _follow(runtime: Runtime, job_id: str, reporter: Reporter) -> Job:
    while not (job := await runtime.jobs.get(job_id)).ended:
        progress = runtime.worker.progress(job_id)
        if progress is None:
            held = f"waiting for another try: {job.error.detail}" if not job.ready and job.error else ""
            reporter.show(View(state=job.state, percent=job.progress, waits_for=held))
        else:
            reporter.show(
                View(
                    state=progress.state,
                    percent=progress.percent,
                    scenes_done=progress.scenes_done,
                    scenes_total=progress.scenes_total,
                    eta_s=progress.eta_s(),
                    rendering=tuple(
                        (one.scene, one.percent) for one in progress.segments() if one.state == "rendering"
                    ),
                )
            )
        await asyncio.sleep(POLL_S)
    return job


def _shown(job_id: str, result: Result) -> dict[str, Any]:
    """The fields of GET /mcp/result that mean something without a server."""
    from pydantic import TypeAdapter

    plain = TypeAdapter(Result).dump_python(result, mode="json")
    video = result.files["video"]
    return {
        "job_id": job_id,
        "status": "completed",
        "storage_uri": video.uri,
        "duration": result.duration_s,
        "width": result.width_px,
        "height": result.height_px,
        "size_bytes": video.size_bytes,
        "sha256": video.digest,
        "credits": plain["credits"],
        "degraded": plain["degraded"],
        "timings": plain["timings"],
        "report": plain["report"],
    }
