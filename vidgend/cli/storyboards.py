"""`vidgend storyboard | edit | revert | render`: looking at a storyboard, changing it, having it rendered."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import click

from vidgend.cli.jobs import cut, job_argument, local_time, table, watch_job
from vidgend.cli.options import Options, echo_json, json_option, shared, shown
from vidgend.errors import BadInput


@click.command()
@job_argument
@click.option("--version", type=click.IntRange(1), metavar="N", help="An older version of it.")
@click.option("--versions", is_flag=True, help="List its versions: who changed what.")
@json_option
@shared()
@click.pass_obj
def storyboard(options: Options, job: str, version: int | None, versions: bool, as_json: bool) -> None:
    """Show the scenes of a job: what is said when, over which picture."""
    if versions and version is not None:
        raise click.UsageError("--versions lists all of them; leave out --version.")
    daemon = options.daemon()
    if versions:
        found = daemon.get(f"/mcp/storyboard/{quote(job, safe='')}/versions")
    else:
        found = daemon.of_job("storyboard", job, version=version)
    if as_json:
        echo_json(found)
    elif versions:
        rows = [
            (
                str(line["version"]),
                local_time(line["created_at"]),
                line["author"],
                "yes" if line["rendered"] else "",
                cut("; ".join(map(change_text, line["changes"])) or "the plan", 80),
            )
            for line in found["versions"]
        ]
        table(("version", "made", "by", "rendered", "changes"), rows)
    else:
        print_storyboard(found)


def print_storyboard(found: dict[str, Any]) -> None:
    request = found["request"]
    click.echo(
        f"{cut(found.get('title') or found['job_id'], 100)} (version {found['version']} by {shown(found['author'])}, "
        f"{found.get('language')}, {request['style']}, {request['voice']})"
    )
    rows = []
    for scene in found.get("scenes") or ():
        clip = scene.get("choice") or scene.get("clip")
        picture = ", ".join(scene["queries"][:1])
        if clip:
            picture = f"{clip['provider']} {clip['id']}: {clip['description'] or clip.get('query') or ''}"
        start, length = scene.get("start"), scene.get("duration")
        rows.append(
            (
                str(scene["index"]),
                "" if start is None else f"{start:.1f} s",
                "" if length is None else f"{length:.1f} s",
                cut(scene.get("narration") or "(no words)"),
                cut(picture, 50),
            )
        )
    table(("scene", "start", "length", "narration", "picture"), rows)


def change_text(change: dict[str, Any]) -> str:
    """One entry of a version's `changes`, as a line."""
    where = f"scene {change['scene']}: " if "scene" in change else ""
    if change["op"] == "change":
        return f"{where}{change['field']} {_short(change['from'])} -> {_short(change['to'])}"
    if change["op"] == "order":
        return f"order {' '.join(change['to'])}"
    return f"{where}{change['op']} {_short(change['narration'])}"


def _short(value: Any) -> str:
    return cut(json.dumps(value, ensure_ascii=False), 40)


@click.command()
@job_argument
@click.option("--scene", "scene", metavar="N", help="The scene to change: its number or its id.")
@click.option("--narration", metavar="TEXT", help="What is said in the scene.")
@click.option("--query", metavar="TEXT", help="Look for another clip with this search.")
@click.option("--clip", metavar="PROVIDER:ID", help="One of its candidates; `another` looks for a different one.")
@click.option("--in-point", metavar="SECONDS", help="Where to begin in the clip; `auto` takes its best part.")
@click.option("--length", metavar="SECONDS", help="Least length of the scene; `auto` as long as its words.")
@click.option("--remove", is_flag=True, help="Take the scene out.")
@click.option("--add-after", metavar="N", help="Put a new scene with --narration after this one; 0 puts it first.")
@click.option("--order", metavar="N,N,...", help="The new order of all scenes.")
@click.option("--style", metavar="NAME", help="Another look for the whole video.")
@click.option("--voice", metavar="NAME", help="Another voice for the whole video.")
@click.option("--patch", metavar="FILE", help="Instead: JSON as PATCH /mcp/storyboard takes it; `-` reads stdin.")
@click.option("--if-version", type=click.IntRange(1), metavar="N", help="Only if this is still the newest version.")
@click.option("--author", metavar="NAME", help="Who is said to have made the change.  [default: api]")
@json_option
@shared()
@click.pass_obj
def edit(
    options: Options, /, job: str, patch: str | None, if_version: int | None, author: str | None, as_json: bool,
    **wishes: Any,
) -> None:  # fmt: skip
    """Change the storyboard of a job that is done or awaits review. `vidgend render JOB` then makes the video."""
    body = _from_file(patch) if patch is not None else _from_options(**wishes)
    if patch is not None and any(wishes.values()):
        raise click.UsageError("--patch says everything; leave out the other changes.")
    if author is not None:
        body["author"] = author
    headers = {"If-Match": f'"{if_version}"'} if if_version is not None else {}
    found = options.daemon().call("PATCH", f"/mcp/storyboard/{quote(job, safe='')}", body, headers=headers)
    if as_json:
        echo_json(found)
        return
    for change in found["changes"]:
        click.echo(shown(change_text(change)))
    click.echo(f"version {found['version']}; `vidgend render {job}` makes the video")


