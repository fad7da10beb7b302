"""Makes deploy/grafana/vidgend.json, the dashboard for Grafana 10 and newer.

    python tools/grafana_dashboard.py [FILE]

Panels are rows of this table; Grafana's own JSON is ten times as long and says nothing more.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TARGET = HERE.parent / "deploy" / "grafana" / "vidgend.json"
SELECT = 'job=~"$job",instance=~"$instance"'
"""In every query, so that one dashboard does for several vidgends."""
WIDTH, HEIGHT = 24, 7


@dataclass(frozen=True)
class Panel:
    """`queries` are (PromQL with @ for the selection, legend)."""

    title: str
    text: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    stacked: bool = False
    red_from: float | None = None


def rate(name: str, by: str, more: str = "") -> str:
    inside = "@" + (f",{more}" if more else "")
    return f"sum by ({by}) (rate({name}{{{inside}}}[$__rate_interval]))"


def quantile(share: float, name: str, by: str = "") -> str:
    inner = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({inner}) (rate({name}_bucket{{@}}[$__rate_interval])))"


FOUND = "sum(rate(vidgend_steps_found_total{@}[$__rate_interval]))"
ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "At a glance",
        (
            Panel(
                "Ready",
                "Whether a job sent now would be taken; /readyz says why not.",
                (("min(vidgend_ready{@})", ""),),
                kind="stat",
                width=3,
            ),
            Panel(
                "Waiting", "Jobs in the queue.", (('sum(vidgend_jobs{@,state="queued"})', ""),), kind="stat", width=3
            ),
            Panel(
                "Running",
                "Jobs under way.",
                (('sum(vidgend_jobs{@,state=~"planning|retrieving|narrating|aligning|rendering|publishing"})', ""),),
                kind="stat",
                width=3,
            ),
            Panel(
                "Longest wait",
                "Of a job that could run.",
                (("max(vidgend_queue_oldest_seconds{@})", ""),),
                unit="s",
                kind="stat",
                width=3,
                red_from=3600,
            ),
            Panel(
                "Failed today",
                "Jobs that failed for good.",
                (('sum(increase(vidgend_job_run_seconds_count{@,state="failed"}[24h])) or vector(0)', ""),),
                kind="stat",
                width=3,
                red_from=1,
            ),
            Panel(
                "Video made today",
                "Seconds of finished video.",
                (("sum(increase(vidgend_video_seconds_total{@}[24h]))", ""),),
                unit="s",
                kind="stat",
                width=3,
            ),
            Panel(
                "Cost this month",
                "In usage.currency.",
                (("sum(vidgend_cost_this_month{@})", ""),),
                kind="stat",
                width=3,
            ),
            Panel(
                "Disk free",
                "Where the data lie.",
                (("min(vidgend_disk_free_bytes{@})", ""),),
                unit="bytes",
                kind="stat",
                width=3,
            ),
        ),
    ),
    (
        "Queue and jobs",
        (
            Panel(
                "Jobs by state",
                "Those that have not ended.",
                (('sum by (state) (vidgend_jobs{@,state!~"completed|failed|cancelled"})', "{{state}}"),),
                stacked=True,
            ),
            Panel(
                "Ended",
                "Runs a minute, by what they came to.",
                (
                    ("60 * " + rate("vidgend_jobs_ended_total", "state"), "{{state}}"),
                    ("60 * sum(rate(vidgend_jobs_accepted_total{@}[$__rate_interval]))", "accepted"),
                ),
            ),
            Panel(
                "Errors by code",
                "Runs that failed or were parked, a minute.",
                (("60 * " + rate("vidgend_jobs_ended_total", "code", 'code!=""'), "{{code}}"),),
            ),
            Panel(
                "Time of a run",
                "Median and 95th percentile.",
                (
                    (quantile(0.5, "vidgend_job_run_seconds", "kind"), "{{kind}} p50"),
                    (quantile(0.95, "vidgend_job_run_seconds", "kind"), "{{kind}} p95"),
                ),
                unit="s",
            ),
            Panel(
                "Waiting and running longest",
                "",
                (
                    ("max(vidgend_queue_oldest_seconds{@})", "waiting"),
                    ("max by (state) (vidgend_jobs_oldest_running_seconds{@})", "{{state}}"),
                ),
                unit="s",
            ),
            Panel(
                "Parked, paused",
                "Jobs that wait for a time to come; 1 while the queue is paused.",
                (
                    ("sum(vidgend_jobs_parked{@})", "parked"),
                    ("max(vidgend_queue_paused{@})", "paused"),
                    ("max(vidgend_draining{@})", "draining"),
                ),
            ),
        ),
    ),
    (
        "Steps, slots, encoding",
        (
            Panel(
                "Steps by kind",
                "That were run, a second.",
                ((rate("vidgend_steps_total", "kind", 'outcome!="found"'), "{{kind}}"),),
                stacked=True,
            ),
            Panel(
                "Found done",
                "Share of the steps that were not run again.",
                ((f"{FOUND} / ({FOUND} + sum(rate(vidgend_steps_run_total{{@}}[$__rate_interval])))", "found"),),
                unit="percentunit",
            ),
            Panel(
                "Steps that failed",
                "A minute.",
                (("60 * " + rate("vidgend_steps_total", "kind", 'outcome=~"failed|stale"'), "{{kind}}"),),
            ),
            Panel(
                "Time of a step",
                "95th percentile.",
                ((quantile(0.95, "vidgend_step_duration_seconds", "kind"), "{{kind}}"),),
                unit="s",
            ),
            Panel(
                "Slots taken",
                "Share of the places of each label.",
                (("sum by (label) (vidgend_slots_used{@}) / sum by (label) (vidgend_slots{@})", "{{label}}"),),
                unit="percentunit",
            ),
            Panel(
                "Waiting for a slot",
                "Steps, and the 95th percentile of their wait.",
                (
                    ("sum by (label) (vidgend_slots_waiting{@})", "{{label}} steps"),
                    (quantile(0.95, "vidgend_slot_wait_seconds", "label"), "{{label}} s"),
                ),
            ),
            Panel(
                "Speed of encodes",
                "Seconds of video made in a second, median.",
                ((quantile(0.5, "vidgend_encode_realtime_ratio", "encoder"), "{{encoder}}"),),
            ),
            Panel(
                "Frames",
                "Encoded a second of encoding.",
                (
                    (
                        "sum by (encoder) (rate(vidgend_encoded_frames_total{@}[$__rate_interval])) / "
                        "sum by (encoder) (rate(vidgend_encode_seconds_total{@}[$__rate_interval]))",
                        "{{encoder}}",
                    ),
                ),
            ),
        ),
    ),
    (
        "Services and webhooks",
        (
            Panel(
                "Calls",
                "To services, a minute.",
                (("60 * " + rate("vidgend_provider_calls_total", "service, status"), "{{service}} {{status}}"),),
            ),
            Panel(
                "Quota left",
                "Share of each window.",
                (
                    (
                        "min by (service, window) (vidgend_provider_quota_left{@} / vidgend_provider_quota_limit{@})",
                        "{{service}} {{window}}",
                    ),
                ),
                unit="percentunit",
            ),
            Panel(
                "Time of a call",
                "95th percentile.",
                (
                    (quantile(0.95, "vidgend_provider_call_seconds", "service"), "{{service}}"),
                    ("max by (service) (vidgend_provider_held_seconds{@})", "{{service}} wants a pause"),
                ),
                unit="s",
            ),
            Panel(
                "Tokens and cost",
                "Of language models, an hour; the cap is for a month.",
                (
                    ("3600 * " + rate("vidgend_llm_tokens_total", "direction"), "tokens {{direction}}"),
                    ("3600 * " + rate("vidgend_provider_cost_total", "service"), "cost {{service}}"),
                    ("max(vidgend_cost_monthly_cap{@})", "monthly cap"),
                ),
            ),
            Panel(
                "Webhooks",
                "Attempts a minute, by outcome.",
                (
                    ("60 * " + rate("vidgend_webhook_attempts_total", "outcome"), "{{outcome}}"),
                    ("sum(vidgend_webhooks_pending{@})", "pending"),
                    ("sum(vidgend_webhooks_dead{@})", "given up"),
                    ("sum(vidgend_webhook_endpoints_disabled{@})", "receivers disabled"),
                ),
            ),
            Panel(
                "Webhook lag",
                "For how long the first event has been due, and the age of the oldest.",
                (
                    ("max(vidgend_webhook_lag_seconds{@})", "due"),
                    ("max(vidgend_webhook_oldest_seconds{@})", "oldest"),
                    (quantile(0.95, "vidgend_webhook_attempt_seconds"), "attempt p95"),
                ),
                unit="s",
            ),
        ),
    ),
    (
        "HTTP and the event loop",
        (
            Panel(
                "Requests",
                "A second, by class of status.",
                ((rate("vidgend_http_requests_total", "status"), "{{status}}"),),
                stacked=True,
            ),
            Panel("Routes", "Requests a second.", ((rate("vidgend_http_requests_total", "route"), "{{route}}"),)),
            Panel(
                "Time of an answer",
                "99th percentile, streams not included.",
                ((quantile(0.99, "vidgend_http_request_duration_seconds", "route"), "{{route}}"),),
                unit="s",
            ),
            Panel(
                "Being answered",
                "Event streams and open MCP calls among them.",
                (("sum by (route) (vidgend_http_requests_in_flight{@})", "{{route}}"),),
                stacked=True,
            ),
            Panel(
                "Event loop lag",
                "How late the loop is.",
                (
                    (quantile(0.5, "vidgend_event_loop_lag_seconds"), "p50"),
                    (quantile(0.99, "vidgend_event_loop_lag_seconds"), "p99"),
                ),
                unit="s",
                width=16,
            ),
        ),
    ),
    (
        "Database, disk, process",
        (
            Panel(
                "Database, 99th percentile",
                "",
                (
                    (quantile(0.99, "vidgend_db_write_wait_seconds"), "wait for the writer"),
                    (quantile(0.99, "vidgend_db_transaction_seconds"), "statements"),
                    (quantile(0.99, "vidgend_db_commit_seconds"), "commit and sync"),
                    (quantile(0.99, "vidgend_db_read_seconds"), "read"),
                ),
                unit="s",
            ),
            Panel(
                "Transactions",
                "A second; the queue of the writer; I/O errors.",
                (
                    ("sum(rate(vidgend_db_transactions_total{@}[$__rate_interval]))", "committed"),
                    ("sum(vidgend_db_writes_queued{@})", "queued"),
                    ("sum(increase(vidgend_db_io_errors_total{@}[$__rate_interval]))", "I/O errors"),
                    ("min(vidgend_db_healthy{@})", "healthy"),
                ),
            ),
            Panel(
                "Database files",
                "",
                (("sum(vidgend_db_bytes{@})", "database"), ("sum(vidgend_db_wal_bytes{@})", "log")),
                unit="bytes",
            ),
            Panel(
                "Disk",
                "",
                (
                    ("min by (place) (vidgend_disk_free_bytes{@})", "free: {{place}}"),
                    ("max by (place) (vidgend_disk_bytes{@})", "size: {{place}}"),
                    ("max(vidgend_disk_lacking_bytes{@})", "lacking"),
                ),
                unit="bytes",
            ),
            Panel(
                "Assets",
                "Results and uploads stay; the cache may go.",
                (
                    ("sum(vidgend_assets_bytes{@})", "all"),
                    ("sum(vidgend_results_bytes{@})", "results and uploads"),
                    ("sum(vidgend_cache_evictable_bytes{@})", "cache that may go"),
                ),
                unit="bytes",
            ),
            Panel(
                "Memory",
                "",
                (
                    ("sum(vidgend_process_resident_memory_bytes{@})", "daemon"),
                    ("sum(vidgend_children_resident_memory_bytes{@})", "children"),
                ),
                unit="bytes",
                stacked=True,
            ),
            Panel(
                "CPU and children",
                "Cores that the daemon itself uses; child processes; threads.",
                (
                    ("sum(rate(vidgend_process_cpu_seconds_total{@}[$__rate_interval]))", "cores"),
                    ("sum(vidgend_children{@})", "children"),
                    ("sum(vidgend_process_threads{@})", "threads"),
                ),
            ),
            Panel(
                "Open files",
                "",
                (("sum(vidgend_process_open_fds{@})", "open"), ("min(vidgend_process_max_fds{@})", "limit")),
            ),
            Panel(
                "Version and start",
                "",
                (
                    ("vidgend_build_info{@}", "{{version}}"),
                    ("time() - vidgend_process_start_time_seconds{@}", "up for"),
                ),
                unit="s",
            ),
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS:
        panels.append(
            {
                "id": len(panels) + 1, "type": "row", "title": title, "collapsed": False, "panels": [],
                "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1},
            }
        )  # fmt: skip
        y, x = y + 1, 0
        for panel in row:
            height = 4 if panel.kind == "stat" else HEIGHT
            if x + panel.width > WIDTH:
                y, x = y + height, 0
            panels.append(_panel(panel, len(panels) + 1, {"x": x, "y": y, "w": panel.width, "h": height}))
            x += panel.width
        y += height
    return {
        "title": "vidgend", "uid": "vidgend", "tags": ["vidgend"], "timezone": "browser", "editable": True,
        "schemaVersion": 39, "version": 1, "refresh": "30s", "graphTooltip": 1,
        "time": {"from": "now-6h", "to": "now"}, "annotations": {"list": []}, "links": [], "panels": panels,
        "templating": {"list": [_data_source(), _variable("job"), _variable("instance")]},
    }  # fmt: skip


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    options: dict[str, Any] = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }  # fmt: skip
    if panel.kind == "stat":
        options = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "value",
                   "graphMode": "area", "textMode": "value"}  # fmt: skip
    else:
        defaults["custom"] = {
            "drawStyle": "line", "fillOpacity": 30 if panel.stacked else 5, "showPoints": "never",
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        }  # fmt: skip
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.red_from is not None:
        steps.append({"color": "red", "value": panel.red_from})
    defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    source = {"type": "prometheus", "uid": "${datasource}"}
    return {
        "id": number, "type": panel.kind, "title": panel.title, "description": panel.text, "gridPos": place,
        "datasource": source, "fieldConfig": {"defaults": defaults, "overrides": []}, "options": options,
        "targets": [
            {
                "refId": chr(ord("A") + index), "datasource": source, "expr": query.replace("@", SELECT),
                "legendFormat": legend or "__auto", "range": True,
            }
            for index, (query, legend) in enumerate(panel.queries)
        ],
    }  # fmt: skip


def _data_source() -> dict[str, Any]:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0}


def _variable(name: str) -> dict[str, Any]:
    query = f"label_values(vidgend_build_info, {name})"
    return {
        "name": name, "label": name, "type": "query", "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "query": {"query": query, "refId": name}, "definition": query, "includeAll": True, "multi": True,
        "current": {"text": ["All"], "value": ["$__all"]}, "allValue": ".*", "refresh": 2, "sort": 1, "hide": 0,
    }  # fmt: skip


def as_text() -> str:
    return json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET).write_text(as_text(), encoding="utf-8")
