"""`vidgend config check | example`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from vidgend.cli.options import Options, echo_json, json_option, shared


@click.group()
def config() -> None:
    """Check the settings, or print all there are."""


@config.command()
def example() -> None:
    """Print a settings file with every setting, its meaning and its default."""
    from vidgend.cli.toml_example import toml_example

    click.echo(toml_example(), nl=False)


@config.command()
@json_option
@shared()
@click.pass_obj
def check(options: Options, as_json: bool) -> None:
    """Read the settings and show where they come from and what differs from the defaults."""
    from vidgend.settings_sources import find_config_file

    settings = options.settings()
    environ = environment_and_dotenv()
    file = options.config or find_config_file({name: value for name, (value, _) in environ.items()})
    changed = changes(settings, environ, file, given={"data_dir"} if options.data_dir else set())
    if as_json:
        echo_json(
            {
                "file": str(file) if file else None,
                "changed": {name: {"value": value, "from": origin} for name, value, origin in changed},
            }
        )
        return
    click.echo(f"settings file: {file or 'none'}")
    for name, value, origin in changed:
        click.echo(f"{name} = {value}   ({origin})")
    click.echo("everything else has its default" if changed else "everything has its default")


def environment_and_dotenv() -> dict[str, tuple[str, str]]:
    """Each variable's value and where it is from: the environment is stronger than .env."""
    found = {}
    dotenv = Path(".env")
    if dotenv.is_file():
        from dotenv import dotenv_values

        found = {name: (value, ".env") for name, value in dotenv_values(dotenv).items() if value is not None}
    return found | {name: (value, "environment") for name, value in os.environ.items()}


def changes(
    settings: Any, environ: Mapping[str, tuple[str, str]], file: Path | None, *, given: set[str]
) -> list[tuple[str, Any, str]]:
    """(dotted name, value, origin) of what is not the default. Secrets are stars."""
    from pydantic import SecretStr

    from vidgend.redaction import without_password
    from vidgend.settings import leaves
    from vidgend.settings_sources import ENV_PREFIX, GUIDE_NAMES

    variables = {dotted: [f"{ENV_PREFIX}{dotted.upper().replace('.', '__')}"] for dotted, _ in leaves()}
    for variable, dotted in GUIDE_NAMES.items():
        variables[dotted].append(variable)
    found = []
    for dotted, field in leaves():
        value: Any = settings
        for part in dotted.split("."):
            value = getattr(value, part)
        if value == field.get_default(call_default_factory=True):
            continue
        origin = str(file) if file else "systemd credential"
        if dotted in given:
            origin = "command line"
        else:
            for variable in variables[dotted]:
                if environ.get(variable, ("", ""))[0]:
                    origin = f"{environ[variable][1]}, {variable}"
                    break
        if isinstance(value, SecretStr):
            shown: Any = "*****"
        elif isinstance(value, str):
            shown = without_password(value)
        elif isinstance(value, tuple):
            shown = [str(part) for part in value]
        else:
            shown = value if isinstance(value, (int, float, str)) else str(value)
        found.append((dotted, shown, origin))
    return found
