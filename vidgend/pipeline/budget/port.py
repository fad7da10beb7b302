"""The budget port: each request to a service that counts its requests, or takes money for them, passes through it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

JOB: ContextVar[str] = ContextVar("job", default="")
"""The job on whose account requests are made; the executor sets it for each step. Where several wait for one step, it
is the one that asked first."""


@dataclass(frozen=True, kw_only=True)
class Quota:
    """Requests allowed and left in the window that ends at `reset_s` (seconds since 1970), as the service said last."""

    limit: int
    remaining: int
    reset_s: float


class Call(Protocol):
    """One request under way."""

    def answered(
        self,
        status: int,
        *,
        quota: Quota | None = None,
        tokens_in: int = 0,
        tokens_out: int = 0,
        retry_after_s: float | None = None,
    ) -> None:
        """Note the HTTP status, what the service says is left, what a language model has read and written, and for how
        long the service wants no other request (with a 429)."""
        ...


class Budget(Protocol):
    def call(self, service: str, operation: str, subject: str) -> AbstractAsyncContextManager[Call]:
        """Around one request, a repeated one included: it is written down before it is sent, and its answer after.

        `service` is `pexels`, `pixabay`, `openverse` or `llm`, `operation` what is asked (`video_search`), `subject`
        of what (the words). A request that ends without `answered` is noted as not answered.
        It may wait for its turn first, so a deadline for the answer belongs inside.
        Raises: ProviderRateLimited if it would exceed a quota, BudgetSpent if it would exceed a cap, be it the job's
        owner's; nothing is sent.
        """
        ...


class _Uncounted:
    def answered(
        self,
        status: int,
        *,
        quota: Quota | None = None,
        tokens_in: int = 0,
        tokens_out: int = 0,
        retry_after_s: float | None = None,
    ) -> None:
        """Nobody counts."""


class Unlimited:
    """A budget for parts that are used by themselves, without a store."""

    @asynccontextmanager
    async def call(self, service: str, operation: str, subject: str) -> AsyncIterator[Call]:
        yield _Uncounted()
