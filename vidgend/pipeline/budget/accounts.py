"""What may be asked of each service, and what may be spent: the state behind a budget, read back from the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from vidgend.pipeline.budget.allowance import Allowance, Told, Window
from vidgend.store.ledger import DAY_S, LLM, LedgerReads

_NAMES = {LLM: "the language model"}


def called(service: str) -> str:
    """A service's name for people."""
    return _NAMES.get(service, service.capitalize())


@dataclass(frozen=True, kw_only=True)
class Money:
    """What language models cost, for a million tokens read and written, and what a month may cost (0: anything)."""

    price_in: float = 0.0
    price_out: float = 0.0
    monthly_cap: float = 0.0
    currency: str = "USD"

    def cost(self, tokens_in: int, tokens_out: int) -> float:
        return (tokens_in * self.price_in + tokens_out * self.price_out) / 1e6

    @property
    def priced(self) -> bool:
        return bool(self.price_in or self.price_out)

    def told(self, amount: float) -> str:
        """`12.34 USD`."""
        return f"{amount:.2f} {self.currency}"


@dataclass(kw_only=True)
class Accounts:
    """`allowances` by service; `costs` by month, each named by its first day (days since 1970). All months are kept,
    since a clock that is set, forward or back, must not lose what was spent."""

    money: Money
    allowances: dict[str, Allowance] = field(default_factory=dict)
    costs: dict[int, float] = field(default_factory=dict)

    @classmethod
    async def read(
        cls, ledger: LedgerReads, *, quotas: Mapping[str, Sequence[Window]], money: Money, now: float
    ) -> Accounts:
        """As the ledger has it: over restarts, nothing that was sent is forgotten, nor what a service said last."""
        accounts = cls(money=money)
        for day, cost in await ledger.costs():
            accounts.spend(cost, now=day * DAY_S)
        states = await ledger.states()
        for service in dict.fromkeys((*quotas, *states)):
            windows = quotas.get(service, ())
            sent: list[float] = []
            if windows:
                since = now - 2 * max(window.length_s for window in windows)
                sent = await ledger.sent(service, since=since, last=max(window.limit for window in windows))
            told, held_until, state = None, 0.0, states.get(service)
            if state is not None and service != LLM:  # the settings may name another model by now
                held_until = state.held_until
                if state.quota_limit and state.quota_left is not None and state.quota_reset_at and state.told_at:
                    told = Told(
                        limit=state.quota_limit, left=state.quota_left, reset_s=state.quota_reset_at, at=state.told_at
                    )
            accounts.allowances[service] = Allowance(service, windows, sent=sent, told=told, held_until=held_until)
        return accounts

    def allowance(self, service: str) -> Allowance:
        return self.allowances.setdefault(service, Allowance(service, ()))

    def spend(self, cost: float, *, now: float) -> None:
        month = month_of(now)
        self.costs[month] = self.costs.get(month, 0.0) + cost

    def spent_all(self, now: float) -> str | None:
        """Why nothing that costs may be asked now; None if it may."""
        money, (month, spent) = self.money, self.month_so_far(now)
        if not money.monthly_cap or spent < money.monthly_cap:
            return None
        return (
            f"the language model has cost {money.told(spent)} this month, and usage.monthly_cap is "
            f"{money.told(money.monthly_cap)}; the next month begins on {date_of(next_month(month))}"
        )

    def month_so_far(self, now: float) -> tuple[int, float]:
        """The first day of this month, and what it has cost."""
        month = month_of(now)
        return month, self.costs.get(month, 0.0)

    def month_ends_in_s(self, now: float) -> float:
        return next_month(month_of(now)) * DAY_S - now


def month_of(at: float) -> int:
    """The first day (days since 1970) of the UTC month of a time."""
    day = datetime.fromtimestamp(at, UTC)
    return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()) // DAY_S


def next_month(month: int) -> int:
    return month_of((month + 32) * DAY_S)


def date_of(day: int) -> str:
    """`2026-11-27` from days since 1970."""
    return datetime.fromtimestamp(day * DAY_S, UTC).date().isoformat()
