"""One line of `vidgend doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mark = Literal["ok", "note", "problem"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`note` means that something better could be had, `problem` that no video can be made. `fix` says what to do."""

    section: str
    mark: Mark
    text: str
    fix: str = ""
