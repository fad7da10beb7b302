"""Provider calls, quotas and cost, as `GET /mcp/usage` shows them; `vidgend usage` makes the same of a data_dir."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from vidgend.http.answers import rfc3339
from vidgend.http.usage_query import By, UsageQuery, cursor_of
from vidgend.http.views.base import Time, View, absent
from vidgend.pipeline.budget.accounts import Accounts, date_of, next_month
from vidgend.pipeline.budget.allowance import Allowance, Told
from vidgend.store.ledger import Entry, JobEntry, LedgerReads, Sums

_Date = Annotated[str, Field(json_schema_extra={"format": "date"})]


class SumsView(View):
    calls: int = Field(description="Requests to providers.")
    failed: int = Field(description="Those of them that failed.")
    tokens_in: int = Field(description="Tokens sent to language models.")
    tokens_out: int = Field(description="Tokens that they wrote.")
    cost: float = Field(description="What it cost, in `currency`.")


class UsageEntryView(View):
    """The calls of one day, job, key or service."""

    day: str | None = absent("The day (UTC), in a view by day.")
    job: str | None = absent("The job, in a view by job.")
    key: str | None = absent("Whose calls they are, in views by key and by job.")
    service: str | None = absent("The service, in a view by service.")
    first_call_at: Time | None = absent("When the job first called, in a view by job.")
    last_call_at: Time | None = absent("When it last did.")
    calls: int = Field(description="Requests to providers.")
    failed: int = Field(description="Those of them that failed.")
    tokens_in: int = Field(description="Tokens sent to language models.")
    tokens_out: int = Field(description="Tokens that they wrote.")
    cost: float = Field(description="What it cost, in `currency`.")
    services: dict[str, int] | None = absent("Calls of each service; not in a view by job.")


class MonthView(View):
    month: str = Field(description="The month (UTC), such as 2026-11.")
    cost: float = Field(description="What it has cost so far.")
    cap: float | None = Field(description="What it may cost; null: there is no cap.")
    left: float | None = Field(description="What is left of that.")


class WindowView(View):
    span: str = Field(description="What the length is called, such as `hour`.")
    seconds: float = Field(description="Its length in seconds.")
    limit: int = Field(description="How many requests fit into it.")
    used: int = Field(description="How many were sent within it up to now.")
    left: int = Field(description="How many are left.")


class ToldView(View):
    limit: int = Field(description="How many requests it grants.")
    left: int = Field(description="How many are left.")
    reset_at: Time | None = Field(description="When there are all again.")
    at: Time | None = Field(description="When it said so.")


class QuotaView(View):
    service: str = Field(description="Whose quota it is.")
    windows: list[WindowView] = Field(description="How much is left of each.")
    at_once: int | None = Field(description="How many requests may go now; null: nothing bounds it.")
    next_request_at: Time | None = Field(description="When the next one may go; null: now.")
    waits_for: str | None = Field(description="What it waits for.")
    told: ToldView | None = Field(description="What the service said itself.")
    held_until: Time | None = Field(description="Until when it wants no request.")


class UsageView(View):
    model_config = ConfigDict(populate_by_name=True)

    from_day: _Date = Field(alias="from", description="The first day (UTC).")
    to: _Date = Field(description="The last day (UTC).")
    by: By = Field(description="What each entry sums up.")
    currency: str = Field(description="What costs are in.")
    totals: SumsView = Field(description="All calls of these days.")
    month: MonthView = Field(description="What this month has cost.")
    quotas: list[QuotaView] = Field(description="What is left of each service's quota.")
    entries: list[UsageEntryView] = Field(description="A page of entries.")
    next_cursor: str | None = Field(description="Asks for the next page as `cursor`; null after the last one.")


async def usage_view(
    ledger: LedgerReads, accounts: Accounts, query: UsageQuery, *, owner: str | None = None
) -> UsageView:
    """`owner` sees its own calls and cost; None sees all. Quotas are everybody's."""
    now = ledger.now
    totals = await ledger.totals(query.first_day, query.last_day, owner=owner)
    entries, last = await _entries(ledger, query, owner)
    return UsageView.model_construct(
        from_day=date_of(query.first_day),
        to=date_of(query.last_day),
        by=query.by,
        currency=accounts.money.currency,
        totals=SumsView.model_construct(**_sums(totals)),
        month=await _month(ledger, accounts, now, owner),
        quotas=[
            _quota(allowance, now)
            for allowance in accounts.allowances.values()
            if allowance.windows or allowance.told or allowance.held_until > now
        ],
        entries=entries,
        next_cursor=None if last is None else cursor_of(last),
    )


