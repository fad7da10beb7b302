"""`vidgend queue | pause | resume`: the queue of a running daemon as a whole."""

from __future__ import annotations

from typing import Any

import click

from vidgend.cli.jobs import local_time
from vidgend.cli.options import Options, echo_json, json_option, shared


@click.command()
@json_option
@shared()
@click.pass_obj
def queue(options: Options, as_json: bool) -> None:
    """Say whether the queue is paused and how many jobs there are in each state."""
    print_queue(options.daemon().get("/mcp/queue"), as_json=as_json)


@click.command()
@click.option("--reason", metavar="TEXT", help="Is shown to everybody whose job waits.")
@json_option
@shared()
@click.pass_obj
def pause(options: Options, reason: str | None, as_json: bool) -> None:
    """Begin no more jobs until `vidgend resume`, over restarts too; what runs goes on."""
    body = None if reason is None else {"reason": reason}
    print_queue(options.daemon().call("POST", "/mcp/pause", body), as_json=as_json)


@click.command()
@json_option
@shared()
@click.pass_obj
def resume(options: Options, as_json: bool) -> None:
    """Begin jobs again after `vidgend pause`."""
    print_queue(options.daemon().call("POST", "/mcp/resume"), as_json=as_json)


def print_queue(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        echo_json(found)
        return
    if found["paused"]:
        reason = f": {found['reason']}" if found.get("reason") else ""
        click.echo(f"the queue is paused since {local_time(found['paused_at'])}{reason}")
    else:
        click.echo("the queue is open")
    counts = {state: count for state, count in (found.get("jobs") or {}).items() if count}
    if counts:
        click.echo(", ".join(f"{count} {state}" for state, count in counts.items()))


QUEUE_COMMANDS: tuple[click.Command, ...] = (queue, pause, resume)
