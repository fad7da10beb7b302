"""`vidgend serve`: the daemon in the foreground, as systemd and containers want it."""

from __future__ import annotations

from typing import Any

import click

from vidgend.cli.options import Options, shared


@click.command()
@click.option("--host", help="Instead of the setting http.host.")
@click.option("--port", type=click.IntRange(0, 65535), help="Instead of the setting http.port; 0 takes a free one.")
@shared()
@click.pass_obj
def serve(options: Options, host: str | None, port: int | None) -> None:
    """Run the daemon until SIGTERM or Ctrl-C.

    It prints `vidgend ready on http://HOST:PORT` when it answers. Jobs that were under way go on after a restart.
    """
    import asyncio

    overrides: dict[str, Any] = {}
    if host is not None:
        overrides["http.host"] = host
    if port is not None:
        overrides["http.port"] = port
    if options.verbose:
        overrides["log.level"] = "debug"
    settings = options.settings(**overrides)
    from vidgend.cli.here import data_dir_errors
    from vidgend.daemon import serve as run

    with data_dir_errors(settings):
        asyncio.run(run(settings))
