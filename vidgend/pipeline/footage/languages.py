"""Which of the languages that a service can search in is meant. Pure."""

from __future__ import annotations

from collections.abc import Sequence

_SAME = {"no": "nb", "nn": "nb", "iw": "he", "in": "id"}
"""Codes that are written otherwise elsewhere."""
_TRADITIONAL = ("tw", "hk", "mo", "hant")


def nearest(language: str, offered: Sequence[str]) -> str | None:
    """The one of `offered` (`de`, `de-DE`; the usual region of a language first) for a BCP-47 tag; None if there is
    none."""
    wanted = language.replace("_", "-").lower().split("-")
    same = [tag for tag in offered if _main(tag) == _SAME.get(wanted[0], wanted[0])]
    if wanted[0] == "zh" and not set(_TRADITIONAL).isdisjoint(wanted[1:]):
        same.sort(key=lambda tag: not tag.lower().endswith("-tw"))
    exact = [tag for tag in same if tag.lower() == "-".join(wanted)]
    return next(iter([*exact, *same]), None)


def _main(tag: str) -> str:
    main = tag.lower().split("-")[0]
    return _SAME.get(main, main)
