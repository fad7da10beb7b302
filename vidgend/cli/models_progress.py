"""How far a download or a check of models is: a bar on a terminal, plain lines elsewhere. Always on stderr."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from vidgend.cli.outcome import human_bytes
from vidgend.cli.progress import LINE_EVERY_PERCENT, LINE_EVERY_S

Tell = Callable[[str, int, int], None]


class Lines:
    """A line every 10 percent, if at least a second has passed, and every 5 seconds. Short work says nothing."""

    def __init__(
        self,
        write: Callable[[str], None] = lambda line: click.echo(line, err=True),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._clock = clock
        self._what = ""
        self._percent = 0
        self._at = 0.0

    def __call__(self, what: str, done_bytes: int, total_bytes: int) -> None:
        now, percent = self._clock(), min(100, done_bytes * 100 // max(1, total_bytes))
        if what != self._what:
            self._what, self._percent, self._at = what, percent, now
            return
        waited, moved = now - self._at, percent - self._percent
        if waited < 1 or (moved < LINE_EVERY_PERCENT and waited < LINE_EVERY_S):
            return
        self._percent, self._at = percent, now
        self._write(f"[{percent:3}%] {what}, {human_bytes(done_bytes)} of {human_bytes(total_bytes)}")


@contextmanager
def progress() -> Iterator[Tell]:
    """A bar if stderr is a terminal that can show one, else lines."""
    if not sys.stderr.isatty() or os.environ.get("TERM", "") in ("", "dumb"):
        yield Lines()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        expand=True,
    ) as shown:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done_bytes: int, total_bytes: int) -> None:
            if what not in tasks:
                for old in tasks.values():
                    shown.remove_task(old)
                tasks.clear()
                tasks[what] = shown.add_task(what, total=total_bytes, completed=done_bytes)
            shown.update(tasks[what], completed=done_bytes, total=max(total_bytes, done_bytes))

        yield tell
