"""TEMPORARY until the library branch is merged."""

from __future__ import annotations

from collections.abc import Sequence


def alike(one: Sequence[str], other: Sequence[str]) -> bool:
    return bool(set(one) & set(other))
