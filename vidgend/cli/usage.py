"""`vidgend usage`: what was asked of the providers, what their quotas leave, and what the language model has cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from vidgend.cli.jobs import local_time, table
from vidgend.cli.options import Options, echo_json, json_option, shared

if TYPE_CHECKING:
    from vidgend.settings import Settings

_HEADS = {"day": "day (UTC)", "job": "job", "key": "key", "service": "service"}


@click.command()
@click.option("--by", type=click.Choice(("day", "job", "key", "service")), default="day", show_default=True,
              help="One line for each of these.")  # fmt: skip
@click.option("--from", "first", metavar="DATE", help="The first day (UTC), such as 2026-11-01.  [default: 30 days]")
@click.option("--to", "last", metavar="DATE", help="The last day.  [default: today]")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True, help="At most so many lines.")
@click.option("--local", is_flag=True, help="Read data_dir in this process, even if a daemon runs.")
@json_option
@shared()
@click.pass_obj
def usage(
    options: Options, by: str, first: str | None, last: str | None, limit: int, local: bool, as_json: bool
) -> None:
    """Show the calls to footage providers and the language model: how many, what is left, what they cost.

    Asks the daemon if one answers, else reads data_dir.
    """
    if local and options.url:
        raise click.UsageError("--local cannot be combined with --url.")
    asked = {name: value for name, value in (("by", by), ("from", first), ("to", last)) if value is not None}
    hint = "Start one with `vidgend serve`, or leave --url out to read data_dir."
    daemon = None if local else options.daemon_if_alive(needed=options.url is not None, hint=hint)
    found = _here(options.settings(), asked, limit) if daemon is None else daemon.get(
        "/mcp/usage", limit=limit, **asked
    )  # fmt: skip
    if as_json:
        echo_json(found)
    else:
        print_usage(found)


async def here(settings: Settings, asked: dict[str, str], limit: int) -> dict[str, Any]:
    """The daemon's answer, made from its database."""
    from vidgend.cli.data_dir import reading_rows
    from vidgend.http.usage_query import read_query
    from vidgend.http.views.base import dump
    from vidgend.http.views.usage import usage_view
    from vidgend.parts import read_accounts
    from vidgend.store.ledger import LedgerReads

    async with reading_rows(settings) as reads:
        ledger = LedgerReads(reads)
        query = read_query(asked, now=ledger.now, limit=limit)
        return dump(await usage_view(ledger, await read_accounts(settings, ledger), query))


def _here(settings: Settings, asked: dict[str, str], limit: int) -> dict[str, Any]:
    """Of the data directory. Runs beside a daemon. Raises: NotFound, BadInput."""
    import asyncio

    from vidgend.cli.data_dir import disk_errors

    with disk_errors(settings):
        return asyncio.run(here(settings, asked, limit))


def print_usage(found: dict[str, Any]) -> None:
    click.echo(f"{found['from']} to {found['to']}")
    by, entries = found["by"], found["entries"]
    priced = bool(found["totals"]["cost"])
    if entries:
        head = (_HEADS[by], "calls", "failed", "tokens read", "written", *(("cost",) if priced else ()), "")
        total = {by: "all", **found["totals"]}
        table(head, [_row(entry, by, found["currency"], priced) for entry in (*entries, total)])
        if found["next_cursor"]:
            click.echo(f"(the first {len(entries)}; --limit shows more)")
    else:
        click.echo("no calls")
    for quota in found["quotas"]:
        for line in quota_lines(quota):
            click.echo(line)
    month = found["month"]
    if month["cost"] or month["cap"]:
        cap = f" of {money(month['cap'], found['currency'])} (usage.monthly_cap)" if month["cap"] else ""
        click.echo(f"{month['month']}: the language model has cost {money(month['cost'], found['currency'])}{cap}")


def quota_lines(quota: dict[str, Any]) -> list[str]:
    """What a service's quotas leave, in words."""
    name = quota["service"]
    windows = [f"{one['used']} of {one['limit']} this {one['span']}" for one in quota["windows"]]
    lines = [f"{name}: {', '.join(windows)}"] if windows else []
    told = quota.get("told")
    if told:
        lines.append(f"{name} says: {told['left']} of {told['limit']} left until {local_time(told['reset_at'])}")
    if quota.get("next_request_at"):
        lines.append(f"{name}: the next request fits at {local_time(quota['next_request_at'])}: {quota['waits_for']}")
    return lines


def money(amount: float, currency: str) -> str:
    return f"{amount:.2f} {currency}" if amount >= 0.01 or not amount else f"{amount:.4f} {currency}"


def _row(entry: dict[str, Any], by: str, currency: str, priced: bool) -> tuple[str, ...]:
    services = (entry.get("services") or {}) if by != "service" else {}
    return (
        str(entry[by]) or "(none)",
        *(f"{entry[name]:,}" for name in ("calls", "failed", "tokens_in", "tokens_out")),
        *((money(entry["cost"], currency),) if priced else ()),
        ", ".join(f"{service} {calls:,}" for service, calls in services.items())
        or (local_time(entry["first_call_at"]) if "first_call_at" in entry else ""),
    )
