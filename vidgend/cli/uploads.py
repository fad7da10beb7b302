"""`vidgend upload | uploads`: your own clips, photos and music, for scenes and as music."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidgend.cli.exits import exit_code
from vidgend.cli.jobs import cut, local_time, table
from vidgend.cli.options import Options, echo_json, json_option, report, shared, shown
from vidgend.cli.outcome import human_bytes
from vidgend.errors import BadInput, DaemonUnreachable, VidgendError

if TYPE_CHECKING:
    from vidgend.runtime import Runtime
    from vidgend.store.uploads import Upload

local_option = click.option("--local", is_flag=True, help="Work on data_dir in this process, where no daemon runs.")


def is_address(name: str) -> bool:
    return name.lower().startswith(("http://", "https://"))


def each(wanted: tuple[str, ...], act: Callable[[str], Any]) -> tuple[list[Any], dict[str, VidgendError]]:
    """`act` on all of them: what it answered, and what was refused."""
    done: list[Any] = []
    refused: dict[str, VidgendError] = {}
    for one in dict.fromkeys(wanted):
        try:
            done.append(act(one))
        except DaemonUnreachable:
            raise
        except VidgendError as error:
            refused[one] = error
    return done, refused


def end(ctx: click.Context, refused: dict[str, VidgendError]) -> None:
    """Tell what was refused; the exit code is that of the first."""
    for name, error in refused.items():
        if not error.detail.startswith(name):
            error.detail = f"{name}: {error.detail}"
        report(error, verbose=ctx.ensure_object(Options).verbose)
    if refused:
        ctx.exit(exit_code(next(iter(refused.values()))))


def _why(refused: dict[str, VidgendError]) -> dict[str, Any]:
    return {name: {"code": error.code, "detail": error.detail} for name, error in refused.items()}


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE|URL...")
@local_option
@json_option
@shared()
@click.pass_context
def upload(ctx: click.Context, files: tuple[str, ...], local: bool, as_json: bool) -> None:
    """Upload videos, photos or music, and print their ids. An http(s) address is fetched by the daemon."""
    options = ctx.ensure_object(Options)

    def tell(found: dict[str, Any]) -> dict[str, Any]:
        if not as_json:
            click.echo(f"{found['asset_id']}  {shown(found['name'])}: {_facts(found)}")
        return found

    if local:
        done, refused = _take_here(options, files, tell)
    else:
        from vidgend.cli.follow import stopping_signals
        from vidgend.cli.own_files import send_address, send_file

        daemon = options.daemon()
        with stopping_signals():
            done, refused = each(
                files,
                lambda name: tell(
                    send_address(daemon, name) if is_address(name) else send_file(daemon, Path(name).expanduser())
                ),
            )
    if as_json:
        echo_json({"assets": done, "refused": _why(refused)})
    end(ctx, refused)


@click.command()
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="So many, newest first.")
@click.option("--delete", "unwanted", multiple=True, metavar="ID", help="Delete this one; may be given several times.")
@local_option
@json_option
@shared()
@click.pass_context
def uploads(ctx: click.Context, limit: int, unwanted: tuple[str, ...], local: bool, as_json: bool) -> None:
    """List the uploads, newest first, or delete some."""
    options = ctx.ensure_object(Options)
    if unwanted:
        if local:
            done, refused = _delete_here(options, unwanted)
        else:
            daemon = options.daemon()

            def delete(name: str) -> str:
                daemon.delete_upload(name)
                return name

            done, refused = each(unwanted, delete)
        if as_json:
            echo_json({"deleted": done, "refused": _why(refused)})
        else:
            for name in done:
                click.echo(f"{name}: deleted")
        end(ctx, refused)
        return
    found = _list_here(options, limit) if local else options.daemon().get("/mcp/assets", limit=limit)
    if as_json:
        echo_json(found)
        return
    rows = [
        (one["asset_id"], one["kind"], _facts(one), local_time(one.get("created_at")), cut(one["name"]))
        for one in found["assets"]
    ]
    if not rows:
        click.echo("no uploads")
        return
    table(("id", "kind", "what", "sent", "name"), rows)
    if found.get("next_cursor"):
        click.echo(f"(the newest {len(rows)}; --limit shows more)")


def _facts(one: dict[str, Any]) -> str:
    facts = [f"{one['width']}x{one['height']}"] if one.get("width") else []
    if one.get("duration") is not None:
        facts.append(f"{float(one['duration']):.1f} s")
    return ", ".join([*facts, human_bytes(one["size_bytes"])])


# --- without a daemon ----------------------------------------------------------------------------------------------


def _take_here(
    options: Options, files: tuple[str, ...], tell: Callable[[dict[str, Any]], dict[str, Any]]
) -> tuple[list[Any], dict[str, VidgendError]]:
    from vidgend.cli.here import take_file, with_runtime

    async def take(runtime: Runtime) -> tuple[list[Any], dict[str, VidgendError]]:
        done: list[Any] = []
        refused: dict[str, VidgendError] = {}
        for name in dict.fromkeys(files):
            try:
                if is_address(name):
                    taken, _ = await runtime.fetcher.take(name, owner="")
                else:
                    taken, _ = await take_file(runtime, Path(name).expanduser())
                done.append(tell(_shown(taken)))
            except VidgendError as error:
                refused[name] = error
            except OSError as error:
                refused[name] = BadInput(f"{name}: {(error.strerror or str(error)).lower()}")
        return done, refused

    return with_runtime(options.settings(), take)


def _delete_here(options: Options, unwanted: tuple[str, ...]) -> tuple[list[Any], dict[str, VidgendError]]:
    from vidgend.cli.here import with_runtime

    async def delete(runtime: Runtime) -> tuple[list[Any], dict[str, VidgendError]]:
        done: list[Any] = []
        refused: dict[str, VidgendError] = {}
        for name in dict.fromkeys(unwanted):
            try:
                await runtime.uploads.remove(name, owner="")
                done.append(name)
            except VidgendError as error:
                refused[name] = error
        return done, refused

    return with_runtime(options.settings(), delete)


def _list_here(options: Options, limit: int) -> dict[str, Any]:
    from vidgend.cli.here import with_runtime

    async def page(runtime: Runtime) -> dict[str, Any]:
        return {"assets": [_shown(one) for one in await runtime.uploads.page(limit=limit, owner="")]}

    return with_runtime(options.settings(), page)


def _shown(one: Upload) -> dict[str, Any]:
    """The fields of GET /mcp/assets that mean something without a server."""
    from datetime import UTC, datetime

    return {
        "asset_id": one.digest, "kind": one.kind, "name": one.name, "content_type": one.content_type,
        "size_bytes": one.size_bytes, "width": one.facts.get("width_px"), "height": one.facts.get("height_px"),
        "duration": one.duration_s, "created_at": datetime.fromtimestamp(one.created_at, UTC).isoformat(),
    }  # fmt: skip


UPLOAD_COMMANDS: tuple[click.Command, ...] = (upload, uploads)
