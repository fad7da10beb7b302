"""How the daemon is: each thing that was looked at, whether it keeps jobs away, and what to do about it.

Probes are open to everybody, so nothing of paths, addresses and errors is told here: the log and `vidgend doctor` do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

LAG_S = 0.25
"""A loop that is later than this again and again answers nobody in time."""

State = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """`failed`: a job that is sent now would not be taken, or be sure to fail. `warning`: it would be made, but
    something wants to be seen to. `values` are numbers for programs."""

    code: str
    state: State
    detail: str
    hint: str = ""
    values: Mapping[str, int | float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What was found out. None: it is not known yet, and nothing is said of it. `children` is how far child processes
    are held: see `children.held`."""

    draining: bool = False
    lacking_bytes: int = 0
    database_broken: bool = False
    over_quota: bool = False
    kept_bytes: int = 0
    ffmpeg_missing: bool | None = None
    assets_away: bool | None = None
    ballast_missing: bool = False
    paused: bool = False
    lag_s: float = 0.0
    children: Literal["whole", "late", "loose"] = "whole"


@dataclass(frozen=True, kw_only=True)
class Health:
    checks: tuple[Check, ...]

    @property
    def reasons(self) -> list[str]:
        """The codes of what keeps jobs away."""
        return [check.code for check in self.checks if check.state == "failed"]

    @property
    def warnings(self) -> list[str]:
        return [check.code for check in self.checks if check.state == "warning"]


def health_of(seen: Condition) -> Health:
    """What there is to say of a condition, what keeps jobs away in the order of old."""
    found = [_draining(seen), _storage(seen)]
    if not seen.database_broken:
        found.append(_quota(seen))
    found.append(_database(seen.database_broken))
    if seen.ffmpeg_missing is not None:
        found.append(_ffmpeg(seen.ffmpeg_missing))
    if seen.assets_away is not None:
        found.append(_assets(seen.assets_away))
    found += [_ballast(seen), _queue(seen), _lag(seen), _children(seen)]
    return Health(checks=tuple(found))


def _draining(seen: Condition) -> Check:
    if seen.draining:
        return Check(
            code="draining", state="failed", detail="The daemon is stopping.",
            hint="Send the job again once it is back; what runs goes on after the restart.",
        )  # fmt: skip
    return Check(code="draining", state="ok", detail="The daemon takes work.")


def _storage(seen: Condition) -> Check:
    values = {"lacking_bytes": seen.lacking_bytes}
    if seen.lacking_bytes:
        return Check(
            code="storage_full", state="failed", values=values,
            detail=f"{_bytes(seen.lacking_bytes)} of disk space are missing before a job may be begun.",
            hint="Free some space, delete old jobs, or lower store.min_free_bytes. Work resumes by itself.",
        )  # fmt: skip
    return Check(code="storage_full", state="ok", detail="There is disk space to work.", values=values)


def _quota(seen: Condition) -> Check:
    values = {"kept_bytes": seen.kept_bytes}
    if seen.over_quota:
        return Check(
            code="quota", state="failed", values=values,
            detail=f"Results and uploads take {_bytes(seen.kept_bytes)}, which is all that assets.quota_bytes allows.",
            hint="Delete old jobs or uploads (`vidgend delete`, `vidgend uploads --delete`), or raise "
            "assets.quota_bytes.",
        )  # fmt: skip
    return Check(code="quota", state="ok", detail="There is room for results.", values=values)


def _database(broken: bool) -> Check:
    if broken:
        return Check(
            code="database", state="failed", detail="The database does not answer, or its disk failed to write.",
            hint="Look at the disk and at the daemon's log; `vidgend fsck` checks what is there.",
        )  # fmt: skip
    return Check(code="database", state="ok", detail="The database answers.")


def _ffmpeg(missing: bool) -> Check:
    if missing:
        return Check(
            code="ffmpeg_missing", state="failed", detail="No ffmpeg was found that can do all that is needed.",
            hint="Install ffmpeg 5.1 or newer, or set render.ffmpeg; `vidgend doctor` says what is lacking.",
        )  # fmt: skip
    return Check(code="ffmpeg_missing", state="ok", detail="There is an ffmpeg that can do all that is needed.")


def _assets(away: bool) -> Check:
    """Jobs wait for a store that is away and do not fail, so it keeps none from being taken."""
    if away:
        return Check(
            code="assets_unreachable", state="warning",
            detail="The store of assets does not answer, or refuses the key.",
            hint="Jobs wait until it is back. The log says why; look at assets.endpoint, the network and the keys.",
        )  # fmt: skip
    return Check(code="assets_unreachable", state="ok", detail="The store of assets answers.")


def _ballast(seen: Condition) -> Check:
    if seen.ballast_missing:
        return Check(
            code="no_ballast", state="warning",
            detail="The file that is given up on a full disk is not there.",
            hint="It comes back by itself when there is space (store.ballast_bytes).",
        )  # fmt: skip
    return Check(code="no_ballast", state="ok", detail="A full disk can be recorded.")


def _queue(seen: Condition) -> Check:
    if seen.paused:
        return Check(
            code="queue_paused", state="warning", detail="The queue is paused by hand: jobs are taken and wait.",
            hint="`vidgend resume` goes on with it.",
        )  # fmt: skip
    return Check(code="queue_paused", state="ok", detail="The queue is not paused.")


def _lag(seen: Condition) -> Check:
    values = {"lag_s": round(seen.lag_s, 4)}
    if seen.lag_s > LAG_S:
        return Check(
            code="loop_lag", state="warning", values=values,
            detail=f"The daemon is {seen.lag_s:.2f} s late with what it has to do.",
            hint="The machine may be out of CPU or memory. Lower slots.ffmpeg or queue.max_concurrent_jobs.",
        )  # fmt: skip
    return Check(code="loop_lag", state="ok", detail="The daemon answers in time.", values=values)


def _children(seen: Condition) -> Check:
    told = {
        "whole": "Child processes die with the daemon and are limited from their start.",
        "late": "Child processes die with the daemon; their limits are set only after they began.",
        "loose": "Child processes may outlive a daemon that is killed.",
    }[seen.children]
    return Check(
        code="children", state="ok" if seen.children == "whole" else "warning", detail=told,
        hint="" if seen.children == "whole" else "Install util-linux (setpriv, prlimit).",
    )  # fmt: skip


def _bytes(size_bytes: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.3g} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.3g} TB"
