"""The probes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from vidgend.http.health import Health, State
from vidgend.http.views.base import View, absent, dump


class LivezView(View):
    status: Literal["alive"] = Field(description="It answers.")
    version: str = Field(description="The version of vidgend.")


class CheckView(View):
    """One thing that was looked at."""

    code: str = Field(description="Which: such as `storage_full`, `database`, `ffmpeg_missing`.")
    state: State = Field(description="`failed` keeps jobs away, `warning` does not.")
    detail: str = Field(description="How it is.")
    hint: str | None = absent("What can be done about it.")
    values: Mapping[str, int | float] | None = absent("Numbers, such as `lacking_bytes`.")


class ReadyzView(View):
    status: Literal["ready"] = Field(description="A job sent now would be taken.")
    version: str = Field(description="The version of vidgend.")
    warnings: list[str] = Field(description="The codes of what wants to be seen to, and keeps no job away.")
    checks: list[CheckView] = Field(description="All that was looked at.")


def livez_view(version: str) -> LivezView:
    return LivezView.model_construct(status="alive", version=version)


def readyz_view(version: str, health: Health) -> ReadyzView:
    return ReadyzView.model_construct(
        status="ready", version=version, warnings=health.warnings, checks=check_views(health)
    )


def check_views(health: Health) -> list[CheckView]:
    return [
        CheckView.model_construct(
            code=check.code,
            state=check.state,
            detail=check.detail,
            hint=check.hint or None,
            values=dict(check.values) or None,
        )
        for check in health.checks
    ]


def not_ready_members(health: Health) -> dict[str, Any]:
    """What the problem says besides."""
    return {
        "reasons": health.reasons,
        "warnings": health.warnings,
        "checks": [dump(check) for check in check_views(health)],
    }
