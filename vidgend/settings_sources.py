"""Where the settings come from, and what is said when they are wrong.

Order, strongest first: what the caller passes, `VIDGEND_*` variables, the guide's short names (`PEXELS_API_KEY`, ...),
systemd credentials, the TOML file. A `.env` file in the working folder counts as environment, but weaker than it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from vidgend.complaints import in_words, nearest
from vidgend.errors import SettingsInvalid
from vidgend.settings import Settings, leaves

ENV_PREFIX = "VIDGEND_"
GUIDE_NAMES: dict[str, str] = {
    "PEXELS_API_KEY": "footage.pexels.api_key",
    "PIXABAY_API_KEY": "footage.pixabay.api_key",
    "FFMPEG_PRESET": "render.preset",
    "TARGET_RESOLUTION": "render.resolution",
    "WHISPER_MODEL": "aligner.model",
    "JOB_TIMEOUT": "queue.job_timeout_s",
    "ENABLE_WEBHOOKS": "webhooks.enabled",
    "ASSET_CACHE_ENABLED": "cache.enabled",
    "JOB_CACHE_TTL": "cache.ttl_s",
    "MAX_CONCURRENT_JOBS": "queue.max_concurrent_jobs",
}
"""The guide's variables and the settings that they set."""


def _put(tree: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    for parent in parents:
        below = tree.setdefault(parent, {})
        if not isinstance(below, dict):
            raise SettingsInvalid(f"{parent} must be a table")
        tree = below
    tree[last] = value


def _is_list(field: Any) -> bool:
    return str(field.annotation).startswith(("tuple[", "typing.Tuple")) or tuple in get_args(field.annotation)


def _from_toml(text: str, kind: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid(f"not a {kind}: {text!r} ({error})") from None


def _from_text(field: Any, text: str) -> Any:
    """A variable's text as pydantic wants it: lists from JSON-like `["a"]` or from `a,b`, tables from `{ a = "b" }`."""
    if get_origin(field.annotation) is dict:
        return _from_toml(text, "table")
    if not _is_list(field):
        return text
    if text.strip().startswith("["):
        return _from_toml(text, "list")
    return [part.strip() for part in text.split(",") if part.strip()]


def _environment(environ: Mapping[str, str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    fields = dict(leaves())
    for variable, dotted in GUIDE_NAMES.items():
        if environ.get(variable, "") != "":
            _put(tree, dotted, _from_text(fields[dotted], environ[variable]))
    names = {f"{ENV_PREFIX}{dotted.upper().replace('.', '__')}": dotted for dotted in fields}
    for variable, text in environ.items():
        if not variable.startswith(ENV_PREFIX) or variable == f"{ENV_PREFIX}CONFIG":
            continue
        if text == "":  # as good as unset, as for most programs
            continue
        if variable not in names:
            raise SettingsInvalid(f"no setting belongs to the variable {variable}{nearest(variable, list(names))}")
        _put(tree, names[variable], _from_text(fields[names[variable]], text))
    return tree


def _dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(path).items() if value is not None}


def _credentials(environ: Mapping[str, str]) -> dict[str, Any]:
    """Secrets from systemd: a file per setting, named like it (`footage.pexels.api_key`)."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    tree: dict[str, Any] = {}
    if folder and Path(folder).is_dir():
        fields = dict(leaves())
        for path in Path(folder).iterdir():
            if path.name in fields:
                _put(tree, path.name, _from_text(fields[path.name], path.read_text().strip()))
    return tree


def _merge(weak: dict[str, Any], strong: dict[str, Any]) -> dict[str, Any]:
    merged = dict(weak)
    for name, value in strong.items():
        below = merged.get(name)
        merged[name] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def find_config_file(environ: Mapping[str, str]) -> Path | None:
    """The first of $VIDGEND_CONFIG, ./vidgend.toml, ~/.config/vidgend/vidgend.toml, /etc/vidgend/vidgend.toml."""
    if environ.get(f"{ENV_PREFIX}CONFIG"):
        return Path(environ[f"{ENV_PREFIX}CONFIG"])
    home = Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    for path in (Path("vidgend.toml"), home / "vidgend" / "vidgend.toml", Path("/etc/vidgend/vidgend.toml")):
        if path.is_file():
            return path
    return None


def _place(loc: tuple[int | str, ...], tree: Any) -> str:
    """`egress.allow_networks[0]`. pydantic's location also names its own parts, which the settings do not have."""
    place, value = "", tree
    for step in loc:
        if isinstance(value, dict) and step in value:
            place, value = (f"{place}.{step}" if place else str(step)), value[step]
        elif isinstance(value, list | tuple) and isinstance(step, int) and step < len(value):
            place, value = f"{place}[{step}]", value[step]
    return place


def _complain(error: ValidationError, tree: dict[str, Any], origin: str) -> SettingsInvalid:
    found: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False, include_input=False):
        where = _place(problem["loc"], tree)
        if problem["type"] == "extra_forbidden":
            known = [name for name, _ in leaves()]
            tables = sorted({name.rsplit(".", 1)[0] for name in known if "." in name})
            text = f"no such setting{nearest(where, known + tables)}"
        else:
            text = in_words(problem["type"], problem["msg"], problem.get("ctx", {}))
        if text not in found.setdefault(where, []):
            found[where].append(text)
    # What is said of a whole list follows from what is wrong with a part of it.
    places = [one for one in found if not any(other.startswith(f"{one}[") for other in found)]
    lines = [f"{one}: {', or '.join(found[one])}" for one in places]
    return SettingsInvalid("; ".join(lines), hint=f"{origin}. `vidgend config example` shows every setting.")


def load_settings(
    file: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Read the settings. `file` None looks in the usual places; `overrides` are dotted names.

    Raises: SettingsInvalid, naming every wrong key and the nearest known one.
    """
    environ = os.environ if environ is None else environ
    everything = {**_dotenv(Path(".env")), **environ}
    path = file or find_config_file(everything)
    tree: dict[str, Any] = {}
    if path is not None:
        try:
            tree = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingsInvalid(f"cannot read {path}: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise SettingsInvalid(f"{path} is not TOML: {error}") from None
    tree = _merge(tree, _credentials(everything))
    tree = _merge(tree, _environment(everything))
    for dotted, value in (overrides or {}).items():
        _put(tree, dotted, value)
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        raise _complain(error, tree, f"read from {path or 'the environment'}") from None
