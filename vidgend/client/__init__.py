"""A client for a running vidgend, on the standard library alone. See docs/clients.md.

from vidgend.client import Vidgend

vidgend = Vidgend("http://127.0.0.1:8080")
job = vidgend.generate(prompt="The sea at night.")
vidgend.wait(job)
vidgend.download(vidgend.result(job), "sea.mp4")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidgend.client.calls import Vidgend
    from vidgend.client.event_stream import NoEvents, StreamEvent
    from vidgend.client.retries import Patience
    from vidgend.client.webhook import verify_webhook

__all__ = ["NoEvents", "Patience", "StreamEvent", "Vidgend", "verify_webhook"]

_PLACES = {
    "NoEvents": "event_stream",
    "Patience": "retries",
    "StreamEvent": "event_stream",
    "Vidgend": "calls",
    "verify_webhook": "webhook",
}


def __getattr__(name: str) -> Any:
    """Imported when it is asked for: the command line takes only a part, and must start fast."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
