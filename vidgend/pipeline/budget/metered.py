"""The budget of a running vidgend: each request waits for its place in the quotas, is written down, and only then sent.

One process has the data directory, so what is in its memory is all that is sent; the ledger is what a later one reads.
A place is taken without an `await` between the look and the taking, so callers at the same time never overshoot.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from vidgend.errors import BudgetSpent, DatabaseUnavailable, ProviderRateLimited, StorageFull
from vidgend.observer import NOBODY, Observer, ProviderCall
from vidgend.pipeline.budget.accounts import Accounts, called
from vidgend.pipeline.budget.allowance import LONGEST_TOLD_S
from vidgend.pipeline.budget.port import JOB, Call, Quota
from vidgend.store.ledger import LLM, Answer, Ledger

_log = logging.getLogger(__name__)
MAX_TOKENS = 10**9
"""What one answer may claim."""


class Metered:
    """`wait_s` is how long a request may wait for its place. Times by `clock`, which must be the ledger's."""

    def __init__(
        self,
        ledger: Ledger,
        accounts: Accounts,
        *,
        wait_s: float,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        observer: Observer = NOBODY,
    ) -> None:
        self._observer = observer
        self.accounts = accounts
        self._ledger = ledger
        self._wait_s = wait_s
        self._clock = clock
        self._sleep = sleep
        self._under_way: dict[str, int] = {}

    @asynccontextmanager
    async def call(self, service: str, operation: str, subject: str) -> AsyncIterator[Call]:
        """See the port. A call that is cancelled while it is being written down has been made, as far as is known."""
        if service == LLM:
            self.check_money()
        at = await self._turn(service)
        # From here on it is under way: what another answer says is left meanwhile does not know of it.
        self._under_way[service] = self._under_way.get(service, 0) + 1
        try:
            number = await self._ledger.begin(service, operation, subject, job_id=JOB.get(), at=at)
        except BaseException as error:
            self._under_way[service] -= 1
            if isinstance(error, (StorageFull, DatabaseUnavailable, ProviderRateLimited, BudgetSpent)):
                self.accounts.allowance(service).untake(at)
            raise
        call = _Call()
        began = time.monotonic()
        try:
            yield call
        finally:
            self._under_way[service] -= 1
            self._end(service, operation, number, call, seconds=time.monotonic() - began)

    def check_money(self) -> None:
        """Raises: BudgetSpent if this month's cost has reached the cap."""
        now = self._clock()
        why = self.accounts.spent_all(now)
        if why is not None:
            error = BudgetSpent(why)
            error.retry_after_s = self.accounts.month_ends_in_s(now)
            raise error

    async def check_money_of(self, owner: str) -> None:
        """Raises: BudgetSpent if this month's cost, or what of it is this owner's, has reached its cap."""
        self.check_money()
        await self._ledger.check_money(owner, at=self._clock())

    async def _turn(self, service: str) -> float:
        """Wait for a place, first come first served, and take it: the time. Raises: ProviderRateLimited."""
        allowance = self.accounts.allowance(service)
        patience_s = self._wait_s
        while True:
            now = self._clock()
            fit = allowance.fit(now)
            wait_s = fit.at - now
            if wait_s <= 0:
                allowance.take(now)
                return now
            if wait_s > patience_s:
                detail = f"{called(service)}: {fit.reason}; the next request fits at {_utc(fit.at)}"
                raise ProviderRateLimited(detail, retry_after_s=wait_s)
            patience_s -= wait_s
            allowance.promise(fit.at)
            try:
                while 0 < (left_s := fit.at - self._clock()) <= wait_s:
                    await self._sleep(left_s)
            finally:
                allowance.withdraw(fit.at)
            now = self._clock()
            # Else the service has said something else meanwhile, or the clock was set back.
            if now >= fit.at and not allowance.stopped(now):
                allowance.take(now)
                return now

    def _end(self, service: str, operation: str, number: int, call: _Call, *, seconds: float) -> None:
        now = self._clock()
        allowance = self.accounts.allowance(service)
        quota, retry_at, cost = call.quota, None, 0.0
        if quota is not None and not (quota.limit > 0 and math.isfinite(quota.reset_s)):
            quota = None
        if quota is not None:
            allowance.hear(number, quota, now=now, under_way=self._under_way[service])
        if call.retry_after_s is not None and call.retry_after_s > 0:
            retry_at = now + min(call.retry_after_s, LONGEST_TOLD_S)
            allowance.hold(retry_at)
        if service == LLM:
            cost = self.accounts.money.cost(call.tokens_in, call.tokens_out)
            self.accounts.spend(cost, now=now)
            if call.status == 200 and not call.tokens_in + call.tokens_out and self.accounts.money.priced:
                _log.warning("llm_cost_unknown", extra={"hint": "the server does not say how many tokens it used"})
        self._observer.provider_called(
            ProviderCall(
                service=service, operation=operation, status=call.status, seconds=seconds, tokens_in=call.tokens_in,
                tokens_out=call.tokens_out, cost=cost,
            )
        )  # fmt: skip
        self._ledger.end(
            number,
            service,
            Answer(
                status=call.status,
                seconds=seconds,
                tokens_in=call.tokens_in,
                tokens_out=call.tokens_out,
                cost=cost,
                quota_limit=quota.limit if quota else None,
                quota_left=quota.remaining if quota else None,
                quota_reset_at=quota.reset_s if quota else None,
                retry_at=retry_at,
            ),
        )


class _Call:
    def __init__(self) -> None:
        self.status: int | None = None
        self.quota: Quota | None = None
        self.tokens_in = 0
        self.tokens_out = 0
        self.retry_after_s: float | None = None

    def answered(
        self,
        status: int,
        *,
        quota: Quota | None = None,
        tokens_in: int = 0,
        tokens_out: int = 0,
        retry_after_s: float | None = None,
    ) -> None:
        self.status = status
        self.quota = quota
        self.tokens_in = max(0, min(tokens_in, MAX_TOKENS))
        self.tokens_out = max(0, min(tokens_out, MAX_TOKENS))
        self.retry_after_s = retry_after_s


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
