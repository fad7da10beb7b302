"""`vidgend voices | styles`: what a request may name."""

from __future__ import annotations

from typing import Any

import click

from vidgend.cli.jobs import table
from vidgend.cli.options import Options, echo_json, json_option, shared


@click.command()
@click.option("--language", metavar="TAG", help="Only voices of this language, such as en or en-GB.")
@json_option
@shared()
@click.pass_obj
def voices(options: Options, language: str | None, as_json: bool) -> None:
    """List the voices that can be used here; with --url, those of that daemon. `*` marks the default."""
    found = options.daemon().get("/mcp/voices") if options.url else installed_voices(options)
    every = list(found["voices"])
    default = default_id(every, str(found["default"]))
    shown = [voice for voice in every if language is None or speaks(voice["language"], language)]
    if as_json:
        echo_json({**found, "voices": shown})
        return
    if not shown:
        click.echo(f"no voice speaks {language}; `vidgend doctor` tells which engine would")
        return
    rows = [
        (
            ("* " if voice["id"] == default else "  ") + voice["id"],
            voice["language"],
            voice["gender"],
            voice["engine"],
            ", ".join(voice["tags"]),
        )
        for voice in shown
    ]
    table(("  voice", "language", "gender", "engine", "also called"), rows)


def installed_voices(options: Options) -> dict[str, Any]:
    """In the form of GET /mcp/voices. Raises: ToolMissing if no engine works."""
    from vidgend.pipeline.speech.hub import default_hub_dir
    from vidgend.pipeline.speech.select import build_engines

    settings = options.settings()
    engines = build_engines(
        settings.speech.engine, models_dir=settings.data_dir / "models", hub_dir=default_hub_dir(),
        server=settings.speech.server,
    )  # fmt: skip
    listed = [
        {
            "id": voice.id,
            "engine": voice.engine,
            "language": voice.language,
            "gender": voice.gender,
            "tags": list(voice.tags),
        }
        for engine in engines
        for voice in engine.voices()
    ]
    return {"voices": listed, "default": settings.speech.voice}


def default_id(voices: list[dict[str, Any]], default: str) -> str:
    """The id of the first voice that the default names by id or tag."""
    for voice in voices:
        if default.lower() in (name.lower() for name in (voice["id"], *voice["tags"])):
            return str(voice["id"])
    return ""


def speaks(language: str, wanted: str) -> bool:
    """`en` takes every English voice, `en-GB` only the British ones."""
    return f"{language.lower()}-".startswith(f"{wanted.lower()}-")


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
