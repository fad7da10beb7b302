"""`vidgend voices | styles`: what a request may name."""

from __future__ import annotations

import click

from vidgend.cli.options import Options, echo_json, json_option, shared


@click.command()
@click.option("--language", metavar="TAG", help="Only voices of this language, such as en or en-GB.")
@json_option
@shared()
@click.pass_obj
def voices(options: Options, language: str | None, as_json: bool) -> None:
    """List the voices that can be used here."""


@click.command()
@json_option
def styles(as_json: bool) -> None:
    """List the looks."""
    from vidgend.pipeline.styles import STYLES

    if as_json:
        echo_json({"styles": [{"name": style.name, "description": style.description} for style in STYLES.values()]})
        return
    width = max(len(name) for name in STYLES)
    for style in STYLES.values():
        click.echo(f"{style.name:<{width}}  {style.description}")
