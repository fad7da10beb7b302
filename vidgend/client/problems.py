"""Which error a public code names, and what a job failed with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vidgend.errors import StepError, VidgendError


def family(root: type[VidgendError]) -> dict[str, type[VidgendError]]:
    """The public errors by code: those of vidgend.errors, whatever else is loaded."""
    known = {root.code: root}
    for child in root.__subclasses__():
        if child.__module__ != VidgendError.__module__:
            continue
        known |= {code: kind for code, kind in family(child).items() if code not in known}
    return known


def error_of(
    code: str, detail: str, *, hint: str = "", tail: str = "", otherwise: type[VidgendError] = VidgendError
) -> VidgendError:
    """The error that a daemon or a failed job named by its public `code`; `otherwise`, under that code, where this
    version does not know it."""
    kind = family(VidgendError).get(code, otherwise)
    if kind is VidgendError:
        kind = otherwise
    error = kind(detail)
    if code and kind.code != code:
        error.code = code
    if hint:
        error.hint = hint
    if tail and isinstance(error, StepError):
        error.tail = tail
    return error


def raise_failure(status: Mapping[str, Any]) -> None:
    """Raises: what the job failed with, or StepError for a cancelled one."""
    if status.get("status") == "cancelled":
        raise StepError("the job was cancelled")
    if status.get("status") == "failed":
        error = status.get("error") or {}
        raise error_of(
            str(error.get("code", "")), str(error.get("detail") or "the job failed"), hint=str(error.get("hint") or ""),
            tail=str(error.get("tail") or ""), otherwise=StepError,
        )  # fmt: skip
