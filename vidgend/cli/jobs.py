"""`vidgend status | result | prefetch | list`: jobs in a running daemon."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from vidgend.cli.options import Options, echo_json, json_option, shared, shown
from vidgend.cli.outcome import human_bytes, print_outcome, remarks
from vidgend.cli.progress import View, span

if TYPE_CHECKING:
    from vidgend.client.daemon import Daemon

_LOG_LINES = 8
_TEXT_CHARS = 60

job_argument = click.argument("job", metavar="JOB")


@click.command()
@job_argument
@click.option("-w", "--watch", is_flag=True, help="Follow the job to its end; then the exit code is the job's.")
@json_option
@shared()
@click.pass_obj
def status(options: Options, job: str, watch: bool, as_json: bool) -> None:
    """Say how far a job is."""
    daemon = options.daemon()
    if watch:
        watch_job(daemon, job, as_json=as_json)
    else:
        print_status(daemon.of_job("status", job), as_json=as_json)


def watch_job(daemon: Daemon, job: str, *, as_json: bool) -> None:
    """Follow a job to its end and print its last status. Raises: what it failed with."""
    from vidgend.cli.follow import follow
    from vidgend.cli.progress import make_reporter
    from vidgend.client.problems import raise_failure

    reporter = make_reporter()
    try:
        found = follow(daemon, job, reporter)
    finally:
        reporter.close()
    print_status(found, as_json=as_json)
    raise_failure(found)


def print_status(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        echo_json(found)
        return
    view = View.of_status(found)
    parts = [f"{found['status']}, {view.whole_percent}%"]
    if found.get("current_step") not in (None, "", "done", found["status"]):
        parts.append(str(found["current_step"]))
    if view.eta:
        parts.append(view.eta)
    click.echo(f"{found['job_id']}: {'; '.join(parts)}")
    for line in (found.get("logs") or [])[-_LOG_LINES:]:
        click.echo(f"  {shown(line)}")
    error = found.get("error")
    if error and error.get("hint"):
        click.echo(f"hint: {shown(error['hint'])}")


@click.command()
@job_argument
@click.option("-o", "--output", help="Fetch the video to this file or folder.")
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
@click.option("--only-video", is_flag=True, help="Leave out the subtitles, word times, thumbnail and text beside it.")
@json_option
@shared()
@click.pass_obj
def result(options: Options, job: str, output: str | None, force: bool, only_video: bool, as_json: bool) -> None:
    """Show the result of a finished job, or fetch it with -o."""
    daemon = options.daemon()
    if output is not None:
        from vidgend.cli.follow import fetch_result, stopping_signals
        from vidgend.cli.target import choose_target

        began = time.monotonic()
        target = choose_target(output, title=job, force=force, only_video=only_video)
        with stopping_signals():
            found, written = fetch_result(daemon, job, target)
        print_outcome(found, written, seconds=time.monotonic() - began, as_json=as_json, verb="fetched")
        return
    found = daemon.of_job("result", job)
    if as_json:
        echo_json(found)
    elif found.get("kind") == "prefetch":
        click.echo(f"{len(found.get('clips') or ())} clips are in the store")
        tell_failed(found)
    else:
        facts = [f"{float(found['duration']):.1f} s", f"{found['width']}x{found['height']}"]
        click.echo(f"{found['video_url']}\n{', '.join([*facts, human_bytes(found['size_bytes'])])}")
        for other in (found.get("outputs") or [])[1:]:
            facts = [f"{float(other['duration']):.1f} s", f"{other['width']}x{other['height']}"]
            click.echo(f"{other['name']}: {other['video_url']}\n{', '.join(facts)}")
        for line in remarks(found):
            click.echo(shown(line))


def tell_failed(found: Mapping[str, Any]) -> None:
    """What a prefetch could not get."""
    for line in found.get("failed") or ():
        click.echo(f"note: {shown(line)}")


@click.command()
@click.argument("queries", nargs=-1, metavar="[QUERY]...")
@click.option("--prompt", help="What its video would show; `vidgend generate --prefetch` takes more options.")
@click.option("--storyboard", metavar="JOB", help="What the storyboard of this job shows.")
@click.option("--orientation", metavar="NAME", help="landscape, portrait or square.")
@click.option("--per-query", metavar="N", help="Clips for each search or scene, 1 to 20.  [default: 3, for a scene 1]")
@click.option("-w", "--watch", is_flag=True, help="Wait until the clips are here.")
@json_option
@shared()
@click.pass_obj
def prefetch(options: Options, /, queries: tuple[str, ...], watch: bool, as_json: bool, **wished: str | None) -> None:
    """Fetch clips ahead of time, so that later videos find them here, with or without a network.

    They are kept until the job is deleted.
    """
    if sum(map(bool, (queries, wished["prompt"], wished["storyboard"]))) != 1:
        raise click.UsageError("Give one or more QUERY arguments, or --prompt, or --storyboard.")
    from vidgend.cli.request import checked, number
    from vidgend.http.wire import PrefetchBody

    given = {"queries": queries or None, **wished, "per_query": number(wished["per_query"])}
    body = checked(PrefetchBody, {name: value for name, value in given.items() if value is not None})
    daemon, request = options.daemon(), body.model_dump(mode="json", exclude_unset=True)
    if not watch:
        accepted = daemon.submit("/mcp/prefetch", request)
        if as_json:
            echo_json(accepted)
        else:
            click.echo(accepted["job_id"])
        return
    from vidgend.cli.follow import ending_cancels, follow
    from vidgend.cli.progress import make_reporter
    from vidgend.client.problems import raise_failure

    reporter = make_reporter()  # before there is a job: what stops the command meanwhile leaves none behind
    try:
        job = str(daemon.submit("/mcp/prefetch", request)["job_id"])
        with ending_cancels(daemon, job):
            ended = follow(daemon, job, reporter)
    finally:
        reporter.close()
    raise_failure(ended)
    found = daemon.of_job("result", job)
    if as_json:
        echo_json(found)
    else:
        click.echo(f"{job}: {len(found.get('clips') or ())} clips are in the store")
        tell_failed(found)


@click.command(name="list")
@click.option("--state", help="Only jobs in this state, such as queued, rendering, completed or failed.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="So many, newest first.")
@json_option
@shared()
@click.pass_obj
def list_jobs(options: Options, state: str | None, limit: int, as_json: bool) -> None:
    """List the daemon's jobs, newest first."""
    found = options.daemon().get("/mcp/jobs", state=state, limit=limit)
    if as_json:
        echo_json(found)
        return
    jobs = found.get("jobs") or []
    if not jobs:
        click.echo("no jobs")
        return
    rows = [
        (
            job["job_id"],
            job["status"],
            f"{float(job.get('overall_progress') or 0):.0f}%",
            local_time(job.get("created_at")),
            took(job),
            cut(job.get("prompt") or ""),
        )
        for job in jobs
    ]
    table(("job", "state", "done", "sent", "took", "about"), rows)
    if found.get("next_cursor"):
        click.echo(f"(the newest {len(jobs)}; --limit shows more)")


def cut(text: str, width: int = _TEXT_CHARS) -> str:
    """The text on one line, at most `width` characters."""
    flat = shown(" ".join(text.split()))
    return flat if len(flat) <= width else flat[: width - 3].rstrip() + "..."


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Columns as wide as their widest cell; the last one is not padded."""
    rows = [tuple(shown(" ".join(cell.splitlines())) for cell in row) for row in rows]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def local_time(rfc3339: str | None) -> str:
    """`2026-11-25 23:12` in this machine's time zone."""
    return datetime.fromisoformat(rfc3339).astimezone().strftime("%Y-%m-%d %H:%M") if rfc3339 else ""


def took(job: dict[str, Any]) -> str:
    """How long a finished job ran."""
    if not (job.get("started_at") and job.get("finished_at")):
        return ""
    began, ended = (datetime.fromisoformat(job[name]) for name in ("started_at", "finished_at"))
    return span((ended - began).total_seconds())


JOB_COMMANDS: tuple[click.Command, ...] = (status, result, prefetch, list_jobs)
