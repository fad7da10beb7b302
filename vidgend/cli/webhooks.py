"""`vidgend webhooks JOB | secret | test`: a job's webhook events, and what signs and reaches their receivers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from vidgend.cli.data_dir import FOUND_WRONG
from vidgend.cli.jobs import job_argument, local_time, table
from vidgend.cli.options import Options, echo_json, json_option, shared, shown
from vidgend.errors import NotFound

_ALL = ""
_JOB = "job"
_TEST_TIMEOUT_S = 30.0
"""The daemon's own deadline for a call, and some more."""


class _JobOrCommand(click.Group):
    """A group of which the word `job` may be left out: `vidgend webhooks JOB`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [_JOB, *args]
        return super().parse_args(ctx, args)


@click.group(cls=_JobOrCommand, subcommand_metavar="JOB | COMMAND [ARGS]...")
def webhooks() -> None:
    """The webhook events of a job (`vidgend webhooks JOB`), and their receivers."""


@webhooks.command(_JOB)
@job_argument
@click.option(
    "--redeliver", metavar="[ID]", is_flag=False, flag_value=_ALL, default=None,
    help="Send again: the event ID, or all of the job's.",
)  # fmt: skip
@click.option("--log", is_flag=True, help="Every attempt: when, how long, what came of it.")
@json_option
@shared()
@click.pass_obj
def job_events(options: Options, job: str, redeliver: str | None, log: bool, as_json: bool) -> None:
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
    if log:
        for event in events:
            _print_log(event)
    for url, reason in {
        event["url"]: event.get("endpoint_reason") for event in events if event["endpoint_disabled"]
    }.items():
        click.echo(f"{url} is disabled: {reason}; --redeliver enables it again")


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _print_log(event: dict[str, Any]) -> None:
    rows = [
        (local_time(one["at"]), str(one["status"] or "-"), f"{one['duration_ms']} ms", one.get("error") or "delivered")
        for one in event.get("attempt_log") or ()
    ]
    click.echo(f"\n{event['id']}:" if rows else f"\n{event['id']}: not tried yet")
    if rows:
        table(("at", "status", "took", "what"), rows)


@webhooks.command()
@click.argument("receiver", metavar="URL")
@click.option("--rotate", is_flag=True, help="Make a new one; the old one signs as well for 24 hours.")
@click.option("--remove", is_flag=True, help="Forget it: webhooks.secret signs again, as for all others.")
@click.option("--owner", default="", metavar="OWNER", help="Whose jobs: an owner of keys.  [default: the only one]")
@json_option
@shared()
@click.pass_obj
def secret(options: Options, receiver: str, rotate: bool, remove: bool, owner: str, as_json: bool) -> None:
    """Show the signing secret of a receiver, which is made if it has none of its own yet.

    Works on data_dir, also while the daemon runs. URL is a callback_url; its query does not matter.
    """
    import time

    from vidgend.cli.data_dir import disk_errors
    from vidgend.http.callback_url import check_callback_url
    from vidgend.http.webhook_signing import endpoint_of, new_secret
    from vidgend.store.beside import writing_beside
    from vidgend.store.webhook_secrets import forget_secret, keep_secret

    if rotate and remove:
        raise click.UsageError("--rotate and --remove exclude each other")
    settings = options.settings()
    check_callback_url(receiver, settings.egress.for_webhooks, pointer="URL")
    endpoint, path = endpoint_of(receiver), settings.data_dir / "vidgend.db"
    with disk_errors(settings):
        if remove:
            with writing_beside(path) as rows:
                known = forget_secret(rows, owner=owner, endpoint=endpoint)
            if not known:
                raise NotFound(f"{endpoint} has no secret of its own")
            if as_json:
                echo_json({"endpoint": endpoint, "removed": True})
            else:
                click.echo(f"{endpoint}: signed with webhooks.secret from now on")
            return
        with writing_beside(path) as rows:
            found, new = keep_secret(
                rows, owner=owner, endpoint=endpoint, fresh=new_secret(), now=time.time(), rotate=rotate
            )
    until = _utc(found.previous_until) if found.previous_until > time.time() else None
    if as_json:
        told = {"endpoint": endpoint, "secret": found.secret, "created_at": _utc(found.created_at)}
        echo_json({**told, "new": new, "previous_valid_until": until})
        return
    click.echo(found.secret)
    if until is not None:
        before = "webhooks.secret" if found.previous is None else "the one before"
        click.echo(f"{endpoint}: {before} signs as well until {local_time(until)}", err=True)


@webhooks.command("test")
@click.argument("receiver", metavar="URL")
@click.option("--local", is_flag=True, help="Send it from this process, with the settings and data_dir here.")
@json_option
@shared()
@click.pass_context
def test_receiver(ctx: click.Context, receiver: str, local: bool, as_json: bool) -> None:
    """Send a signed test event to a receiver and tell what came of it. The exit code is 1 if it was not taken."""
    options = ctx.ensure_object(Options)
    if local:
        from vidgend.cli.webhook_test_here import send_test_here

        told = send_test_here(options.settings(), receiver)
    else:
        told = options.daemon().call("POST", "/mcp/webhooks/test", {"url": receiver}, timeout_s=_TEST_TIMEOUT_S)
    if as_json:
        echo_json(told)
    else:
        _print_test(receiver, told)
    if not told["delivered"]:
        ctx.exit(FOUND_WRONG)


def _print_test(url: str, told: dict[str, Any]) -> None:
    status = "" if told["status"] is None else f"HTTP {told['status']}, "
    came = "taken" if told["delivered"] else "not taken"
    click.echo(f"{came}: {status}{told['duration_ms']} ms")
    if told["error"] and not told["status"]:
        click.echo(f"  {shown(told['error'])}")
    if not told["delivered"]:
        click.echo("  a receiver has to answer 2xx; redirects are not followed")
    for name, value in told["headers"].items():
        click.echo(f"  {name}: {value}")
    click.echo(f"  body: {told['body']}")
    which = "its own secret" if told["own_secret"] else "webhooks.secret"
    own = f" (`vidgend webhooks secret {url}` shows it)" if told["own_secret"] else ""
    click.echo(f"signed with {which}{own}; to verify it: docs/webhooks.md, or any Standard Webhooks library")


WEBHOOK_COMMANDS: tuple[click.Command, ...] = (webhooks,)
