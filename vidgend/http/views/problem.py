"""An error as RFC 9457 has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ConfigDict, Field

from vidgend.errors import VidgendError
from vidgend.http.views.base import View, absent, with_members

DOCS_PATH = "/docs/errors.md"
MAX_ERRORS = 50
"""So many `errors` are listed at most; a body can be wrong in more places than anyone reads."""


class FieldErrorView(View):
    """What is wrong with one field of the body or one parameter of the query."""

    pointer: str | None = absent("A JSON pointer into the body.")
    parameter: str | None = absent("The parameter of the query.")
    detail: str = Field(description="What is wrong there.")


class ProblemView(View):
    """An error. Some have further members, such as `job_status`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(
        description="The path of the page that explains it.", json_schema_extra={"format": "uri-reference"}
    )
    title: str = Field(description="What kind of error it is.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What is the matter this time.")
    code: str = Field(description="A stable name of the kind of error.")
    hint: str | None = absent("What can be done about it.")
    errors: list[FieldErrorView] | None = absent("The fields that are wrong.")


def problem_view(
    error: VidgendError, members: Mapping[str, Any], errors: Sequence[Mapping[str, str]] | None = None
) -> ProblemView:
    """`members` are extension members; None values are left out. `errors` are those of fields."""
    view = ProblemView.model_construct(
        type=f"{DOCS_PATH}#{error.code}",
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code,
        hint=error.hint or None,
        errors=[_field_error(one) for one in errors[:MAX_ERRORS]] if errors is not None else None,
    )
    return with_members(view, {name: value for name, value in members.items() if value is not None})


def _field_error(one: Mapping[str, str]) -> FieldErrorView:
    return FieldErrorView.model_construct(
        pointer=one.get("pointer"), parameter=one.get("parameter"), detail=one["detail"]
    )
