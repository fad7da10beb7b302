"""The calls of the API, one method each."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, cast
from urllib.parse import quote

from vidgend.client import following
from vidgend.client.daemon import CALL_TIMEOUT_S, Daemon
from vidgend.client.event_stream import AT_REST, StreamEvent
from vidgend.client.following import follow_events
from vidgend.client.problems import raise_failure
from vidgend.client.retries import Patience, passing, patiently
from vidgend.errors import AssetDamaged, NotFound, VidgendError

if TYPE_CHECKING:
    from ssl import SSLContext

    from vidgend.client.types import (
        Accepted,
        Cancelled,
        GenerateBody,
        Jobs,
        PatchBody,
        PrefetchBody,
        Queue,
        Render,
        RenderBody,
        Result,
        Status,
        Storyboard,
        Styles,
        Summary,
        Upload,
        Uploads,
        Usage,
        Versions,
        Voices,
    )

POLL_S = 0.5
_T = TypeVar("_T")
Job = str | Mapping[str, Any]
"""A job's id, or any answer that has it as `job_id`."""


class Vidgend:
    """The daemon at `url`. Every call raises DaemonUnreachable, or the error of vidgend.errors that the daemon named by
    its code. Calls that may be made twice without harm are, see Patience; jobs are handed in under a key, so that one
    whose answer got lost is not made twice."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        *,
        api_key: str = "",
        timeout_s: float = CALL_TIMEOUT_S,
        patience: Patience | None = None,
        tls: SSLContext | None = None,
    ) -> None:
        """`tls` says which certificates are trusted where `url` is https and the daemon's is its own. Raises: BadInput
        for a `url` that is none."""
        self.daemon = Daemon(url, api_key=api_key, timeout_s=timeout_s, tls=tls)
        """For what has no method here."""
        self._patience = patience or Patience()

    def generate(self, *, idempotency_key: str | None = None, **request: Unpack[GenerateBody]) -> Accepted:
        """Hand in a video. With the same key and request the answer is always the same job."""
        return cast("Accepted", self._submit("/mcp/generate", request, idempotency_key))

    def prefetch(self, *, idempotency_key: str | None = None, **request: Unpack[PrefetchBody]) -> Accepted:
        """Fetch footage ahead of time; a job as well."""
        return cast("Accepted", self._submit("/mcp/prefetch", request, idempotency_key))

    def status(self, job: Job) -> Status:
        return cast("Status", self._get(_at("/mcp/status/{}", job)))

    def wait(
        self, job: Job, *, on_progress: Callable[[Status], None] | None = None, timeout_s: float | None = None
    ) -> Status:
        """The last status of a job, once it is completed or awaits its review. `on_progress` gets every status.

        Raises: what the job failed with, StepError if it was cancelled, TimeoutError after `timeout_s`.
        """
        began = away_since = time.monotonic()
        while True:
            try:
                status = self.status(job)
            except VidgendError as error:
                if not passing(error) or time.monotonic() - away_since > following.AWAY_S:
                    raise
            else:
                away_since = time.monotonic()
                if on_progress is not None:
                    on_progress(status)
                if status["status"] in AT_REST:
                    raise_failure(status)
                    return status
            if timeout_s is not None and time.monotonic() - began > timeout_s:
                raise TimeoutError(f"{_id(job)} is not done after {timeout_s:g} s")
            time.sleep(POLL_S)

    def events(self, job: Job | None = None, *, last_id: str = "") -> Iterator[StreamEvent]:
        """What happens to a job until it has come to rest, or to all jobs without an end, as it happens. After a break
        the stream is asked for again, so nothing is missed; `last_id` goes on after an event of an earlier time.

        Raises: DaemonUnreachable after AWAY_S, NoEvents where no stream gets through.
        """
        job_id = None if job is None else _id(job)
        return follow_events(self.daemon, job_id, last_id=last_id, state_of=lambda one: self.status(one)["status"])

    def result(self, job: Job) -> Result:
        """Raises: JobNotFinished, JobEnded, ResultExpired."""
        return cast("Result", self._get(_at("/mcp/result/{}", job)))

    def download(
        self,
        result: Result,
        path: str | PathLike[str],
        *,
        role: str = "video",
        on_bytes: Callable[[int], None] | None = None,
    ) -> Path:
        """Write a file of a result to `path`, or into it if it is a folder, and return where it is now. What is not
        whole is not left there. `role` is one of `result["files"]`; `on_bytes` is told how much is there.

        Raises: NotFound for a role that the result does not have, AssetDamaged, OSError.
        """
        file = result.get("files", {}).get(role)
        if file is None or file["url"] is None:
            raise NotFound(f"the result has no {role}")
        target = Path(path)
        if target.is_dir():
            target /= Path(file["name"]).name
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        url = file["url"]
        try:
            patiently(lambda: self.daemon.download(url, part, on_bytes), self._patience, repeatable=True)
            with part.open("rb") as written:
                if hashlib.file_digest(written, "sha256").hexdigest() != file["sha256"]:
                    raise AssetDamaged(f"{role} is not what was published")
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return target

    def cancel(self, job: Job) -> Cancelled:
        return cast("Cancelled", self._again(lambda: self.daemon.call("POST", _at("/mcp/cancel/{}", job))))

    def retry(self, job: Job) -> Accepted:
        """Send a failed or cancelled job again; what it had finished is not done again."""
        return cast("Accepted", self._once(lambda: self.daemon.call("POST", _at("/mcp/retry/{}", job))))

    def delete(self, job: Job) -> None:
        """Forget an ended job and its files."""
        self._once(lambda: self.daemon.delete(_id(job)))

    def jobs(self, *, state: str | None = None) -> Iterator[Summary]:
        """All jobs, newest first, fetched page by page as they are asked for."""
        cursor: str | None = None
        while True:
            page = cast("Jobs", self._get("/mcp/jobs", state=state, cursor=cursor))
            yield from page["jobs"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def upload(self, path: str | PathLike[str], *, on_bytes: Callable[[int], None] | None = None) -> Upload:
        """Upload a clip, photo, song or recording; its `asset_id` goes into a request. Raises: OSError."""
        file = Path(path)
        size_bytes = file.stat().st_size
        told = on_bytes or (lambda count: None)
        return cast(
            "Upload",
            self._again(lambda: self.daemon.upload(file, name=file.name, size_bytes=size_bytes, on_bytes=told)),
        )

    def uploads(self) -> Iterator[Upload]:
        """All uploads, newest first."""
        cursor: str | None = None
        while True:
            page = cast("Uploads", self._get("/mcp/assets", cursor=cursor))
            yield from page["assets"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def delete_upload(self, asset_id: str) -> None:
        self._once(lambda: self.daemon.delete_upload(asset_id))

    def storyboard(self, job: Job, *, version: int | None = None) -> Storyboard:
        return cast("Storyboard", self._get(_at("/mcp/storyboard/{}", job), version=version))

    def storyboard_versions(self, job: Job) -> Versions:
        return cast("Versions", self._get(_at("/mcp/storyboard/{}/versions", job)))

    def edit(self, job: Job, *, if_version: int | None = None, **changes: Unpack[PatchBody]) -> Storyboard:
        """Make the next version of a storyboard; `render` makes the video. `if_version`: only if this is the newest.

        Raises: StoryboardChanged.
        """
        return cast("Storyboard", self._change("PATCH", _at("/mcp/storyboard/{}", job), changes, if_version))

    def revert(self, job: Job, version: int, *, if_version: int | None = None) -> Storyboard:
        """Make an older version of a storyboard the newest again."""
        path = _at("/mcp/storyboard/{}/revert", job)
        return cast("Storyboard", self._change("POST", path, {"version": version}, if_version))

    def render(self, job: Job, **wishes: Unpack[RenderBody]) -> Render:
        """Approve a storyboard that awaits its review, or have the video made anew after an edit."""
        body = cast("dict[str, Any]", wishes)
        return cast("Render", self._once(lambda: self.daemon.call("POST", _at("/mcp/render/{}", job), body)))

    def voices(self, *, language: str | None = None, engine: str | None = None) -> Voices:
        return cast("Voices", self._get("/mcp/voices", language=language, engine=engine))

    def styles(self) -> Styles:
        return cast("Styles", self._get("/mcp/styles"))

    def usage(self, **query: str) -> Usage:
        """What was asked of the providers, and what it cost; docs/usage.md has the `query`."""
        return cast("Usage", self._get("/mcp/usage", **query))

    def queue(self) -> Queue:
        return cast("Queue", self._get("/mcp/queue"))

    def _get(self, path: str, **query: Any) -> dict[str, Any]:
        return self._again(lambda: self.daemon.get(path, **query))

    def _submit(self, path: str, request: Mapping[str, Any], key: str | None) -> dict[str, Any]:
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        return self._again(lambda: self.daemon.call("POST", path, dict(request), headers=headers))

    def _change(self, method: str, path: str, body: Mapping[str, Any], if_version: int | None) -> dict[str, Any]:
        headers = {} if if_version is None else {"If-Match": f'"{if_version}"'}
        return self._once(lambda: self.daemon.call(method, path, dict(body), headers=headers))

    def _again(self, call: Callable[[], _T]) -> _T:
        return patiently(call, self._patience, repeatable=True)

    def _once(self, call: Callable[[], _T]) -> _T:
        return patiently(call, self._patience, repeatable=False)


def _id(job: Job) -> str:
    return job if isinstance(job, str) else str(job["job_id"])


def _at(path: str, job: Job) -> str:
    return path.format(quote(_id(job), safe=""))
