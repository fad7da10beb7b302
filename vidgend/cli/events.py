"""`vidgend events`: what happens to jobs in a running daemon, line by line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from vidgend.cli.options import Options, json_option, shared, shown
from vidgend.cli.progress import View
from vidgend.errors import DaemonUnreachable, Draining

if TYPE_CHECKING:
    from vidgend.client.daemon import Daemon
    from vidgend.client.event_stream import StreamEvent

AGAIN_S = 2.0


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
    from vidgend.cli.follow import PATIENCE_S, at_rest
    from vidgend.client.event_stream import NoEvents

    heard_at = time.monotonic()
    while True:
        try:
            with closing(daemon.events(job, last_id=last_id)) as stream:
                for event in stream:
                    heard_at = time.monotonic()
                    last_id = event.id or last_id
                    yield event
                    if job is not None and at_rest(event):
                        return
            if job is not None and View.of_status(daemon.of_job("status", job)).at_rest:
                return
        except NoEvents as error:
            raise DaemonUnreachable(str(error), hint="`vidgend status JOB --watch` works without them.") from None
        except (DaemonUnreachable, Draining):
            if time.monotonic() - heard_at > PATIENCE_S:
                raise
        time.sleep(AGAIN_S)


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