async def _entries(
    ledger: LedgerReads, query: UsageQuery, owner: str | None
) -> tuple[list[UsageEntryView], Sequence[Any] | None]:
    """A page of them, and what the cursor to the next one holds if there is one."""
    first_day, last_day, limit = query.first_day, query.last_day, query.limit
    if query.by == "job":
        before = (query.after[0], query.after[1]) if query.after else None
        jobs = await ledger.jobs(first_day, last_day, limit=limit + 1, before=before, owner=owner)
        last = (jobs[limit - 1].first_at, jobs[limit - 1].job_id) if len(jobs) > limit else None
        return [_of_job(job) for job in jobs[:limit]], last
    if query.by == "day" and query.after:
        last_day = min(last_day, query.after[0] - 1)
    found = await ledger.entries(query.by, first_day, last_day, owner=owner)
    if query.by != "day" and query.after:
        found = [entry for entry in found if entry.name > query.after[0]]
    more = len(found) > limit
    return [_entry(query.by, entry) for entry in found[:limit]], (found[limit - 1].name,) if more else None


def _entry(by: By, entry: Entry) -> UsageEntryView:
    name = date_of(entry.name) if isinstance(entry.name, int) else entry.name
    return UsageEntryView.model_construct(
        day=name if by == "day" else None,
        key=name if by == "key" else None,
        service=name if by == "service" else None,
        **_sums(entry.sums),
        services=entry.services,
    )


def _of_job(job: JobEntry) -> UsageEntryView:
    return UsageEntryView.model_construct(
        job=job.job_id,
        key=job.owner,
        first_call_at=rfc3339(job.first_at),
        last_call_at=rfc3339(job.last_at),
        **_sums(job.sums),
    )


def _sums(sums: Sums) -> dict[str, Any]:
    return {
        "calls": sums.calls, "failed": sums.failed, "tokens_in": sums.tokens_in, "tokens_out": sums.tokens_out,
        "cost": round(sums.cost, 6),
    }  # fmt: skip


async def _month(ledger: LedgerReads, accounts: Accounts, now: float, owner: str | None) -> MonthView:
    month, spent = accounts.month_so_far(now)
    cap = accounts.money.monthly_cap
    if owner is not None:
        spent, cap = (await ledger.totals(month, next_month(month) - 1, owner=owner)).cost, 0.0
    return MonthView.model_construct(
        month=date_of(month)[:7],
        cost=round(spent, 6),
        cap=cap or None,
        left=round(max(0.0, cap - spent), 6) if cap else None,
    )


def _quota(allowance: Allowance, now: float) -> QuotaView:
    fit = allowance.fit(now)
    told = allowance.told if allowance.told is not None and allowance.told.reset_s > now else None
    windows = [(window, allowance.used(window, now)) for window in allowance.windows]
    return QuotaView.model_construct(
        service=allowance.service,
        windows=[
            WindowView.model_construct(
                span=window.span,
                seconds=window.length_s,
                limit=window.limit,
                used=used,
                left=max(0, window.limit - used),
            )
            for window, used in windows
        ],
        at_once=allowance.at_once(now),
        next_request_at=rfc3339(fit.at) if fit.at > now else None,
        waits_for=fit.reason or None,
        told=_told(told) if told else None,
        held_until=rfc3339(allowance.held_until) if allowance.held_until > now else None,
    )


def _told(told: Told) -> ToldView:
    return ToldView.model_construct(
        limit=told.limit, left=max(0, told.left), reset_at=rfc3339(told.reset_s), at=rfc3339(told.at)
    )
