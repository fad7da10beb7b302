"""vidgend.toml.example, made from the settings models: what is documented is what is read."""

from __future__ import annotations

import json
import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from vidgend.settings import Settings
from vidgend.settings_sources import ENV_PREFIX, GUIDE_NAMES

_HEAD = """\
# Settings of vidgend. Every line that starts with `#name =` shows a setting with its default: remove the `#` to change
# it. As it stands, this file changes nothing. `vidgend config check` says what is wrong with a file.
#
# The first of these that there is gets read: the file of --config, $VIDGEND_CONFIG, ./vidgend.toml,
# ~/.config/vidgend/vidgend.toml, /etc/vidgend/vidgend.toml. Stronger than the file, strongest first: options of the
# command line, the variables named below (also from .env in the working folder), systemd credentials named like the
# setting. A variable with a list holds a,b or ["a", "b"].
# Made by `vidgend config example`.
"""
_SAMPLES: dict[str, Any] = {
    "data_dir": "~/.local/share/vidgend",
    "http.unix_socket": "/run/vidgend/vidgend.sock",
    "http.tls_cert": "/etc/vidgend/cert.pem",
    "http.tls_key": "/etc/vidgend/key.pem",
    "footage.image_model": "/srv/models/clip-vit-base-patch32",
    "music.folder": "/srv/music",
    "captions.fonts_folder": "/srv/fonts",
}
"""Shown where the default depends on the machine, or is `unset`, for which TOML has no word."""


def toml_example() -> str:
    """The text of the file."""
    lines = [_HEAD.rstrip()]
    _table(Settings, "", lines)
    return "\n".join(lines) + "\n"


def _table(model: type[BaseModel], prefix: str, lines: list[str]) -> None:
    tables: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            tables.append((prefix + name, kind))
            continue
        dotted = prefix + name
        lines += ["", f"# {field.description or ''} ({_kind(field)})"]
        variables = [f"{ENV_PREFIX}{dotted.upper().replace('.', '__')}"]
        variables += [variable for variable, target in GUIDE_NAMES.items() if target == dotted]
        lines += [f"# {' or '.join(variables)}", f"#{name} = {_value(dotted, field)}"]
    for dotted, kind in tables:
        about = " ".join((kind.__doc__ or "").split())
        lines += ["", "", f"# {about}", f"[{dotted}]"]
        _table(kind, f"{dotted}.", lines)


def _value(dotted: str, field: FieldInfo) -> str:
    value = _SAMPLES[dotted] if dotted in _SAMPLES else field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, tuple):
        return json.dumps([str(part) for part in value])
    if isinstance(value, float) and value.is_integer():
        return f"{value:.1f}"
    return json.dumps(value)  # JSON's strings, numbers and booleans are TOML's too


def _kind(field: FieldInfo) -> str:
    """`whole number, 0 to 65535`, `one of: a, b`: the type in words, with its bounds."""
    words = _type(field.annotation)
    low = high = ""
    for rule in field.metadata:
        if hasattr(rule, "ge"):
            low = f"{rule.ge:g}"
        elif hasattr(rule, "gt"):
            low = f"more than {rule.gt:g}"
        elif hasattr(rule, "le"):
            high = f"{rule.le:g}"
    if low and high:
        return f"{words}, {low} to {high}"
    if low:
        return f"{words}, {low}" if low.startswith("more") else f"{words}, at least {low}"
    return words


def _type(kind: Any) -> str:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _type(parts[0])
    if origin is Literal:
        return "one of: " + ", ".join(str(part) for part in parts) if len(parts) > 1 else f"only {parts[0]}"
    if origin is dict:
        return f"table of {_type(parts[1])}s"
    if origin is tuple:
        inside = _type(parts[0])
        return f"list, each {inside}" if inside.startswith("one of") else f"list of {inside}s"
    if origin in (Union, types.UnionType):
        real = [part for part in parts if part is not type(None)]
        return _type(real[0])
    if kind is Path:
        return "path"
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", SecretStr: "secret"}
    return names.get(kind, "network")
