"""`vidgend doctor`: what is installed, what each stage will use and why, and how to get the better choice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

import click

from vidgend.cli.exits import UNAVAILABLE
from vidgend.cli.options import Options, echo_json, json_option, shared, shown

if TYPE_CHECKING:
    from vidgend.cli.finding import Finding
    from vidgend.settings import Settings

_COLOURS = {"ok": "green", "note": "yellow", "problem": "red"}


@click.command()
@json_option
@shared()
@click.pass_obj
def doctor(options: Options, as_json: bool) -> None:
    """Say what is installed, what each stage will use and why, and how to get the better choice.

    Ends with 69 if something prevents making a video.
    """
    settings = options.settings()
    redact = settings.redactor()
    found = []
    section = ""
    for told in findings(settings, options.url):
        finding = replace(told, text=redact(told.text), fix=redact(told.fix))
        found.append(finding)
        if as_json:
            continue
        if finding.section != section:
            section = finding.section
            click.echo(click.style(section, bold=True))
        click.echo(f"  {click.style(f'{finding.mark:<8}', fg=_COLOURS[finding.mark])}{shown(finding.text)}")
        if finding.fix:
            click.echo(f"          -> {shown(finding.fix)}")
    problems = sum(finding.mark == "problem" for finding in found)
    if as_json:
        echo_json({"ok": not problems, "findings": [finding.__dict__ for finding in found]})
    elif problems:
        click.echo(f"\n{problems} problem{'s' * (problems > 1)}: no video can be made")
    else:
        click.echo("\nvideos can be made")
    if problems:
        raise click.exceptions.Exit(UNAVAILABLE)


def findings(settings: Settings, url: str | None) -> Iterator[Finding]:
    """Everything, in the order of the report; checks run as they are asked for."""
    from vidgend.cli import budget_checks, key_checks, model_checks
    from vidgend.cli import machine_checks as machine
    from vidgend.cli import stage_checks as stages

    return chain(
        machine.python(),
        machine.data_dir(settings),
        stages.ffmpeg(settings),
        stages.planner(settings),
        stages.footage(settings),
        stages.relevance(settings),
        stages.looks(settings),
        model_checks.damaged(settings, "which clip fits", section="footage"),
        budget_checks.quotas(settings),
        stages.speech(settings),
        model_checks.damaged(settings, "speech", section="speech"),
        stages.word_times(settings),
        model_checks.damaged(settings, "word times, voice-overs", section="word times"),
        stages.music(settings),
        machine.processes(),
        machine.gpu(),
        machine.service(settings, url),
        key_checks.keys(settings),
    )
