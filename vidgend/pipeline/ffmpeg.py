"""Finding ffmpeg and running it. There is no ffprobe here: the ffmpeg that a wheel ships comes without one."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from vidgend import children
from vidgend.children import Limits
from vidgend.errors import FfmpegFailed, StepStalled, StepTimeout, StorageFull, ToolMissing, Unavailable
from vidgend.pipeline.encoders.select import ENCODERS, find_encoder, software_of

OLDEST = (5, 1)
"""Older ones lack `-fps_mode` and the latency compensation of alimiter."""
NEEDED_FILTERS = (
    "acompressor", "afade", "afftdn", "alimiter", "amix", "asendcmd", "ass", "bwdif", "colorchannelmixer",
    "colorcorrect", "colorspace", "crop", "ebur128", "fade", "fps", "idet", "limiter", "lutrgb", "lutyuv",
    "maskedmerge", "pad", "perspective", "premultiply", "scale", "setsar", "sidechaincompress", "sidedata", "tpad",
    "trim", "vignette", "xfade",
)  # fmt: skip
STALL_S = 120.0
"""A run that gets no further for so long is stuck."""
MEDIA_LIMITS = Limits(cpu_s=48 * 3600, file_bytes=200_000_000_000, open_files=4096)
"""Of every ffmpeg: it reads files that strangers made. Far above what a render needs. The address space is free, since
graphics drivers reserve more of it than there is memory (docs/adr/0013)."""
LOOK_LIMITS = Limits(cpu_s=20, file_bytes=1_000_000_000, open_files=64, address_bytes=4 * 1024**3)
"""Of one that only looks at a file: a header, some small frames."""


@dataclass(frozen=True, kw_only=True)
class Ffmpeg:
    """A usable ffmpeg. `origin` tells where it was found; `stall_s` is how long it may get no further; `encoders` are
    those of vidgend's that it was built with, which does not say that there is hardware for them."""

    path: str
    version: str
    origin: Literal["setting", "path", "package"]
    encoders: frozenset[str] = frozenset()
    stall_s: float = STALL_S

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
        StorageFull, StepTimeout, StepStalled with its last lines and its last report.
        """
        report = _Report()

        def on_line(line: str) -> bool:
            moved = report.read(line)
            if moved and progress is not None and frames:
                progress(report.frames / frames)
            return moved

        try:
            finished = await children.run(
                [
                    self.path, "-nostdin", "-hide_banner", "-v", "error", "-progress", "pipe:1", "-stats_period", "0.5",
                    *args,
                ],
                cwd=cwd,
                timeout_s=timeout_s,
                stall_s=self.stall_s,
                on_line=on_line,
                feeder=feeder,
                limits=MEDIA_LIMITS,
            )  # fmt: skip
        except StepStalled as error:
            raise StepStalled(
                f"ffmpeg got no further for {self.stall_s:g} s and was stopped", tail=f"{error.tail}\n{report}".strip()
            ) from error
        self._check(finished)
        return report.frames

    async def capture(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        timeout_s: float = 600.0,
        level: str = "error",
        feeder: Sequence[str] | None = None,
    ) -> children.Finished:
        """Run and return stdout and stderr. Raises: as `run`."""
        finished = await children.run(
            [self.path, "-nostdin", "-hide_banner", "-nostats", "-v", level, *args],
            cwd=cwd,
            timeout_s=timeout_s,
            feeder=feeder,
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


class _Report:
    """What ffmpeg says of itself with `-progress`: blocks of `name=value` lines, also while it gets no further."""

    def __init__(self) -> None:
        self.frames = 0
        self._out_time_us = 0
        self._last: dict[str, str] = {}

    def read(self, line: str) -> bool:
        """Take one line. Whether it says that ffmpeg got further."""
        name, _, value = line.partition("=")
        self._last[name] = value = value.strip()
        before = (self.frames, self._out_time_us)
        if name == "frame" and value.isdigit():
            self.frames = int(value)
        elif name == "out_time_us" and value.isdigit():  # N/A or below 0 before the first packet
            self._out_time_us = max(self._out_time_us, int(value))
        return (self.frames, self._out_time_us) > before or line == "progress=end"

    def __str__(self) -> str:
        told = [f"{name}={self._last[name]}" for name in ("frame", "out_time", "speed") if name in self._last]
        return f"last report: {' '.join(told) or 'none'}"


@dataclass(frozen=True, kw_only=True)
class FfmpegFound:
    """The outcome of the search, for `doctor`: the ffmpeg, or why none will do."""

    ffmpeg: Ffmpeg | None
    rejected: tuple[str, ...]


def _packaged() -> str | None:
    """The file in the package. Its own `get_ffmpeg_exe` runs it to see whether it works, with our whole environment."""
    spec = find_spec("imageio_ffmpeg")
    if spec is None or spec.origin is None:
        return None
    programs = sorted(Path(spec.origin).with_name("binaries").glob("ffmpeg-*"))
    return next((str(path) for path in programs if os.access(path, os.X_OK)), None)


async def _output(argv: Sequence[str]) -> str:
    finished = await children.run(argv, timeout_s=20)
    return finished.stdout.decode("utf-8", "replace")


async def _examine(path: str, origin: Literal["setting", "path", "package"], encoder: str) -> Ffmpeg | str:
    """The ffmpeg at `path`, or why it will not do. `encoder` is a software encoder that it must have."""
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
        encoders = set(re.findall(r"^ V\S+ (\w+)", await _output([path, "-hide_banner", "-encoders"]), re.M))
        if encoder not in encoders:
            return f"{path} ({version}) lacks {encoder}"
        decoder = find_encoder(encoder).decoder
        if decoder and not re.search(rf"\b{decoder}\b", await _output([path, "-hide_banner", "-decoders"])):
            return f"{path} ({version}) lacks {decoder}, to look at what {encoder} made"
    except (ToolMissing, OSError) as error:
        return f"{path}: {error}"
    return Ffmpeg(path=path, version=version, origin=origin, encoders=frozenset(encoders & ENCODERS.keys()))


async def find_ffmpeg(setting: str = "", *, encoder: str = "libx264") -> FfmpegFound:
    """The one from the settings, else from the PATH, else the one that imageio-ffmpeg ships.

    `encoder` is the setting: the software encoder that it names, or that stands behind it, is needed.
    """
    rejected: list[str] = []
    needed = software_of(encoder)
    if setting:
        found = await _examine(setting, "setting", needed)
        return FfmpegFound(ffmpeg=found, rejected=()) if isinstance(found, Ffmpeg) else FfmpegFound(
            ffmpeg=None, rejected=(found,)
        )  # fmt: skip
    on_path = shutil.which("ffmpeg")
    if on_path is not None:
        found = await _examine(on_path, "path", needed)
        if isinstance(found, Ffmpeg):
            return FfmpegFound(ffmpeg=found, rejected=())
        rejected.append(found)
    packaged = await asyncio.to_thread(_packaged)
    if packaged is not None:
        found = await _examine(packaged, "package", needed)
        if isinstance(found, Ffmpeg):
            return FfmpegFound(ffmpeg=found, rejected=tuple(rejected))
        rejected.append(found)
    else:
        rejected.append("no ffmpeg on the PATH, and the package imageio-ffmpeg has none for this machine")
    return FfmpegFound(ffmpeg=None, rejected=tuple(rejected))


class FfmpegTool:
    """The ffmpeg of this process, looked for at the first use and then remembered. `encoder` as for `find_ffmpeg`;
    `stall_s` is how long a run of it may get no further."""

    def __init__(self, setting: str = "", *, encoder: str = "libx264", stall_s: float = STALL_S) -> None:
        self._setting = setting
        self._encoder = encoder
        self._stall_s = stall_s
        self._found: FfmpegFound | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> Ffmpeg:
        """Raises: ToolMissing, with every place that was looked at."""
        async with self._lock:
            if self._found is None or self._found.ffmpeg is None:
                self._found = await find_ffmpeg(self._setting, encoder=self._encoder)
        if self._found.ffmpeg is None:
            raise ToolMissing("no usable ffmpeg: " + "; ".join(self._found.rejected))
        return replace(self._found.ffmpeg, stall_s=self._stall_s)

    async def get_for_request(self) -> Ffmpeg:
        """For somebody who waits for an answer. Raises: Unavailable."""
        try:
            return await self.get()
        except (ToolMissing, StepTimeout) as error:
            raise Unavailable(error.detail, hint=error.hint) from error
