"""Who watches this process: the metrics, and OpenTelemetry where its variables ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vidgend.observe.metrics import Metrics
from vidgend.observe.tracing import Tracing, build_tracing
from vidgend.observer import Observer, Observers


@dataclass(frozen=True, kw_only=True)
class Watchers:
    metrics: Metrics
    tracing: Tracing | None
    observer: Observer
    """Both as one."""

    def close(self) -> None:
        """Blocking: what is left of the traces is sent."""
        if self.tracing is not None:
            self.tracing.close()


def build_watchers(environ: Mapping[str, str], version: str) -> Watchers:
    """Imports OpenTelemetry if it is wanted, so off the loop."""
    metrics = Metrics(version)
    tracing = build_tracing(environ, version)
    if tracing is None:
        return Watchers(metrics=metrics, tracing=None, observer=metrics)
    return Watchers(metrics=metrics, tracing=tracing, observer=Observers(metrics, tracing))
