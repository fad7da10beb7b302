"""What is printed at the end of a video."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vidgend.cli.options import echo_json, shown
from vidgend.cli.progress import span


def human_bytes(count: float) -> str:
    """`812 B`, `4.2 MB`: decimal units, as file managers show them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


def notes(degraded: list[dict[str, Any]]) -> list[str]:
    """One line for each kind of fall-back, with the scenes that it touched."""
    scenes: dict[tuple[str, str, str], list[int]] = {}
    for entry in degraded:
        key = (str(entry.get("used", "")), str(entry.get("wanted", "")), str(entry.get("reason", "")))
        found = scenes.setdefault(key, [])
        if entry.get("scene") is not None:
            found.append(int(entry["scene"]))
    lines = []
    for (used, wanted, reason), numbers in scenes.items():
        where = ""
        if numbers:
            listed = ", ".join(str(number) for number in sorted(set(numbers)))
            where = f" (scene{'s' if ',' in listed else ''} {listed})"
        lines.append(f"note: {used} instead of {wanted}{where}: {reason}")
    return lines


def failed_checks(report: dict[str, Any]) -> str:
    """One line with the checks that a video did not pass; "" if there are none."""
    failed = [check for check in report.get("checks") or () if not check["passed"]]
    if not failed:
        return ""
    names = [check["name"] + (f" (scene {check['scene']})" if "scene" in check else "") for check in failed]
    return f"checks failed: {', '.join(names)}; the notes say by how much"


def remarks(result: dict[str, Any]) -> list[str]:
    """The lines under a result: what it failed, what was replaced, and why."""
    failed = failed_checks(result.get("report") or {})
    return [*([failed] if failed else []), *notes(list(result.get("degraded") or ()))]


def print_outcome(
    result: dict[str, Any], written: dict[str, Path], *, seconds: float, as_json: bool, verb: str = "made"
) -> None:
    """`result` as GET /mcp/result gives it; `written` are the files on this machine, by role."""
    paths = {role: str(path.absolute()) for role, path in written.items()}
    if as_json:
        echo_json({**result, "output": paths["video"], "written": paths})
        return
    facts = [
        f"{float(result['duration']):.1f} s",
        f"{result['width']}x{result['height']}",
        human_bytes(written["video"].stat().st_size),
        f"{verb} in {span(seconds)}",
    ]
    click.echo(f"{written['video']}: {', '.join(facts)}")
    beside = [path.name for role, path in written.items() if role != "video"]
    if beside:
        click.echo(f"beside it: {', '.join(beside)}")
    for line in remarks(result):
        click.echo(shown(line))
