"""Provider calls, quotas and cost, as `GET /mcp/usage` shows them; `vidgend usage` makes the same of a data_dir."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, cast, get_args

from vidgend.http.answers import rfc3339
from vidgend.http.problems import InvalidFields
from vidgend.pipeline.budget.accounts import Accounts, date_of
from vidgend.pipeline.budget.allowance import Allowance
from vidgend.store.ledger import DAY_S, LedgerReads, Sums

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


async def usage_view(
    ledger: LedgerReads, accounts: Accounts, query: UsageQuery, *, owner: str | None = None
) -> dict[str, Any]:
    """`owner` sees its own calls; None sees all. Quotas and the month's cost are everybody's."""
    now = ledger.now
    money = accounts.money
    month, spent = accounts.month_so_far(now)
    totals = await ledger.totals(query.first_day, query.last_day, owner=owner)
    entries, last = await _entries(ledger, query, owner)
    return {
        "from": date_of(query.first_day),
        "to": date_of(query.last_day),
        "by": query.by,
        "currency": money.currency,
        "totals": _sums(totals),
        "month": {
            "month": date_of(month)[:7],
            "cost": round(spent, 6),
            "cap": money.monthly_cap or None,
            "left": round(max(0.0, money.monthly_cap - spent), 6) if money.monthly_cap else None,
        },
        "quotas": [
            _quota(allowance, now)
            for allowance in accounts.allowances.values()
            if allowance.windows or allowance.told or allowance.held_until > now
        ],
        "entries": entries,
        "next_cursor": None if last is None else _cursor(last),
    }


async def _entries(
    ledger: LedgerReads, query: UsageQuery, owner: str | None
) -> tuple[list[dict[str, Any]], Sequence[Any] | None]:
    """A page of them, and what the cursor to the next one holds if there is one."""
    first_day, last_day, limit = query.first_day, query.last_day, query.limit
    if query.by == "job":
        before = (query.after[0], query.after[1]) if query.after else None
        jobs = await ledger.jobs(first_day, last_day, limit=limit + 1, before=before, owner=owner)
        page = [
            {
                "job": job.job_id,
                "key": job.owner,
                "first_call_at": rfc3339(job.first_at),
                "last_call_at": rfc3339(job.last_at),
                **_sums(job.sums),
            }
            for job in jobs[:limit]
        ]
        return page, (jobs[limit - 1].first_at, jobs[limit - 1].job_id) if len(jobs) > limit else None
    if query.by == "day" and query.after:
        last_day = min(last_day, query.after[0] - 1)
    found = await ledger.entries(query.by, first_day, last_day, owner=owner)
    if query.by != "day" and query.after:
        found = [entry for entry in found if entry.name > query.after[0]]
    page = [
        {
            query.by: date_of(entry.name) if isinstance(entry.name, int) else entry.name,
            **_sums(entry.sums),
            "services": entry.services,
        }
        for entry in found[:limit]
    ]
    return page, (found[limit - 1].name,) if len(found) > limit else None


def _sums(sums: Sums) -> dict[str, Any]:
    return {
        "calls": sums.calls, "failed": sums.failed, "tokens_in": sums.tokens_in, "tokens_out": sums.tokens_out,
        "cost": round(sums.cost, 6),
    }  # fmt: skip


def _quota(allowance: Allowance, now: float) -> dict[str, Any]:
    fit = allowance.fit(now)
    told = allowance.told if allowance.told is not None and allowance.told.reset_s > now else None
    windows = [(window, allowance.used(window, now)) for window in allowance.windows]
    return {
        "service": allowance.service,
        "windows": [
            {
                "span": window.span,
                "seconds": window.length_s,
                "limit": window.limit,
                "used": used,
                "left": max(0, window.limit - used),
            }
            for window, used in windows
        ],
        "at_once": allowance.at_once(now),
        "next_request_at": rfc3339(fit.at) if fit.at > now else None,
        "waits_for": fit.reason or None,
        "told": told
        and {
            "limit": told.limit,
            "left": max(0, told.left),
            "reset_at": rfc3339(told.reset_s),
            "at": rfc3339(told.at),
        },
        "held_until": rfc3339(allowance.held_until) if allowance.held_until > now else None,
    }


def _day(text: str) -> int:
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    day = (date.fromisoformat(text) - _EPOCH).days
    if day < 0:
        raise ValueError(text)
    return day


def _cursor(last: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(last)).encode()).decode().rstrip("=")


def _from_cursor(text: str, by: By) -> tuple[Any, ...]:
    kinds: tuple[type, ...] = {"day": (int,), "job": (float, str)}.get(by, (str,))
    try:
        last = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        last = None
    if not isinstance(last, list) or [type(one) for one in last] != list(kinds) or not all(map(_plain, last)):
        raise InvalidFields([{"parameter": "cursor", "detail": "is not a next_cursor of this view"}])
    return tuple(last)


def _plain(value: int | float | str) -> bool:
    """Whether the database takes it as it is."""
    if isinstance(value, str):
        return not any("\ud800" <= letter <= "\udfff" for letter in value)
    return 0 <= value < 10**12
