"""Uploaded files."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from vidgend.http.answers import rfc3339
from vidgend.http.views.base import Time, Url, View
from vidgend.store.uploads import Upload, UploadKind


class UploadView(View):
    asset_id: str = Field(description="SHA-256 of the file, hexadecimal; names it in requests.")
    kind: UploadKind = Field(description="What it is, by its content.")
    name: str = Field(description="Its file name.")
    content_type: str = Field(description="Its media type, by its content.")
    size_bytes: int = Field(description="Its size in bytes.")
    width: int | None = Field(description="Pixels; null for sound.")
    height: int | None = Field(description="Pixels; null for sound.")
    fps: float | None = Field(description="Frames a second of a video.")
    duration: float | None = Field(description="Seconds; null for a photo.")
    sample_rate: int | None = Field(description="Hertz; null where there is no sound file.")
    channels: int | None = Field(description="How many channels of sound; null where there is no sound file.")
    created_at: Time | None = Field(description="When it was uploaded.")
    url: Url = Field(description="Where to get it. Signed links live for a day.")


class UploadsView(View):
    assets: list[UploadView] = Field(description="A page of uploads, newest first.")
    next_cursor: str | None = Field(description="Asks for the next page as `cursor`; null after the last one.")


def upload_view(one: Upload, url: str) -> UploadView:
    """`url`: where to get it."""
    facts = one.facts
    return UploadView.model_construct(
        asset_id=one.digest,
        kind=one.kind,
        name=one.name,
        content_type=one.content_type,
        size_bytes=one.size_bytes,
        width=facts.get("width_px"),
        height=facts.get("height_px"),
        fps=(facts.get("fps") or None) if one.kind == "video" else None,
        duration=round(one.duration_s, 3) if one.duration_s is not None else None,
        sample_rate=facts.get("sample_rate_hz"),
        channels=facts.get("channels") or None,
        created_at=rfc3339(one.created_at),
        url=url,
    )


def uploads_view(assets: Sequence[UploadView], next_cursor: str | None) -> UploadsView:
    return UploadsView.model_construct(assets=list(assets), next_cursor=next_cursor)
