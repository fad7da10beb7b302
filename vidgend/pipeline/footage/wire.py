"""What the answers of stock services have in common: links, words, colours, sizes. All of it is hostile. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from vidgend.errors import ProviderGarbage
from vidgend.models import Candidate

Page = TypeVar("Page", bound=BaseModel)
_SLUG = re.compile(r"/([^/?#]*?)-?(\d+)/?(?:[?#].*)?$")
_RGB = re.compile(r"#[0-9a-fA-F]{6}")
MAX_LINK_CHARS = 2000
_MAX_PAGE_CHARS = 500
_MAX_WORDS_CHARS = 300
_MAX_TAGS = 60
_MAX_TAG_CHARS = 60
MAX_SIDE_PX = 100_000


class Senseless(Exception):
    """Inside a wire only: this entry cannot be used."""


def parse_page(body: bytes, shape: type[Page], *, name: str) -> Page:
    """The answer as a whole. Raises: ProviderGarbage."""
    try:
        return shape.model_validate(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise ProviderGarbage(f"{name} sent something else than a search answer") from error


def parse_entries(entries: list[Any], parse: Callable[[Any], Candidate | None], *, name: str) -> tuple[Candidate, ...]:
    """The candidates in the service's order, each id once. Entries that make no sense (`parse` raises Senseless or
    ValidationError) are left out, and so are those that are not wanted (None).

    Raises: ProviderGarbage if not one of them makes sense.
    """
    found: dict[str, Candidate] = {}
    sense = False
    for raw in entries:
        try:
            candidate = parse(raw)
        except (ValidationError, Senseless):
            continue
        sense = True
        if candidate is not None:
            found.setdefault(candidate.id, candidate)
    if entries and not sense:
        raise ProviderGarbage(f"{name} sent entries that cannot be used")
    return tuple(found.values())


def is_link(url: Any) -> bool:
    return isinstance(url, str) and url.startswith(("https://", "http://")) and len(url) <= MAX_LINK_CHARS


def web(url: Any) -> str:
    """A page that a person may be led to, or ""."""
    return url if is_link(url) and len(url) <= _MAX_PAGE_CHARS else ""


def words(text: Any) -> str:
    """One line of text for people, of bounded length."""
    if not isinstance(text, str):
        return ""
    shown = "".join(char if char.isprintable() else " " for char in text[: 4 * _MAX_WORDS_CHARS])
    return " ".join(shown.split())[:_MAX_WORDS_CHARS].rstrip()


def slug_words(url: str) -> str:
    """`a pet dog on a couch` from `https://www.pexels.com/video/a-pet-dog-on-a-couch-2834230/`; "" without words."""
    match = _SLUG.search(url[:MAX_LINK_CHARS])
    return words(match.group(1).replace("-", " ")) if match else ""


def tags_of(names: Iterable[Any]) -> tuple[str, ...]:
    """Each tag once, in order."""
    clean = (words(name) for name in names)
    return tuple(dict.fromkeys(tag for tag in clean if 0 < len(tag) <= _MAX_TAG_CHARS))[:_MAX_TAGS]


def rgb(colour: Any) -> str | None:
    """`#rrggbb`, or None."""
    return colour.lower() if isinstance(colour, str) and _RGB.fullmatch(colour) else None


def told_bytes(size: Any) -> int:
    """How large a file is said to be; 0 if that is not said."""
    return size if isinstance(size, int) and not isinstance(size, bool) and size > 0 else 0


def fitted(width_px: int, height_px: int, most_px: tuple[int, int]) -> tuple[int, int]:
    """The size of a picture that was made smaller, if need be, to fit into a box."""
    scale = min(1.0, most_px[0] / width_px, most_px[1] / height_px)
    return max(1, round(width_px * scale)), max(1, round(height_px * scale))
