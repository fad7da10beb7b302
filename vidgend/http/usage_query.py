"""What a caller wants to know of the usage: the days, by what it is summed up, and which page."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, cast, get_args

from vidgend.http.cursors import bad_cursor, from_cursor, to_cursor
from vidgend.http.problems import InvalidFields
from vidgend.store.ledger import DAY_S

By = Literal["day", "job", "key", "service"]
DEFAULT_DAYS = 30
DEFAULT_PAGE, MAX_PAGE = 100, 500
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, kw_only=True)
class UsageQuery:
    """Days since 1970 (UTC), both included. `after` is what the cursor holds."""

    first_day: int
    last_day: int
    by: By = "day"
    limit: int = DEFAULT_PAGE
    after: tuple[Any, ...] = ()


def read_query(given: Mapping[str, str], *, now: float, limit: int | None = None) -> UsageQuery:
    """Of the parameters `from`, `to`, `by` and `cursor`. Without `from` it is 30 days up to `to`, which is today if it
    is not given. Raises: InvalidFields."""
    errors: list[dict[str, str]] = []
    days: dict[str, int] = {}
    for name in ("from", "to"):
        if name in given:
            try:
                days[name] = _day(given[name])
            except ValueError:
                errors.append({"parameter": name, "detail": "must be a date such as 2026-11-27, from 1970 on"})
    by = given.get("by", "day")
    if by not in get_args(By):
        errors.append({"parameter": "by", "detail": f"must be one of {', '.join(get_args(By))}"})
    if errors:
        raise InvalidFields(errors)
    last_day = days.get("to", int(now // DAY_S))
    first_day = days.get("from", max(0, last_day - DEFAULT_DAYS + 1))
    if first_day > last_day:
        raise InvalidFields([{"parameter": "from", "detail": "is after `to`"}])
    chosen = cast(By, by)
    after = _from_cursor(given["cursor"], chosen) if "cursor" in given else ()
    return UsageQuery(first_day=first_day, last_day=last_day, by=chosen, limit=limit or DEFAULT_PAGE, after=after)


def _day(text: str) -> int:
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    day = (date.fromisoformat(text) - _EPOCH).days
    if day < 0:
        raise ValueError(text)
    return day


def cursor_of(last: Sequence[Any]) -> str:
    """The cursor of the page that begins after `last`."""
    return to_cursor(json.dumps(list(last)).encode())


def _from_cursor(text: str, by: By) -> tuple[Any, ...]:
    kinds: tuple[type, ...] = {"day": (int,), "job": (float, str)}.get(by, (str,))
    try:
        last = json.loads(from_cursor(text))
    except (ValueError, RecursionError):
        last = None
    if not isinstance(last, list) or [type(one) for one in last] != list(kinds) or not all(map(_plain, last)):
        raise bad_cursor("this view")
    return tuple(last)


def _plain(value: int | float | str) -> bool:
    """Whether the database takes it as it is."""
    if isinstance(value, str):
        return not any("\ud800" <= letter <= "\udfff" for letter in value)
    return 0 <= value < 10**12
