"""`vidgend events`: what happens to jobs in a running daemon, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from vidgend.cli.options import Options, json_option, shared, shown
from vidgend.cli.progress import View
from vidgend.errors import DaemonUnreachable

if TYPE_CHECKING:
    from vidgend.client.daemon import Daemon
    from vidgend.client.event_stream import StreamEvent


@click.command()
@click.argument("job", required=False, metavar="[JOB]")
@click.option("--after", metavar="ID", default="", help="First what came after this event, of an earlier --json.")
@json_option
@shared()
@click.pass_obj
def events(options: Options, job: str | None, after: str, as_json: bool) -> None:
    """Print what happens to JOB until it has ended, or to all jobs.

    With --json one object a line, progress included.
    """
    import json

    for event in _all(options.daemon(), job, after):
        if as_json:
            line = {"id": event.id or None, "event": event.name, "data": event.data}
            click.echo(json.dumps(line, ensure_ascii=False))
        else:
            for text in _lines(event):
                click.echo(shown(text))


def _all(daemon: Daemon, job: str | None, last_id: str) -> Iterator[StreamEvent]:
    """Over restarts of the daemon. Raises: DaemonUnreachable when it stays away, NotFound and the like."""
    from vidgend.client.event_stream import NoEvents
    from vidgend.client.following import follow_events

    try:
        yield from follow_events(
            daemon, job, last_id=last_id, known=False,
            state_of=lambda one: str(daemon.of_job("status", one).get("status")),
        )  # fmt: skip
    except NoEvents as error:
        raise DaemonUnreachable(str(error), hint="`vidgend status JOB --watch` works without them.") from None


def _lines(event: StreamEvent) -> Iterator[str]:
    data = event.data
    if event.name == "progress":
        return
    at = datetime.fromisoformat(data["at"]).astimezone() if data.get("at") else datetime.now()
    head = f"{at:%Y-%m-%d %H:%M:%S}"
    if event.name == "reset":
        yield f"{head}  what came after event {data.get('last_event_id')} is not kept"
        return
    for one in data.get("jobs", [data]):
        yield f"{head}  {one.get('job_id')}  {_text(event.name, one)}"


def _text(name: str, data: dict[str, Any]) -> str:
    if name == "snapshot":
        return f"is {data.get('status')}, {View.of_status(data).whole_percent}%"
    if name == "status":
        error = data.get("error")
        return f"{data.get('status')}: {error.get('detail')}" if error else str(data.get("status"))
    if name == "log":
        return f"  {data.get('line')}"
    if name == "storyboard":
        return f"storyboard version {data.get('version')} by {data.get('author')}"
    return name
