"""The dashboard and the rules name metrics that a real daemon has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from vidgend.errors import VidgendError
from vidgend.http.app import OPERATIONS
from vidgend.observe.metrics import Metrics

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "deploy" / "grafana" / "vidgend.json"
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
DOCUMENTED = ROOT / "docs" / "monitoring.md"
"""Its table is compared with a scrape by tests/http/test_http_metrics.py."""
_ROW = re.compile(r"^\| `(vidgend_\w+)` \| (\w+) \| (.*?) \|", re.M)
_SELECTOR = re.compile(r"(vidgend_\w+)(?:\{([^}]*)\})?")


def known() -> dict[str, set[str]]:
    """Every series there is, with its labels."""
    found: dict[str, set[str]] = {}
    for name, kind, labels in _ROW.findall(DOCUMENTED.read_text()):
        words = set(re.findall(r"`(\w+)`", labels))
        found[name] = words
        if kind == "histogram":
            found |= {f"{name}_bucket": words | {"le"}, f"{name}_sum": words, f"{name}_count": words}
    return found


def queries_of_dashboard() -> Iterator[str]:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def wrong_in(query: str) -> list[str]:
    """Series and labels of a query that do not exist."""
    names, wrong = known(), []
    for name, selection in _SELECTOR.findall(query):
        if name not in names:
            wrong.append(name)
            continue
        used = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selection))
        wrong += [f"{name}{{{label}}}" for label in used - names[name] - {"job", "instance"}]
    for by in re.findall(r"by \(([^)]*)\)", query):
        everything = set().union(*(names[name] for name, _ in _SELECTOR.findall(query) if name in names))
        wrong += [f"by {label}" for label in re.findall(r"\w+", by) if label not in everything | {"job", "instance"}]
    return wrong


def test_the_check_finds_what_is_wrong() -> None:
    assert wrong_in('sum by (colour) (rate(vidgend_jobs_ended_totl{state="x"}[5m]))')
    assert wrong_in('vidgend_jobs{stat="queued"}') == ["vidgend_jobs{stat}"]
    assert wrong_in('sum by (le) (rate(vidgend_db_commit_seconds_bucket{job="x"}[5m]))') == []


@pytest.mark.parametrize("query", list(queries_of_dashboard()))
def test_each_query_of_the_dashboard_is_about_something_there_is(query: str) -> None:
    assert wrong_in(query) == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_each_rule_is_about_something_there_is_and_is_explained(rule: dict[str, Any]) -> None:
    assert wrong_in(rule["expr"]) == []
    assert rule["labels"]["severity"] in ("page", "ticket") and rule["annotations"]["summary"]
    assert f"`{rule['alert']}`" in DOCUMENTED.read_text()
    for shown in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
        assert shown == "instance" or shown in rule["expr"], "a label that is still there after the sum"


def test_every_metric_that_is_looked_up_has_a_panel_or_a_rule() -> None:
    said = " ".join([*queries_of_dashboard(), *(rule["expr"] for rule in rules())])
    base = {name for name, _, _ in _ROW.findall(DOCUMENTED.read_text())}
    assert not {name for name in base if name not in said}


def test_the_dashboard_is_the_one_that_the_tool_makes(tmp_path: Path) -> None:
    made = tmp_path / "made.json"
    subprocess.run([sys.executable, ROOT / "tools" / "grafana_dashboard.py", made], check=True, timeout=30)
    assert made.read_bytes() == DASHBOARD.read_bytes()
    panels = json.loads(made.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 40
    squares = set()
    for panel in panels:
        place = panel["gridPos"]
        covered = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not covered & squares and place["x"] + place["w"] <= 24, panel["title"]
        squares |= covered


def test_the_words_of_the_rules_are_words_of_ours() -> None:
    """States, codes and routes that a rule asks for exist."""
    text = " ".join([*queries_of_dashboard(), *(rule["expr"] for rule in rules())])
    routes = {operation.path for operation in OPERATIONS}
    assert set(re.findall(r'route!?="([^"]+)"', text)) <= routes
    states = {
        "queued", "planning", "retrieving", "narrating", "aligning", "rendering", "publishing", "completed", "failed",
        "cancelled",
    }  # fmt: skip
    for words in re.findall(r'state[!=~]+"([^"]+)"', text):
        assert set(words.split("|")) <= states
    assert VidgendError.code == "internal"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_itself_takes_the_rules() -> None:
    subprocess.run(["promtool", "check", "rules", RULES], check=True, timeout=30)
    config = RULES.with_name("prometheus.yml")
    subprocess.run(["promtool", "check", "config", "--syntax-only", config], check=True, timeout=30)


def test_what_a_rule_counts_is_there_before_it_happens() -> None:
    """The rules of few events, which must not miss the first ones."""
    few = [rule["expr"] for rule in rules() if rule["alert"] in ("VidgendJobsFail", "VidgendWebhooksGivenUp")]
    registry = Metrics("1").registry
    for query in few:
        for name, selection in _SELECTOR.findall(query):
            labels = dict(re.findall(r'(\w+)="(\w+)"', selection))
            found = [one for family in registry.collect() for one in family.samples if one.name == name]
            assert [one for one in found if labels.items() <= one.labels.items()], query
