"""`vidgend webhooks`: what became of a job's webhook events, and sending them again."""

from __future__ import annotations

import click

from vidgend.cli.jobs import job_argument, local_time, table
from vidgend.cli.options import Options, echo_json, json_option, shared

_ALL = ""


@click.command()
@job_argument
@click.option(
    "--redeliver", metavar="[ID]", is_flag=False, flag_value=_ALL, default=None,
    help="Send again: the event ID, or all of the job's.",
)  # fmt: skip
@json_option
@shared()
@click.pass_obj
def webhooks(options: Options, job: str, redeliver: str | None, as_json: bool) -> None:
    """Show the webhook events of a job, or send them again."""
    daemon = options.daemon()
    if redeliver is not None:
        body = None if redeliver == _ALL else {"webhook_id": redeliver}
        accepted = daemon.post_job("webhooks/{}/redeliver", job, body)
        if as_json:
            echo_json(accepted)
        else:
            for webhook_id in accepted["webhook_ids"]:
                click.echo(f"{webhook_id}: is sent again")
        return
    found = daemon.of_job("webhooks", job)
    if as_json:
        echo_json(found)
        return
    events = found.get("events") or []
    if not events:
        click.echo("no events")
        return
    rows = [
        (
            event["id"],
            event["event"],
            event["state"],
            str(event["attempts"]),
            local_time(event.get("next_at")),
            event.get("last_error") or "",
        )
        for event in events
    ]
    table(("id", "event", "state", "attempts", "next", "last error"), rows)
    for url, reason in {
        event["url"]: event.get("endpoint_reason") for event in events if event["endpoint_disabled"]
    }.items():
        click.echo(f"{url} is disabled: {reason}; --redeliver enables it again")


WEBHOOK_COMMANDS: tuple[click.Command, ...] = (webhooks,)