def _from_file(name: str) -> dict[str, Any]:
    try:
        with click.open_file(name, encoding="utf-8") as file:
            body = json.load(file)
    except (OSError, ValueError) as error:
        raise BadInput(f"--patch {name}: {error}") from None
    if not isinstance(body, dict):
        raise BadInput(f"--patch {name}: must hold a JSON object")
    return body


def _from_options(
    *, scene: str | None, narration: str | None, query: str | None, clip: str | None, in_point: str | None,
    length: str | None, remove: bool, add_after: str | None, order: str | None, style: str | None, voice: str | None,
) -> dict[str, Any]:  # fmt: skip
    body: dict[str, Any] = {}
    own: dict[str, Any] = {"narration": narration, "query": query}
    own = {name: value for name, value in own.items() if value is not None}
    if add_after is not None:
        if scene is not None or clip or in_point or remove or narration is None:
            raise click.UsageError("--add-after needs --narration, and takes only --query and --length besides.")
        if length is not None:
            own["duration"] = _seconds("--length", length)
        body["add"] = [{"after": _name(add_after), **own}]
    else:
        if clip is not None:
            provider, colon, number = clip.partition(":")
            if clip != "another" and not (colon and provider and number):
                raise click.UsageError("--clip: write PROVIDER:ID as `vidgend storyboard` shows it, or `another`.")
            own["clip"] = None if clip == "another" else {"provider": provider, "id": number}
        if in_point is not None:
            own["in_point"] = None if in_point == "auto" else _seconds("--in-point", in_point)
        if length is not None:
            own["duration"] = None if length == "auto" else _seconds("--length", length)
        if remove:
            own["remove"] = True
        if own and scene is None:
            raise click.UsageError("Say which scene: --scene N.")
        if scene is not None and not own:
            raise click.UsageError("Say what is to change in the scene, such as --narration TEXT.")
        if scene is not None:
            name = _name(scene)
            body["scenes"] = [{"index" if isinstance(name, int) else "id": name, **own}]
    if order is not None:
        body["order"] = [_name(name.strip()) for name in order.split(",")]
    body |= {name: value for name, value in {"style": style, "voice": voice}.items() if value is not None}
    if not body:
        raise click.UsageError("Nothing is to be changed; see `vidgend edit --help`.")
    return body


def _name(text: str) -> str | int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else text


def _seconds(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.UsageError(f"{option}: not a number of seconds: {text!r}.") from None


@click.command()
@job_argument
@click.argument("version", type=click.IntRange(1), metavar="VERSION")
@json_option
@shared()
@click.pass_obj
def revert(options: Options, job: str, version: int, as_json: bool) -> None:
    """Make an older version of a storyboard the newest again."""
    found = options.daemon().post_job("storyboard/{}/revert", job, {"version": version})
    if as_json:
        echo_json(found)
    else:
        click.echo(f"version {found['version']} is as version {version}; `vidgend render {job}` makes the video")


@click.command()
@job_argument
@click.option("--version", type=click.IntRange(1), metavar="N", help="This version.  [default: the newest]")
@click.option("--quality", metavar="NAME", help="draft, standard or high.  [default: as the job asked]")
@click.option("-w", "--watch", is_flag=True, help="Follow the job to its end; then the exit code is the job's.")
@json_option
@shared()
@click.pass_obj
def render(options: Options, job: str, version: int | None, quality: str | None, watch: bool, as_json: bool) -> None:
    """Approve a storyboard that awaits review, or make the video of an edited one. Only what changed is encoded."""
    wish = {name: value for name, value in {"version": version, "quality": quality}.items() if value is not None}
    daemon = options.daemon()
    found = daemon.post_job("render/{}", job, wish)
    if as_json and not watch:
        echo_json(found)
    elif not as_json:
        pieces = found["segments"]
        reused, rebuilt = len(pieces["reused"]), len(pieces["rebuilt"])
        click.echo(f"{job}: version {found['version']}; {rebuilt} of {reused + rebuilt} segments are to be made")
    if watch:
        watch_job(daemon, job, as_json=as_json)


STORYBOARD_COMMANDS: tuple[click.Command, ...] = (storyboard, edit, revert, render)
