"""Label values are words of vidgend's own, and few: nothing that a client or a service wrote can become one."""

from __future__ import annotations

import re

from vidgend.pipeline.encoders.select import ENCODERS

OTHER = "other"
SERVICES = frozenset({"pexels", "pixabay", "openverse", "llm"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_WORD = re.compile(r"[a-z][a-z0-9_. -]{0,39}")
_ROUTE = re.compile(r"/[A-Za-z0-9/_.{}-]{0,80}")


class Words:
    """Values of one label that the code names itself. What has another shape, and what comes after the first `most`,
    is "other"."""

    def __init__(self, shape: re.Pattern[str] = _WORD, most: int = 100) -> None:
        self._shape = shape
        self._most = most
        self._seen: set[str] = set()

    def __call__(self, text: str) -> str:
        if text in self._seen:
            return text
        if len(self._seen) >= self._most or not self._shape.fullmatch(text):
            return OTHER
        self._seen.add(text)
        return text


def routes() -> Words:
    """Patterns of paths, as the router has them."""
    return Words(_ROUTE, 200)


def service(name: str) -> str:
    return name if name in SERVICES else OTHER


def method(name: str) -> str:
    return name if name in METHODS else OTHER


def encoder(name: str) -> str:
    return name if name in ENCODERS else OTHER


def status_class(status: int | None) -> str:
    """`2xx`; `none` where there was no answer."""
    if status is None:
        return "none"
    return f"{status // 100}xx" if 100 <= status < 600 else OTHER
