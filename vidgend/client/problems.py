"""Which error a public code names."""

from __future__ import annotations

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
    """The error that a daemon or a failed job named by its public `code`; `otherwise` where the code is not known."""
    kind = family(VidgendError).get(code, otherwise)
    if kind is VidgendError:
        kind = otherwise
    error = kind(detail)
    if hint:
        error.hint = hint
    if tail and isinstance(error, StepError):
        error.tail = tail
    return error
