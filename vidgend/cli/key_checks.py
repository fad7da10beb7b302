"""What `vidgend doctor` says about the keys of the API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vidgend.cli.finding import Finding
from vidgend.errors import VidgendError

if TYPE_CHECKING:
    from vidgend.settings import Settings
    from vidgend.store.keys import Key

SOON_S = 14 * 86_400.0


def live_keys(settings: Settings) -> list[Key]:
    """None where there is no database yet, or none that can be read: others tell that."""
    now = time.time()
    return [key for key in _all_keys(settings) if key.state(now) == "live"]


def keys(settings: Settings, section: str = "service") -> Iterator[Finding]:
    from vidgend.store.keys import KEY_FORM

    found, live = _all_keys(settings), live_keys(settings)
    now = time.time()
    own = settings.http.api_key.get_secret_value()
    if not found and not own:
        yield Finding(section=section, mark="ok", text="no keys; none is asked for, and only this machine gets in")
        return
    names = [f"{len(live)} key{'s' * (len(live) != 1)}"]
    names += ["http.api_key"] * bool(own and not KEY_FORM.fullmatch(own))
    yield Finding(section=section, mark="ok" if live or own else "note", text=f"let in: {', '.join(names)}")
    for key in live:
        if key.expires_at is not None and key.expires_at - now < SOON_S:
            days = int((key.expires_at - now) / 86_400)
            yield Finding(
                section=section,
                mark="note",
                text=f"the key {key.name} expires in {f'{days} days' if days > 1 else 'less than two days'}",
                fix=f"Make another: `vidgend keys create NAME --owner {key.owner or 'default'}`.",
            )


def _all_keys(settings: Settings) -> list[Key]:
    from vidgend.store.keys import read_keys

    try:
        return read_keys(settings.data_dir / "vidgend.db")
    except VidgendError:
        return []
