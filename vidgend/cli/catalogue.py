"""`vidgend styles`: the looks that a request may name."""

from __future__ import annotations

import click

from vidgend.cli.jobs import table
from vidgend.cli.options import echo_json, json_option, shared


@click.command()
@json_option
@shared()
def styles(as_json: bool) -> None:
    """List the looks."""
    from vidgend.pipeline.styles import STYLES

    if as_json:
        echo_json(
            {
                "styles": [
                    {
                        "name": style.name,
                        "description": style.description,
                        "mood": style.mood,
                        "captions": style.caption_preset,
                        "transition": style.transition.kind,
                    }
                    for style in STYLES.values()
                ]
            }
        )
        return
    table(("style", "description"), [(style.name, style.description) for style in STYLES.values()])
