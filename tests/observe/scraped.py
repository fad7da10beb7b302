"""A page of metrics, read as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from vidgend.observe.looked_up import LookedUp, Places, Slot
from vidgend.pipeline.budget.accounts import Accounts, Money
from vidgend.store.database import Database


def read(page: bytes, *, open_metrics: bool = False) -> dict[str, Metric]:
    parse = openmetrics if open_metrics else text_string_to_metric_families
    return {family.name: family for family in parse(page.decode())}


def series(families: Iterable[Metric]) -> set[str]:
    """The names of all series, as PromQL knows them."""
    return {sample.name for family in families for sample in family.samples}


def value(families: dict[str, Metric], name: str, **labels: str) -> float:
    """Of the one series with that name and these labels."""
    found = [
        sample.value
        for family in families.values()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    assert len(found) == 1, (name, labels, found)
    return found[0]


def looked_up(database: Database, folder: Path, accounts: Accounts | None = None, **more: object) -> LookedUp:
    options: dict[str, object] = {
        "slots": lambda: {"ffmpeg": Slot(places=2, used=1, waiting=3)}, "draining": lambda: False,
        "lacking_bytes": lambda: 0, "evictable_bytes": lambda: 7, **more,
    }  # fmt: skip
    return LookedUp(
        database=database, places=Places(database=database.path, data_dir=folder, assets=folder),
        accounts=accounts or Accounts(money=Money()), **options,  # type: ignore[arg-type]
    )  # fmt: skip
