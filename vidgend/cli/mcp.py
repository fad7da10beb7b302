"""`vidgend mcp`: an MCP server on stdin and stdout, for desktop hosts that start their servers themselves."""

from __future__ import annotations

import click

from vidgend.cli.options import Options, daemon_at, shared


@click.command()
@shared()
@click.pass_obj
def mcp(options: Options) -> None:
    """Speak the Model Context Protocol on stdin and stdout, for Claude Desktop and the like (docs/mcp.md).

    It works on the daemon at --url, which need not run yet. Stdout is the protocol's; all else is on stderr.
    """
    import asyncio

    from vidgend.logs import set_up_logging

    settings = options.settings()
    daemon = daemon_at(options.url, settings)
    from vidgend.mcp.stdio import serve

    set_up_logging("debug" if options.verbose else "warning", "text", settings.redactor())
    asyncio.run(serve(daemon.url, api_key=settings.http.api_key.get_secret_value(), tls=daemon.tls))
