"""What Chinese and Japanese have to tell: their words are not apart, so only numbers and addresses are looked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Unspaced:
    """The words of a language that is written without spaces. Patterns with {} take what is said for a number."""

    cardinal: Callable[[int], str]
    counting: Callable[[int], str]
    """Before a unit or a measure word."""
    measures: str
    """Characters before which a number counts, as before a unit."""
    year: Callable[[int], str]
    point: str
    percent: str
    units: Mapping[str, str]
    currencies: Mapping[str, str]
    date: str
    clock: Callable[[int, int], str]
    minus: str
    to: str
    symbols: Mapping[str, str]
    addresses: Mapping[str, str]
