"""How far a job is, for people: a bar on a terminal, plain lines elsewhere. Always on stderr."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import click

from vidgend.client.event_stream import AT_REST

LINE_EVERY_S = 5.0
LINE_EVERY_PERCENT = 10.0
MANY = 1000
"""The daemon counts no further than this in its queue."""
_STAGE_CHARS = 60
_SCENES_SHOWN = 3

_WORDS = {
    "queued": "waiting for its turn",
    "planning": "planning",
    "retrieving": "finding pictures",
    "narrating": "narrating",
    "aligning": "timing the words",
    "rendering": "rendering",
    "publishing": "finishing",
}


@dataclass(frozen=True, kw_only=True)
class View:
    """What is shown of a job. `percent` 0..100; `eta_s` None while nobody can tell."""

    state: str
    percent: float = 0.0
    scenes_done: int = 0
    scenes_total: int = 0
    eta_s: float | None = None
    ahead: int = 0
    """Jobs that come before this one in the queue."""
    waits_for: str = ""
    """Why a queued job does not begin even though its turn may have come."""
    rendering: tuple[tuple[int, float], ...] = ()
    """The scenes that are rendered now: number, and percent of it that is done."""

    @classmethod
    def of_status(cls, status: dict[str, Any]) -> View:
        """From the answer of GET /mcp/status."""
        step = str(status.get("current_step") or "")
        held = status.get("retry_at") or status.get("queue_paused")
        return cls(
            state=str(status.get("status", "queued")),
            percent=float(status.get("overall_progress") or 0),
            scenes_done=int(status.get("scenes_processed") or 0),
            scenes_total=int(status.get("total_scenes") or 0),
            eta_s=status.get("eta_s"),
            ahead=max(0, int(status.get("queue_position") or 1) - 1),
            waits_for=step if held else "",
            rendering=tuple(
                (int(one["scene"]), float(one["percent"]))
                for one in status.get("segments") or []
                if one["state"] == "rendering"
            ),
        )

    @property
    def at_rest(self) -> bool:
        """Whether nothing happens to the job any more until somebody does something."""
        return self.state in AT_REST

    @property
    def whole_percent(self) -> int:
        """Rounded down: 100 only when all is done."""
        return int(self.percent)

    @property
    def scenes(self) -> str:
        """`scene 2 of 4 (61%)`, `scenes 2 (61%) and 3 (9%) of 4`."""
        if not self.rendering:
            return f"scene {min(self.scenes_done + 1, self.scenes_total)} of {self.scenes_total}"
        if len(self.rendering) == 1:
            scene, percent = self.rendering[0]
            return f"scene {scene} of {self.scenes_total} ({int(percent)}%)"
        shown = [f"{scene} ({int(percent)}%)" for scene, percent in self.rendering[:_SCENES_SHOWN]]
        more = len(self.rendering) - len(shown)
        last = f"{more} more" if more else shown.pop()
        return f"scenes {', '.join(shown)} and {last} of {self.scenes_total}"

    @property
    def stage(self) -> str:
        if self.waits_for:
            return self.waits_for
        word = _WORDS.get(self.state, self.state)
        ahead = f"more than {MANY}" if self.ahead >= MANY else str(self.ahead)
        return f"{word}, {ahead} before it" if self.ahead else word

    @property
    def eta(self) -> str:
        return "" if self.eta_s is None else f"about {span(self.eta_s)} left"


class Reporter(Protocol):
    def show(self, view: View) -> None: ...

    def say(self, line: str) -> None:
        """A line of its own, above the bar."""
        ...

    def close(self) -> None: ...


def span(seconds: float) -> str:
    """`20 s`, `3 min 05 s`, `1 h 02 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


@contextmanager
def unread_is_fine() -> Iterator[None]:
    """What nobody reads any more, as behind `| head`, is not printed; the work goes on."""
    try:
        yield
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BrokenPipeError:
                os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def tell(line: str) -> None:
    with unread_is_fine():
        click.echo(line, err=True)


class Lines:
    """One line when the stage changes, and every 10 percent or 5 seconds of movement."""

    def __init__(
        self,
        write: Callable[[str], None] = tell,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._clock = clock
        self._last: View | None = None
        self._at = 0.0

    def show(self, view: View) -> None:
        last, now = self._last, self._clock()
        if last is not None and (view.state, bool(view.waits_for)) == (last.state, bool(last.waits_for)):
            moved = view.percent - last.percent
            if moved < LINE_EVERY_PERCENT and (moved < 1 or now - self._at < LINE_EVERY_S):
                return
        self._last, self._at = view, now
        parts = [view.stage]
        if view.state == "rendering" and view.scenes_total:
            parts.append(view.scenes)
        if view.eta:
            parts.append(view.eta)
        self._write(f"[{view.whole_percent:3}%] {', '.join(parts)}")

    def say(self, line: str) -> None:
        self._write(line)

    def close(self) -> None:
        pass


class Bar:
    """A bar with the stage, percent, scenes and the time left. It is gone when the job is over."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<20}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[percent]:3}%"),
            TextColumn("{task.fields[scenes]}"),
            TextColumn("{task.fields[eta]}"),
            console=Console(stderr=True),
            transient=True,
            expand=True,
        )
        self._task = self._progress.add_task("starting", total=100, percent=0, scenes="", eta="")
        self._progress.start()

    def show(self, view: View) -> None:
        scenes = f"{view.scenes_done}/{view.scenes_total} scenes" if view.scenes_total else ""
        stage = view.stage if len(view.stage) <= _STAGE_CHARS else f"{view.stage[: _STAGE_CHARS - 3]}..."
        self._progress.update(
            self._task,
            description=stage,
            completed=view.percent,
            percent=view.whole_percent,
            scenes=scenes,
            eta=view.eta,
        )

    def say(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False)

    def close(self) -> None:
        self._progress.stop()


def make_reporter() -> Reporter:
    """A bar if stderr is a terminal that can show one, else lines."""
    if sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb"):
        return Bar()
    return Lines()
