"""`vidgend gc | fsck`: what may go, and whether all is well. They work on the data directory, without the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from vidgend.cli.backups import backup, restore
from vidgend.cli.data_dir import (
    FOUND_WRONG,
    SHOWN,
    disk_errors,
    hint_when_locked,
    is_locked,
    owning,
    progress_line,
    reading,
)
from vidgend.cli.options import Options, echo_json, json_option, shared
from vidgend.cli.outcome import human_bytes
from vidgend.errors import Conflict, DatabaseDamaged

if TYPE_CHECKING:
    from vidgend.settings import Settings
    from vidgend.store.database import Database
    from vidgend.store.fsck import Finding
    from vidgend.store.fsck_repair import Mended
    from vidgend.store.reading import ReadOnly
    from vidgend.store.retention import Collected

_DAEMON_COLLECTS = (
    "The daemon collects by itself every ten minutes; `vidgend gc --dry-run` shows what would go. "
    "To delete files that no row knows, stop it first."
)
_DAEMON_STOPS = "Stop the daemon first; `vidgend fsck` without --repair runs beside it."


# --- gc ------------------------------------------------------------------------------------------------------------


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go. Runs beside a daemon.")
@click.option("--unknown", is_flag=True, help="Delete files that no row knows even if they are most of the store.")
@json_option
@shared()
@click.pass_obj
def gc(options: Options, dry_run: bool, unknown: bool, as_json: bool) -> None:
    """Delete what the settings do not keep: old results, unused cache, old rows, files that no row knows.

    A running daemon does this by itself every ten minutes, but for the last.
    """
    import asyncio

    settings = options.settings()
    with disk_errors(settings), hint_when_locked(_DAEMON_COLLECTS):
        gone, doubt = asyncio.run(_foresee(settings) if dry_run else _collect(settings, unknown=unknown))
    if as_json:
        echo_json({"dry_run": dry_run, "bytes": gone.bytes, **asdict(gone)})
    else:
        _print_collected(gone, dry_run=dry_run)
    if doubt is not None and not (dry_run and unknown):
        raise doubt


async def _foresee(settings: Settings) -> tuple[Collected, Conflict | None]:
    from vidgend.runtime import retention_rules
    from vidgend.store.doomed import waiting
    from vidgend.store.orphans import find_orphans
    from vidgend.store.retention import foresee
    from vidgend.store.retention_hands import Freed

    async with reading(settings) as (reads, blobs):
        rules = retention_rules(settings)
        used_since = await _oldest_start(reads)
        lacking_bytes = _lacking_bytes(settings, blobs.free_bytes())
        gone = await foresee(reads, rules, used_since=used_since, lacking_bytes=lacking_bytes)
        doomed = await waiting(reads)
        orphans = await find_orphans(reads, blobs)
        return replace(gone, orphans=orphans.freed + Freed(count=doomed.count, bytes=doomed.bytes)), orphans.doubt


async def _collect(settings: Settings, *, unknown: bool) -> tuple[Collected, Conflict | None]:
    from vidgend.runtime import retention_rules
    from vidgend.store.doomed import waiting, work_off
    from vidgend.store.orphans import collect_orphans
    from vidgend.store.retention import collect
    from vidgend.store.retention_hands import Freed

    async with owning(settings) as (database, assets):
        before = await waiting(database)
        freed_bytes = await work_off(database, assets)
        freed = Freed(count=before.count - (await waiting(database)).count, bytes=freed_bytes)
        used_since = await _oldest_start(database)
        lacking_bytes = _lacking_bytes(settings, assets.free_bytes())
        if lacking_bytes:  # copies of what lies on S3 are free to give up
            await assets.trim(lacking_bytes, used_since=used_since)
            lacking_bytes = _lacking_bytes(settings, assets.free_bytes())
        rules = retention_rules(settings)
        gone = await collect(database, assets, rules, used_since=used_since, lacking_bytes=lacking_bytes)
        freed += Freed(bytes=await work_off(database, assets))
        try:
            freed += await collect_orphans(database, assets, even_if_doubtful=unknown)
        except Conflict as doubt:
            return replace(gone, orphans=freed), doubt
        return replace(gone, orphans=freed), None


def _lacking_bytes(settings: Settings, free_bytes: int | None) -> int:
    """What makes twice the reserve free, once it has been touched."""
    reserve = settings.store.min_free_bytes
    return 2 * reserve - free_bytes if free_bytes is not None and free_bytes < reserve else 0


async def _oldest_start(reads: Database | ReadOnly) -> float:
    """Since when the oldest unfinished job has been under way; now if there is none."""
    from vidgend.store.live import OLDEST_START

    rows = await reads.read(OLDEST_START)
    now = reads.clock()
    return min(now, rows[0][0]) if rows[0][0] is not None else now


def _print_collected(gone: Collected, *, dry_run: bool) -> None:
    lines = (
        (gone.old_results, "results older than assets.max_age_s"),
        (gone.results_over_limit, "results above assets.max_bytes"),
        (gone.unused, "files not used for cache.ttl_s"),
        (gone.cache_over_limit, "files above cache.max_bytes"),
        (gone.space_low, "files to make space"),
        (gone.orphans, "files that no row knows"),
    )
    for freed, what in lines:
        if freed.count:
            click.echo(f"{freed.count:>8}  {what}: {human_bytes(freed.bytes)}")
    rows = (
        (gone.steps, "steps"), (gone.idempotency_keys, "idempotency keys"), (gone.events, "delivered webhook events"),
        (gone.endpoints, "records of webhook receivers"), (gone.boots, "records of starts"),
        (gone.calls, "records of calls to providers"),
    )  # fmt: skip
    for count, what in rows:
        if count:
            click.echo(f"{count:>8}  {what}")
    nothing = not any(freed.count for freed, _ in lines) and not any(count for count, _ in rows)
    if nothing:
        click.echo("there is nothing to delete")
    else:
        click.echo(f"{human_bytes(gone.bytes)} would be freed" if dry_run else f"{human_bytes(gone.bytes)} freed")


# --- fsck ----------------------------------------------------------------------------------------------------------


@click.command()
@click.option("--deep", is_flag=True, help="Read every file and compare its content with its name.")
@click.option("--repair", is_flag=True, help="Mend what can be mended. The daemon must be stopped.")
@click.option("--lost", is_flag=True, help="Mend even if most files are gone, which looks like a disk not mounted.")
@json_option
@shared()
@click.pass_obj
def fsck(options: Options, deep: bool, repair: bool, lost: bool, as_json: bool) -> None:
    """Check that the database and the files agree. Ends with 1 if something is wrong and was not mended."""
    import asyncio

    from vidgend.logs import set_up_logging

    set_up_logging("info" if options.verbose else "critical", "text")  # what the store logs is told as a finding
    settings = options.settings()
    mended: list[Mended] = []
    with disk_errors(settings), hint_when_locked(_DAEMON_STOPS), progress_line() as tell:
        try:
            if repair:
                found, mended = asyncio.run(_repair(settings, deep=deep, lost=lost, tell=tell))
            else:
                found = asyncio.run(_check(settings, deep=deep, lost=lost, tell=tell))
        except DatabaseDamaged as error:
            from vidgend.store.fsck import damaged_database

            found = [damaged_database(error.detail)]
    wrong = [finding for finding in found if not finding.harmless]
    left = len(wrong) - sum(one.ok for one in mended)
    did = {id(one.finding): one for one in mended}
    if as_json:
        echo_json({"ok": not left, "findings": [_told(finding, did.get(id(finding))) for finding in found]})
    else:
        _print_findings(found, did, repaired=repair)
        click.echo(_verdict(len(wrong), left, repaired=repair, deep=deep))
    if left:
        raise click.exceptions.Exit(FOUND_WRONG)


async def _check(settings: Settings, *, deep: bool, lost: bool, tell: Callable[[str], None]) -> list[Finding]:
    from vidgend.store.fsck import check

    alone = not is_locked(settings.data_dir)
    async with reading(settings) as (reads, blobs):
        return await check(reads, blobs, deep=deep, alone=alone, even_if_most_are_lost=lost, progress=tell)


async def _repair(
    settings: Settings, *, deep: bool, lost: bool, tell: Callable[[str], None]
) -> tuple[list[Finding], list[Mended]]:
    from vidgend.store.fsck import check
    from vidgend.store.fsck_repair import repair

    async with owning(settings) as (database, assets):
        blobs = assets.blobs
        found = await check(database, blobs, deep=deep, alone=True, even_if_most_are_lost=lost, progress=tell)
        tell("mending")
        return found, await repair(database, assets, found, aside=settings.data_dir / "damaged")


def _told(finding: Finding, mended: Mended | None) -> dict[str, Any]:
    told = {
        "kind": finding.kind, "what": finding.what, "mend": finding.mend, "mendable": finding.mendable,
        "harmless": finding.harmless,
    }  # fmt: skip
    return told if mended is None else {**told, "mended": mended.ok, "did": mended.did}


def _print_findings(found: list[Finding], did: dict[int, Mended], *, repaired: bool) -> None:
    for finding in found[:SHOWN]:
        click.echo(f"{'note' if finding.harmless else 'wrong'}: {finding.what}")
        mended = did.get(id(finding))
        click.echo(f"  -> {mended.did if mended is not None and mended.ok else finding.mend}")
        if mended is not None and not mended.ok and finding.mendable:
            click.echo(f"     not mended: {mended.did}")
    if len(found) > SHOWN:
        click.echo(f"({len(found) - SHOWN} more; --json shows all)")


def _verdict(wrong: int, left: int, *, repaired: bool, deep: bool) -> str:
    if not wrong:
        return "the database and the files agree" + ("" if deep else "; --deep reads the content of the files too")
    things = f"{wrong} thing{'s are' if wrong > 1 else ' is'} wrong"
    if not repaired:
        return f"{things}; `vidgend fsck --repair` mends what can be mended, with the daemon stopped"
    return f"{things.replace(' are ', ' were ').replace(' is ', ' was ')}; " + (
        f"{left} could not be mended" if left else "all is mended"
    )


MAINTENANCE_COMMANDS: tuple[click.Command, ...] = (gc, fsck, backup, restore)
