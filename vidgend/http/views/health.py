"""The probes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vidgend.http.views.base import View


class LivezView(View):
    status: Literal["alive"] = Field(description="It answers.")
    version: str = Field(description="The version of vidgend.")


class ReadyzView(View):
    status: Literal["ready"] = Field(description="A job sent now would be taken.")
    version: str = Field(description="The version of vidgend.")


def livez_view(version: str) -> LivezView:
    return LivezView.model_construct(status="alive", version=version)


def readyz_view(version: str) -> ReadyzView:
    return ReadyzView.model_construct(status="ready", version=version)
