"""`vidgend library`: what is known about your own videos and photos. It works on the index, without the API."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from vidgend.cli.data_dir import FOUND_WRONG, disk_errors, hint_when_locked, progress_line
from vidgend.cli.options import Options, echo_json, json_option, shared
from vidgend.cli.outcome import human_bytes
from vidgend.errors import FeatureUnavailable

if TYPE_CHECKING:
    from vidgend.pipeline.footage.library_index import Counts, Entry
    from vidgend.settings import Settings

_MOST_PROBLEMS = 100_000


@click.command()
@click.option("--files", is_flag=True, help="List the files that can be offered, with what is known about each.")
@click.option("--problems", is_flag=True, help="List the files that cannot be used, and why; 1 if there are any.")
@click.option(
    "--scan", is_flag=True, help="First look into all that is new or changed. Not beside a daemon, which does so."
)
@json_option
@shared()
@click.pass_obj
def library(options: Options, files: bool, problems: bool, scan: bool, as_json: bool) -> None:
    """Say what is known about your own videos and photos (footage.library.folders)."""
    import asyncio

    from vidgend.adapters import LIBRARY_INDEX
    from vidgend.pipeline.footage import library_index as index

    settings = options.settings()
    if not settings.footage.library.folders:
        raise FeatureUnavailable("there is no library", hint="Name folders in footage.library.folders.")
    with disk_errors(settings):
        if scan:
            with hint_when_locked("The daemon looks into the files by itself; see `vidgend library`."):
                asyncio.run(_scan(settings))
        with index.reading(settings.data_dir / LIBRARY_INDEX) as reads:
            counts = index.counts(reads) if reads is not None else None
            entries = list(index.entries(reads)) if files and reads is not None else []
            wrong = index.problems(reads, _MOST_PROBLEMS) if problems and reads is not None else []
    if as_json:
        answer: dict[str, Any] = {
            "folders": [str(folder) for folder in settings.footage.library.folders],
            "counts": None if counts is None else asdict(counts),
        }
        if files:
            answer["files"] = [_json(entry) for entry in entries]
        if problems:
            answer["problems"] = [{"file": file, "reason": reason} for file, reason in wrong]
        echo_json(answer)
    else:
        click.echo(told(counts))
        for entry in entries:
            click.echo(_line(entry))
        for file, reason in wrong:
            click.echo(f"{file}: {reason}")
    if wrong:
        raise click.exceptions.Exit(FOUND_WRONG)


def told(counts: Counts | None) -> str:
    """One line about the index."""
    if counts is None:
        return "nobody has looked into the folders yet: `vidgend serve` does so, or `vidgend library --scan`"
    parts = [
        f"files known: {counts.examined}", f"still to be looked into: {counts.waiting}" if counts.waiting else "",
        f"of no use: {counts.unusable}" if counts.unusable else "",
        f"not there now: {counts.away}" if counts.away else "",
    ]  # fmt: skip
    return f"{', '.join(filter(None, parts))}; {human_bytes(counts.bytes)}"


def _line(entry: Entry) -> str:
    facts = entry.facts
    if facts is None:
        seen = "not looked into yet"
    else:
        length = f" {facts['duration_s']:.1f} s, {len(facts['shots'])} shots," if facts["duration_s"] else ""
        seen = f"{facts['kind']}{length} {facts['width_px']}x{facts['height_px']}"
    words = "; ".join(filter(None, [entry.caption.text, ", ".join(entry.caption.tags)]))
    return f"{entry.folder}/{entry.relative}: {seen}: {words}"


def _json(entry: Entry) -> dict[str, Any]:
    return {
        "file": f"{entry.folder}/{entry.relative}", "bytes": entry.size_bytes, "text": entry.caption.text,
        "tags": list(entry.caption.tags), "facts": entry.facts,
    }  # fmt: skip


async def _scan(settings: Settings) -> None:
    """Raises: DataDirLocked while a daemon runs, ToolMissing, ProviderError."""
    from contextlib import nullcontext

    from vidgend.adapters import build_library
    from vidgend.pipeline.executor.port import Label, Load
    from vidgend.pipeline.ffmpeg import FfmpegTool
    from vidgend.pipeline.footage.library_watch import LibraryWatch
    from vidgend.store.database import DataDir

    async def nobody_else() -> dict[Label, Load]:
        return {"ffmpeg": Load(queued=0, running=0, free=1)}

    data_dir = DataDir(settings.data_dir)
    data_dir.acquire()
    footage = build_library(settings)
    tool = FfmpegTool(settings.render.ffmpeg, encoder=settings.render.encoder)
    watch = LibraryWatch(footage, tool, lambda priority: nullcontext(), nobody_else)
    try:
        await footage.refresh()
        with progress_line() as tell:
            await watch.look(told=lambda looked: tell(f"{looked} files looked into"))
    finally:
        await footage.aclose()
        data_dir.release()
