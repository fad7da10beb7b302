"""The settings: one frozen tree from TOML and the environment. Every field has a default, a unit and a reason.

`vidgend.toml.example` is generated from these models (`vidgend config example`) and tested to be equal.
The groups are in `server.py`, `pipeline.py` and `store.py`; in the file they stand in the order of `Settings`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, Field, SecretStr

from vidgend.redaction import Redactor, password_in, secrets_of_environment
from vidgend.setting_types import AbsolutePath
from vidgend.settings.part import Part
from vidgend.settings.pipeline import (
    AlignerSettings,
    Captions,
    Credits,
    Footage,
    Music,
    PlannerSettings,
    Queue,
    Render,
    Slots,
    SpeechSettings,
    UsageSettings,
)
from vidgend.settings.server import Egress, Http, Limits, Log, Webhooks
from vidgend.settings.store import Assets, Cache, Store

_EVERY_ADDRESS = ("0", "0.0.0.0", "::")
"""To listen on, not to connect to."""


def _default_data_dir() -> Path:
    state = os.environ.get("STATE_DIRECTORY")
    if state:
        return Path(state.split(":")[0])
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "vidgend"


class Settings(Part):
    """All of it."""

    data_dir: AbsolutePath = Field(
        default_factory=_default_data_dir,
        validate_default=True,
        description="Database, models and assets. Unset: systemd's StateDirectory, else ~/.local/share/vidgend.",
    )
    http: Http = Http()
    queue: Queue = Queue()
    slots: Slots = Slots()
    planner: PlannerSettings = PlannerSettings()
    footage: Footage = Footage()
    speech: SpeechSettings = SpeechSettings()
    aligner: AlignerSettings = AlignerSettings()
    render: Render = Render()
    music: Music = Music()
    captions: Captions = Captions()
    credits: Credits = Credits()
    store: Store = Store()
    assets: Assets = Assets()
    cache: Cache = Cache()
    webhooks: Webhooks = Webhooks()
    egress: Egress = Egress()
    usage: UsageSettings = UsageSettings()
    limits: Limits = Limits()
    log: Log = Log()

    def secrets(self) -> set[str]:
        """Every secret that is set: keys, and the passwords in addresses."""
        found: set[str] = set()
        for dotted, _ in leaves():
            value: Any = self
            for part in dotted.split("."):
                value = getattr(value, part)
            text = value.get_secret_value() if isinstance(value, SecretStr) else value
            if isinstance(text, str):
                found.add(text if isinstance(value, SecretStr) else password_in(text))
        return found - {""}

    def redactor(self) -> Redactor:
        """Masks the secrets of these settings, and those of the environment."""
        return Redactor(self.secrets() | secrets_of_environment())

    @property
    def assets_dir(self) -> Path:
        """Where blobs lie, or, with S3, the copies of those that are in use."""
        if urlsplit(self.assets.url).scheme == "file":
            return Path(unquote(urlsplit(self.assets.url).path))
        return self.data_dir / "assets"

    @property
    def base_url(self) -> str:
        """How clients reach the server, as far as that can be known without a request of theirs."""
        host = "localhost" if self.http.host in _EVERY_ADDRESS else self.http.host
        host = f"[{host}]" if ":" in host else host
        own = f"{self.http.scheme}://{host}:{self.http.port}" if host else "http://localhost"
        return self.http.public_url.rstrip("/") or own


def leaves(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, field) of every setting."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from leaves(kind, f"{prefix}{name}.")
        else:
            yield prefix + name, field
