"""The command line. Each file holds a group of commands; what they need is imported when they run, not before."""

from __future__ import annotations

import click

from vidgend import __version__
from vidgend.cli.catalogue import styles
from vidgend.cli.config import config
from vidgend.cli.doctor import doctor
from vidgend.cli.events import events
from vidgend.cli.exits import EXITS
from vidgend.cli.generate import generate
from vidgend.cli.job_actions import JOB_ACTIONS
from vidgend.cli.jobs import JOB_COMMANDS
from vidgend.cli.keys import keys
from vidgend.cli.library import library
from vidgend.cli.maintenance import MAINTENANCE_COMMANDS
from vidgend.cli.mcp import mcp
from vidgend.cli.models import models
from vidgend.cli.options import Commands, shared
from vidgend.cli.queue import QUEUE_COMMANDS
from vidgend.cli.serve import serve
from vidgend.cli.storyboards import STORYBOARD_COMMANDS
from vidgend.cli.uploads import UPLOAD_COMMANDS
from vidgend.cli.usage import usage
from vidgend.cli.voices import voices
from vidgend.cli.webhooks import WEBHOOK_COMMANDS

_EPILOG = (
    "\b\nExit codes:\n"
    + "\n".join(f"  {entry.code:>3}  {entry.meaning}" for entry in EXITS)
    + "\n\n\b\nThe options above may also stand after the command's name. Settings: `vidgend config example`."
)


@click.group(
    cls=Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, prog_name="vidgend", message="%(prog)s %(version)s")
@shared(hidden=False)
def cli() -> None:
    """Turn a text prompt into a narrated, captioned video.

    `vidgend generate "the sea at night" -o sea.mp4` makes one right here; `vidgend serve` runs the service.
    """


for _command in (
    *(serve, generate, *JOB_COMMANDS, events, *STORYBOARD_COMMANDS, *JOB_ACTIONS, *QUEUE_COMMANDS, *WEBHOOK_COMMANDS),
    *(*UPLOAD_COMMANDS, mcp, usage, keys, *MAINTENANCE_COMMANDS, doctor, library, models, voices, styles, config),
):
    cli.add_command(_command)


def main() -> None:
    """The program `vidgend`."""
    cli(prog_name="vidgend")


__all__ = ["cli", "main"]
