"""Following a job in a daemon to its end, and fetching what it made."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from vidgend.cli.exits import Interrupted
from vidgend.cli.progress import Reporter, View
from vidgend.cli.target import Target
from vidgend.client.daemon import Daemon
from vidgend.client.event_stream import NoEvents, at_rest
from vidgend.client.following import AWAY_S
from vidgend.client.retries import passing
from vidgend.errors import DaemonUnreachable, Draining, StepError, VidgendError

POLL_S = 0.5
TRIES = 2
"""So often it is asked for a stream from which nothing comes."""


def submit(daemon: Daemon, body: dict[str, Any]) -> str:
    """Hand in a job and return its id."""
    return str(daemon.submit("/mcp/generate", body)["job_id"])


@contextmanager
def stopping_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP stop the command in the same orderly way as Ctrl-C, so that no `.part` file stays."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        for number in numbers:
            if before[number] == signal.SIG_DFL:
                signal.signal(number, stop)
        yield
    finally:
        for number in numbers:
            signal.signal(number, before[number])


@contextmanager
def ending_cancels(daemon: Daemon, job_id: str) -> Iterator[None]:
    """While inside, Ctrl-C cancels the job in the daemon. Raises: Interrupted."""
    try:
        with stopping_signals():
            yield
    except KeyboardInterrupt:
        try:
            daemon.cancel(job_id)
        except VidgendError as error:
            raise Interrupted(f"interrupted; {job_id} could not be cancelled: {error.detail}") from None
        raise Interrupted(f"interrupted; {job_id} is cancelled") from None


def follow(
    daemon: Daemon,
    job_id: str,
    reporter: Reporter,
    *,
    wait: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Show the job's progress until it ends, well or not, or awaits its review; returns its last status.

    The stream of its events tells; where none gets through, it is asked for the status again and again.

    Raises: NotFound; DaemonUnreachable after AWAY_S without an answer, or why it was put off for so long.
    """
    away_since: float | None = None
    stream = _Stream(daemon, job_id, reporter)
    while True:
        try:
            status = daemon.of_job("status", job_id)
        except VidgendError as error:
            if not passing(error):
                raise
            if away_since is None:
                away_since = clock()
                away = isinstance(error, DaemonUnreachable)
                reporter.say(f"{error.detail}; {'waiting for it to come back' if away else 'asking again'}")
            elif clock() - away_since > AWAY_S:
                raise
        else:
            away_since = None
            view = View.of_status(status)
            if view.at_rest:
                return status
            if stream.listen(view):
                continue
        wait(POLL_S)


class _Stream:
    """The events of one job, as long as they get through."""

    def __init__(self, daemon: Daemon, job_id: str, reporter: Reporter) -> None:
        self._daemon = daemon
        self._job_id = job_id
        self._reporter = reporter
        self._last_id = ""
        self._in_vain = 0

    def listen(self, view: View) -> bool:
        """Show `view` and then what the stream tells, until it ends. True if the job has come to rest."""
        self._reporter.show(view)
        if self._in_vain >= TRIES:
            return False
        heard = False
        try:
            with closing(self._daemon.events(self._job_id, last_id=self._last_id)) as events:
                for event in events:
                    heard = True
                    self._last_id = event.id or self._last_id
                    if event.name in ("snapshot", "progress"):
                        view = View.of_status(event.data)
                    elif event.name == "status":
                        view = replace(view, state=str(event.data.get("status")), ahead=0, waits_for="")
                    if at_rest(event):
                        return True
                    self._reporter.show(view)
        except (DaemonUnreachable, Draining):
            pass  # whether it is away is found out by asking for the status
        except (NoEvents, VidgendError):
            self._in_vain = TRIES
            return False
        self._in_vain = 0 if heard else self._in_vain + 1
        return False


def file_urls(result: dict[str, Any]) -> dict[str, str]:
    """The URLs of a result's files, by role, those of further videos included (`video:9x16`)."""
    urls = _urls_of(result)
    for output in further_outputs(result):
        urls |= {f"{role}:{output['name']}": url for role, url in _urls_of(output).items()}
    return urls


def further_outputs(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The videos of a result besides its main one."""
    return list(result.get("outputs") or ())[1:]


def _urls_of(result: dict[str, Any]) -> dict[str, str]:
    subtitles = result.get("subtitles") or {}
    urls = {
        "video": result.get("video_url"),
        "thumbnail": result.get("thumbnail_url"),
        "srt": subtitles.get("srt"),
        "vtt": subtitles.get("vtt"),
        "words": subtitles.get("words") or subtitles.get("words.json"),
        "description": result.get("description_url"),
    }
    return {role: url for role, url in urls.items() if url}


def fetch_result(daemon: Daemon, job_id: str, target: Target) -> tuple[dict[str, Any], dict[str, Path]]:
    """The daemon's result and the files written from it. Raises: NotFound, Conflict, StorageFull, BadInput."""
    result = daemon.of_job("result", job_id)
    urls = file_urls(result)
    if "video" not in urls:
        raise StepError(f"{job_id} has no video", hint="It may be a prefetch job: `vidgend status` tells.")
    target = target.with_outputs(str(output["name"]) for output in further_outputs(result))
    return result, target.write({role: partial(daemon.download, url) for role, url in urls.items()})
