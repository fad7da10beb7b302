"""`vidgend cancel | retry | delete`: what can be done to a job in a running daemon."""

from __future__ import annotations

import click

from vidgend.cli.exits import exit_code
from vidgend.cli.jobs import job_argument
from vidgend.cli.options import Options, echo_json, json_option, report, shared
from vidgend.errors import DaemonUnreachable, VidgendError


@click.command()
@job_argument
@json_option
@shared()
@click.pass_obj
def cancel(options: Options, job: str, as_json: bool) -> None:
    """Cancel a job; its work has stopped when this returns."""
    found = options.daemon().cancel(job)
    if as_json:
        echo_json(found)
    else:
        click.echo(f"{found['job_id']}: {found['status']}")


@click.command()
@job_argument
@json_option
@shared()
@click.pass_obj
def retry(options: Options, job: str, as_json: bool) -> None:
    """Send a failed or cancelled job again; what it had finished is not done again."""
    found = options.daemon().post_job("retry/{}", job)
    if as_json:
        echo_json(found)
    else:
        click.echo(f"{found['job_id']}: {found['status']}")


@click.command()
@click.argument("jobs", nargs=-1, required=True, metavar="JOB...")
@json_option
@shared()
@click.pass_context
def delete(ctx: click.Context, jobs: tuple[str, ...], as_json: bool) -> None:
    """Delete ended jobs and their files for good."""
    options = ctx.ensure_object(Options)
    daemon = options.daemon()
    deleted: list[str] = []
    refused: dict[str, VidgendError] = {}
    for job in dict.fromkeys(jobs):
        try:
            daemon.delete(job)
        except DaemonUnreachable:
            raise
        except VidgendError as error:
            refused[job] = error
        else:
            deleted.append(job)
            if not as_json:
                click.echo(f"{job}: deleted")
    if as_json:
        why = {job: {"code": why_not.code, "detail": why_not.detail} for job, why_not in refused.items()}
        echo_json({"deleted": deleted, "refused": why})
    for job, why_not in refused.items():
        why_not.detail = f"{job}: {why_not.detail}"
        report(why_not, verbose=options.verbose)
    if refused:
        ctx.exit(exit_code(next(iter(refused.values()))))


JOB_ACTIONS: tuple[click.Command, ...] = (cancel, retry, delete)
