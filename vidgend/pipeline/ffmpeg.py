"""Finding ffmpeg and running it. There is no ffprobe here: the ffmpeg that a wheel ships comes without one."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vidgend import children
from vidgend.children import Limits
from vidgend.errors import FfmpegFailed, StorageFull, ToolMissing

OLDEST = (5, 1)
"""Older ones lack `-fps_mode` and the latency compensation of alimiter."""
NEEDED_FILTERS = (
    "adelay", "afade", "alimiter", "amix", "ass", "bwdif", "colorbalance", "colorchannelmixer", "crop", "ebur128", "eq",
    "fade", "fps", "idet", "lutrgb", "perspective", "premultiply", "scale", "setsar", "sidechaincompress", "sidedata",
    "tpad", "trim", "xfade",
)  # fmt: skip
STALL_S = 120.0
"""An encode that reports nothing for so long is stuck."""
MEDIA_LIMITS = Limits(cpu_s=48 * 3600, file_bytes=200_000_000_000, open_files=4096, secrets=False)
"""Of every ffmpeg: it reads files that strangers made. Far above what a render needs. The address space is free, since
graphics drivers reserve more of it than there is memory (docs/adr/0013)."""
LOOK_LIMITS = Limits(cpu_s=20, file_bytes=1_000_000_000, open_files=64, address_bytes=4 * 1024**3, secrets=False)
"""Of one that only looks at a file: a header, some small frames."""


@dataclass(frozen=True, kw_only=True)
class Ffmpeg:
    """A usable ffmpeg. `origin` tells where it was found."""

    path: str
    version: str
    origin: Literal["setting", "path", "package"]

    async def run(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        timeout_s: float,
        frames: int | None = None,
        progress: Callable[[float], None] | None = None,
        feeder: Sequence[str] | None = None,
    ) -> int:
        """Run with `-progress` and return the number of video frames that were written.

        `frames` is the expected number, for `progress`. Raises: FfmpegFailed with ffmpeg's last lines,
        StorageFull, StepTimeout.
        """
        written = 0

        def on_line(line: str) -> None:
            nonlocal written
            name, _, value = line.partition("=")
            if name == "frame" and value.strip().isdigit():
                written = int(value)
                if progress is not None and frames:
                    progress(written / frames)

        finished = await children.run(
            [
                self.path, "-nostdin", "-hide_banner", "-v", "error", "-progress", "pipe:1", "-stats_period", "0.5",
                *args,
            ],
            cwd=cwd,
            timeout_s=timeout_s,
            stall_s=STALL_S,
            on_line=on_line,
            feeder=feeder,
            limits=MEDIA_LIMITS,
        )  # fmt: skip
        self._check(finished)
        return written

    async def capture(
        self, args: Sequence[str], *, cwd: Path, timeout_s: float = 600.0, level: str = "error"
    ) -> children.Finished:
        """Run and return stdout and stderr. Raises: as `run`."""
        finished = await children.run(
            [self.path, "-nostdin", "-hide_banner", "-nostats", "-v", level, *args],
            cwd=cwd,
            timeout_s=timeout_s,
            limits=MEDIA_LIMITS,
        )
        self._check(finished)
        return finished

    async def look(self, args: Sequence[str], *, cwd: Path, timeout_s: float, level: str = "info") -> children.Finished:
        """A short run on a file that nothing is known about, under tight limits. That it fails is no error here.

        Raises: StepTimeout (out of time, processor time or memory), StepError (more output than any good file gives).
        """
        return await children.run(
            [self.path, "-nostdin", "-hide_banner", "-nostats", "-v", level, *args],
            cwd=cwd,
            timeout_s=timeout_s,
            limits=LOOK_LIMITS,
        )

    @staticmethod
    def _check(finished: children.Finished) -> None:
        if finished.returncode == 0:
            return
        tail = finished.stderr_tail
        if "No space left on device" in tail:
            raise StorageFull("ffmpeg could not write: no space left on device")
        last = tail.splitlines()[-1] if tail else f"exit code {finished.returncode}"
        raise FfmpegFailed(f"ffmpeg: {last}", tail=tail)


@dataclass(frozen=True, kw_only=True)
class FfmpegFound:
    """The outcome of the search, for `doctor`: the ffmpeg, or why none will do."""

    ffmpeg: Ffmpeg | None
    rejected: tuple[str, ...]


def _packaged() -> str | None:
    try:
        import imageio_ffmpeg
    except ImportError:
        return None
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        return None


async def _output(argv: Sequence[str]) -> str:
    finished = await children.run(argv, timeout_s=20)
    return finished.stdout.decode("utf-8", "replace")


async def _examine(path: str, origin: Literal["setting", "path", "package"]) -> Ffmpeg | str:
    """The ffmpeg at `path`, or why it will not do."""
    try:
        banner = await _output([path, "-version"])
        match = re.match(r"ffmpeg version (\S+)", banner)
        if match is None:
            return f"{path} is not ffmpeg"
        version = match[1]
        numbers = re.match(r"n?(\d+)\.(\d+)", version)
        if numbers is not None and (int(numbers[1]), int(numbers[2])) < OLDEST:
            return f"{path} is ffmpeg {version}; {OLDEST[0]}.{OLDEST[1]} or newer is needed"
        filters = set(re.findall(r"^ ?[A-Z.|]{2,3} (\w+)", await _output([path, "-hide_banner", "-filters"]), re.M))
        missing = [name for name in NEEDED_FILTERS if name not in filters]
        if missing:
            return f"{path} ({version}) lacks the filters {', '.join(missing)}"
        if not re.search(r"\blibx264\b", await _output([path, "-hide_banner", "-encoders"])):
            return f"{path} ({version}) lacks libx264"
    except (ToolMissing, OSError) as error:
        return f"{path}: {error}"
    return Ffmpeg(path=path, version=version, origin=origin)


async def find_ffmpeg(setting: str = "") -> FfmpegFound:
    """The one from the settings, else from the PATH, else the one that imageio-ffmpeg ships."""
    rejected: list[str] = []
    if setting:
        found = await _examine(setting, "setting")
        return FfmpegFound(ffmpeg=found, rejected=()) if isinstance(found, Ffmpeg) else FfmpegFound(
            ffmpeg=None, rejected=(found,)
        )  # fmt: skip
    on_path = shutil.which("ffmpeg")
    if on_path is not None:
        found = await _examine(on_path, "path")
        if isinstance(found, Ffmpeg):
            return FfmpegFound(ffmpeg=found, rejected=())
        rejected.append(found)
    packaged = await asyncio.to_thread(_packaged)
    if packaged is not None:
        found = await _examine(packaged, "package")
        if isinstance(found, Ffmpeg):
            return FfmpegFound(ffmpeg=found, rejected=tuple(rejected))
        rejected.append(found)
    else:
        rejected.append("no ffmpeg on the PATH, and the package imageio-ffmpeg has none for this machine")
    return FfmpegFound(ffmpeg=None, rejected=tuple(rejected))


class FfmpegTool:
    """The ffmpeg of this process, looked for at the first use and then remembered."""

    def __init__(self, setting: str = "") -> None:
        self._setting = setting
        self._found: FfmpegFound | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> Ffmpeg:
        """Raises: ToolMissing, with every place that was looked at."""
        async with self._lock:
            if self._found is None or self._found.ffmpeg is None:
                self._found = await find_ffmpeg(self._setting)
        if self._found.ffmpeg is None:
            raise ToolMissing("no usable ffmpeg: " + "; ".join(self._found.rejected))
        return self._found.ffmpeg
