"""What the events of a stream say. Pure: rows of the feed and views of jobs in, JSON values out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vidgend.http.answers import rfc3339
from vidgend.models import TERMINAL_STATES
from vidgend.store.feed import Happening

ENDS: tuple[str, ...] = (*TERMINAL_STATES, "awaiting_review")
"""With these a job comes to rest: nothing happens to it any more until somebody does something."""
_LIVE = (
    "job_id", "status", "overall_progress", "current_step", "scenes_processed", "total_scenes", "eta_s", "segments",
    "queue_position", "queue_paused", "retry_at",
)  # fmt: skip


def told(one: Happening) -> dict[str, Any]:
    """The data of an event that is kept."""
    view: dict[str, Any] = {"job_id": one.job_id, "at": rfc3339(one.at)}
    match one.kind:
        case "status":
            view |= {"status": one.text, "attempt": one.number}
            if one.run_at is not None:
                view["retry_at"] = rfc3339(one.run_at)
            if one.error is not None:
                view["error"] = {"code": one.error.code, "detail": one.error.detail, "hint": one.error.hint}
        case "log":
            view["line"] = one.text
        case "storyboard":
            view |= {"version": one.number, "author": one.text}
        case "deleted":
            pass
    return view


def ends(one: Happening) -> bool:
    """Whether nothing is to be expected of the job after this."""
    return one.kind == "deleted" or (one.kind == "status" and one.text in ENDS)


def live(status: Mapping[str, Any]) -> dict[str, Any]:
    """What moves, of the answer of GET /mcp/status."""
    return {name: status[name] for name in _LIVE if name in status}
