"""Who made a clip or a song."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from vidgend.http.views.base import View
from vidgend.models import Credit, MediaCredit


class CreditView(View):
    provider: str = Field(description="Where it was found.")
    author: str = Field(description='Who made it; "" if nobody knows.')
    author_url: str = Field(description='The author\'s page, or "".')
    page_url: str = Field(description='The page of the clip or song, or "".')
    licence: str = Field(description='The licence, or "".')
    title: str = Field(description='What it is called, or "".')
    licence_url: str = Field(description='The text of the licence, or "".')


class MediaCreditView(CreditView):
    kind: Literal["", "video", "photo", "generated", "upload", "music"] = Field(
        description='What it is; "" in old results, which do not say.'
    )
    scenes: list[int] = Field(description="The scenes that show it, from 1; empty for a song.")
    seconds: list[tuple[float, float]] = Field(description="From when to when it is seen in the video, in seconds.")


def credit_view(credit: Credit) -> CreditView:
    return CreditView.model_construct(**_maker(credit))


def media_credit_view(credit: MediaCredit) -> MediaCreditView:
    return MediaCreditView.model_construct(
        **_maker(credit), kind=credit.kind, scenes=list(credit.scenes), seconds=list(credit.seconds)
    )


def _maker(credit: Credit | MediaCredit) -> dict[str, Any]:
    """What both kinds say."""
    return {name: getattr(credit, name) for name in CreditView.model_fields}
