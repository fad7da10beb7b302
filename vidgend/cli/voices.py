"""`vidgend voices` and `vidgend voices sample`: who can speak, and how it sounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from vidgend.cli.jobs import table
from vidgend.cli.options import Options, echo_json, json_option, shared
from vidgend.errors import BadInput, ToolMissing

if TYPE_CHECKING:
    from vidgend.cli.target import Target
    from vidgend.runtime import Runtime

_START = "Start it with `vidgend serve`; without --url the sample is made right here."


@click.group(invoke_without_command=True)
@click.option("--language", metavar="TAG", help="Only voices of this language, such as en or en-GB.")
@click.option("--engine", metavar="NAME", help="Only voices of this engine, such as kokoro-onnx or espeak-ng.")
@click.option("--all", "every", is_flag=True, help="Also voices that cannot be used here, and how to get them.")
@json_option
@shared()
@click.pass_context
def voices(ctx: click.Context, language: str | None, engine: str | None, every: bool, as_json: bool) -> None:
    """List the voices that can be used here; with --url, those of that daemon. `*` marks the default."""
    if ctx.invoked_subcommand is not None:
        given = {"--language": language is not None, "--engine": engine is not None, "--all": every, "--json": as_json}
        unused = [option for option, is_given in given.items() if is_given]
        if unused:
            raise click.UsageError(f"{', '.join(unused)} is of the list, not of `voices {ctx.invoked_subcommand}`.")
        return
    options = ctx.ensure_object(Options)
    _check_engine(engine)
    found = _of_daemon(options, every) if options.url else _of_this_machine(options, every)
    listed = list(found["voices"])
    shown = [
        voice
        for voice in listed
        if (language is None or speaks(voice["language"], language)) and engine in (None, voice["engine"])
    ]
    if as_json:
        echo_json({**found, "voices": shown})
        return
    if not shown:
        of_engine = f" with the engine {engine}" if engine else ""
        click.echo(f"no voice speaks {language or 'here'}{of_engine}; `vidgend doctor` tells which engine would")
        return
    _print(shown, default_id(listed, str(found["default"])), every)


def _check_engine(engine: str | None) -> None:
    """Raises: BadInput."""
    if engine is not None:
        from vidgend.pipeline.speech.select import NAMES

        if engine not in NAMES:
            raise BadInput(f"--engine {engine}: no such speech engine", hint=f"There are {', '.join(NAMES)}.")


def _print(shown: Sequence[dict[str, Any]], default: str, every: bool) -> None:
    rows = [
        (
            ("* " if voice["id"] == default else "  ") + voice["id"],
            voice["language"],
            voice["gender"],
            voice["engine"],
            *(("yes" if voice.get("usable", True) else "no",) if every else ()),
            ", ".join(voice["tags"]),
        )
        for voice in shown
    ]
    table(("  voice", "language", "gender", "engine", *(("here",) if every else ()), "also called"), rows)
    lacking = [voice for voice in shown if not voice.get("usable", True)]
    for name, reason, get in dict.fromkeys((one["engine"], one["reason"], one["get"]) for one in lacking):
        click.echo(f"not here, {name}: {reason}")
        if get:
            click.echo(f"  to get it: {get}")


def _of_daemon(options: Options, every: bool) -> dict[str, Any]:
    return options.daemon().get("/mcp/voices", all="true" if every else None)


def _of_this_machine(options: Options, every: bool) -> dict[str, Any]:
    """In the form of GET /mcp/voices. Raises: ToolMissing if no engine works, unless the others are wanted too."""
    from vidgend.http.views.base import dump
    from vidgend.http.views.catalogue import voice_view
    from vidgend.pipeline.speech.hub import default_hub_dir
    from vidgend.pipeline.speech.port import SpeechEngine
    from vidgend.pipeline.speech.select import build_engines, probe
    from vidgend.pipeline.voice_catalogue import catalogue

    settings = options.settings()
    models_dir, hub_dir, server = settings.data_dir / "models", default_hub_dir(), settings.speech.server
    engines: tuple[SpeechEngine, ...] = ()
    try:
        engines = build_engines(settings.speech.engine, models_dir=models_dir, hub_dir=hub_dir, server=server)
    except ToolMissing:
        if not every:
            raise
    probed = probe(models_dir=models_dir, hub_dir=hub_dir, server=server)
    listed = catalogue(engines, probed, settings.speech.engine)
    return {
        "voices": [dump(voice_view(one, "")) for one in listed if one.usable or every],
        "default": settings.speech.voice,
    }


def default_id(listed: list[dict[str, Any]], default: str) -> str:
    """The id of the first voice that the default names by id or tag."""
    for voice in listed:
        if default.lower() in (name.lower() for name in (voice["id"], *voice["tags"])):
            return str(voice["id"])
    return ""


def speaks(language: str, wanted: str) -> bool:
    """`en` takes every English voice, `en-GB` only the British ones."""
    return f"{language.lower()}-".startswith(f"{wanted.lower()}-")


@voices.command()
@click.argument("name", metavar="NAME")
@click.option("-o", "--output", help="The WAV file to write, or a folder for it.  [default: named after the voice]")
@click.option("--force", is_flag=True, help="Overwrite a file that exists.")
@click.option("--local", is_flag=True, help="Work in this process, even if a daemon runs.")
@shared()
@click.pass_obj
def sample(options: Options, name: str, output: str | None, force: bool, local: bool) -> None:
    """Write a short sample of a voice, and print where.

    NAME is a voice of `vidgend voices`, a tag such as en-GB-male, or a blend such as af_heart:0.6+af_bella:0.4.
    """
    if local and options.url:
        raise click.UsageError("--local cannot be combined with --url.")
    from vidgend.cli.target import choose_sound

    target = choose_sound(output, title=name, force=force)
    daemon = None if local else options.daemon_if_alive(needed=options.url is not None, hint=_START)
    if daemon is not None:
        target.write({"sound": lambda part: daemon.download_sample(name, part)})
    else:
        _make_here(options, name, target)
    click.echo(target.paths["sound"])


def _make_here(options: Options, name: str, target: Target) -> None:
    import asyncio

    from vidgend.cli.here import with_runtime
    from vidgend.cli.target import copier

    async def make(runtime: Runtime) -> None:
        path = await runtime.assets.local(await runtime.samples.make(name))
        await asyncio.to_thread(target.write, {"sound": copier(path)})

    with_runtime(options.settings(), make)
