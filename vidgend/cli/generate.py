"""`vidgend generate`: in the running daemon if there is one, else here, on the same pipeline."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidgend.cli.jobs import tell_failed
from vidgend.cli.options import Options, echo_json, json_option, shared
from vidgend.cli.outcome import print_outcome
from vidgend.cli.progress import tell, unread_is_fine
from vidgend.errors import BadInput, UnknownStyle

if TYPE_CHECKING:
    from vidgend.cli.own_files import OwnFiles
    from vidgend.cli.target import Target
    from vidgend.client.daemon import Daemon
    from vidgend.http.wire import GenerateBody

_START = "Start it with `vidgend serve`; without --remote and --url the work is done right here."


@click.command()
@click.argument("prompt", required=False)
@click.option("-o", "--output", help="The video to write, or a folder for it.  [default: named after the prompt]")
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
@click.option("--only-video", is_flag=True, help="Leave out the subtitles, word times, thumbnail and text beside it.")
@click.option("--duration", metavar="SECONDS", help="Wished length, 1 to 3600.  [default: 60]")
@click.option("--aspect", metavar="W:H", help="16:9, 9:16, 1:1 or 4:5.")
@click.option("--resolution", metavar="SIZE", help="1280x720, 1920x1080, 3840x2160, or 720p, 1080p, 4k.")
@click.option("--fps", metavar="RATE", help="Frames per second, such as 25, 29.97 or 30000/1001.")
@click.option("--voice", metavar="NAME", help="A voice of `vidgend voices`, or a tag such as en-GB-female.")
@click.option("--language", metavar="TAG", help="Language of the narration, such as en or pt-BR.")
@click.option("--style", metavar="NAME", help="A look of `vidgend styles`.  [default: cinematic]")
@click.option(
    "--transition",
    metavar="KIND",
    help="cut, dissolve, fade, wipe, slide or zoom, or KIND:SECONDS.  [default: the style's]",
)
@click.option("--script", metavar="FILE", help="The narration word for word; `-` reads stdin.")
@click.option("--narration", metavar="FILE", help="Your own voice-over, sound or video, or the id of an upload.")
@click.option("--keep-background", is_flag=True, help="Take nothing of the --narration away as noise.")
@click.option(
    "--scenes", metavar="FILE", help="JSON list of scenes: narration, and if you like query, duration, clip, image."
)
@click.option("--quality", metavar="NAME", help="draft, standard or high.")
@click.option("--review", is_flag=True, help="Stop when the storyboard is complete. Needs the daemon, so not --local.")
@click.option(
    "--also", multiple=True, metavar="WISH", help="Another video of the same plan: 9:16, or de, or 9:16,de. May repeat."
)
@click.option("--seed", metavar="N", help="The same seed makes the same choices again.")
@click.option("--no-captions", is_flag=True, help="No text in the picture.")
@click.option(
    "--caption-preset", metavar="NAME", help="classic, highlight, karaoke, pop or lower_third.  [default: the style's]"
)
@click.option("--caption-font", metavar="FAMILY", help="A font family that is installed.  [default: Inter]")
@click.option("--caption-position", metavar="PLACE", help="bottom, middle or top.  [default: the preset's]")
@click.option("--no-highlight", is_flag=True, help="Do not colour the spoken word.")
@click.option("--no-music", is_flag=True, help="Narration only.")
@click.option("--music", "music_file", metavar="FILE", help="Your own music, or the id of an upload.")
@click.option("--music-mood", metavar="MOOD", help="Such as calm or happy.  [default: the style's]")
@click.option("--music-volume", metavar="0..2", help="1 is a quiet bed under the voice.")
@click.option(
    "--credits-card/--no-credits-card",
    default=None,
    help="Name the authors of clips and music on a card at the end.  [default: the setting credits.card]",
)
@click.option("--callback-url", metavar="URL", help="Is called when the job ends. Needs the daemon, so not --local.")
@click.option("--local", is_flag=True, help="Work in this process, even if a daemon runs.")
@click.option("--remote", is_flag=True, help="Only use a daemon.")
@click.option("--detach", is_flag=True, help="Hand the job to the daemon, print its id, do not wait.")
@click.option("--prefetch", is_flag=True, help="Make no video, only fetch what it would show, for a later time.")
@json_option
@shared()
@click.pass_obj
def generate(
    options: Options, /, prompt: str | None, output: str | None, force: bool, only_video: bool, local: bool,
    remote: bool, detach: bool, prefetch: bool, as_json: bool, no_captions: bool, no_highlight: bool, no_music: bool,
    **wishes: Any,
) -> None:  # fmt: skip
    """Make a video from PROMPT ('-' reads it from stdin).

    Instead of a prompt there may be a --script, --scenes or --narration. Ctrl-C cancels the job.
    """
    if local and (remote or detach or options.url or wishes["review"]):
        raise click.UsageError("--local cannot be combined with --remote, --detach, --review or --url.")
    if detach and (output or only_video or force):
        raise click.UsageError("--detach waits for no video; fetch it later with `vidgend result JOB -o FILE`.")
    if prefetch and (output or only_video or force or wishes["review"] or wishes["callback_url"]):
        raise click.UsageError("--prefetch makes no video: leave out what says what becomes of one.")
    if prompt is None and not wishes["script"] and not wishes["scenes"] and not wishes["narration"]:
        raise click.UsageError("Missing argument 'PROMPT' (or --script, --scenes or --narration).")
    if wishes["keep_background"] and not wishes["narration"]:
        raise click.UsageError("--keep-background needs a --narration.")

    if wishes["music_file"] and (no_music or wishes["music_mood"]):
        raise click.UsageError("--music cannot be combined with --no-music or --music-mood.")

    from vidgend.cli.own_files import OwnFiles
    from vidgend.cli.request import build, nearest_style, title_of
    from vidgend.cli.target import choose_target

    files = OwnFiles()
    body = build(
        prompt=prompt, captions=not no_captions, highlight=not no_highlight, music=not no_music, files=files, **wishes
    )
    try:
        if detach:
            _detach(options.daemon(), body, files, prefetch=prefetch, as_json=as_json)
            return
        if prefetch:
            daemon = None if local else options.daemon_if_alive(needed=remote or options.url is not None, hint=_START)
            _tell_prefetched(_prefetch(options, daemon, body, files), as_json=as_json)
            return
        target = choose_target(output, title=title_of(body, files), force=force, only_video=only_video)
        needed = remote or options.url is not None or body.review
        daemon = None if local else options.daemon_if_alive(needed=needed, hint=_START)
        if daemon is not None:
            tell(f"using the daemon at {daemon.url}")
            made = _in_daemon(daemon, body, files, target)
            if made is None:
                return
            outcome, written, seconds = made
        else:
            outcome, written, seconds = _here(options, body, files, target)
    except UnknownStyle as error:
        raise nearest_style(error, body.style) from None
    with unread_is_fine():
        print_outcome(outcome, written, seconds=seconds, as_json=as_json)


def _request(body: GenerateBody) -> dict[str, Any]:
    given: dict[str, Any] = body.model_dump(mode="json", exclude_unset=True)
    return given


def _detach(daemon: Daemon, body: GenerateBody, files: OwnFiles, *, prefetch: bool, as_json: bool) -> None:
    from vidgend.cli.own_files import send_files

    send_files(daemon, files)
    if prefetch:
        accepted = daemon.submit("/mcp/prefetch", {"video": _request(body)})
    else:
        accepted = daemon.submit("/mcp/generate", _request(body))
    if as_json:
        echo_json(accepted)
    else:
        click.echo(accepted["job_id"])


def _prefetch(options: Options, daemon: Daemon | None, body: GenerateBody, files: OwnFiles) -> dict[str, Any]:
    """The result of the prefetch job."""
    from vidgend.cli.here import prefetch_here
    from vidgend.cli.progress import make_reporter

    reporter = make_reporter()
    try:
        if daemon is None:
            return prefetch_here(options.settings(), body, files, reporter, verbose=options.verbose)
        from vidgend.cli.follow import ending_cancels, follow, stopping_signals
        from vidgend.cli.own_files import send_files
        from vidgend.client.problems import raise_failure

        tell(f"using the daemon at {daemon.url}")
        with stopping_signals():
            send_files(daemon, files)
            job_id = str(daemon.submit("/mcp/prefetch", {"video": _request(body)})["job_id"])
            with ending_cancels(daemon, job_id):
                raise_failure(follow(daemon, job_id, reporter))
            return daemon.of_job("result", job_id)
    finally:
        reporter.close()


def _tell_prefetched(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        echo_json(found)
        return
    click.echo(f"{found['job_id']}: {len(found['clips'])} clips are in the store, until that job is deleted")
    tell_failed(found)


def _in_daemon(
    daemon: Daemon, body: GenerateBody, files: OwnFiles, target: Target
) -> tuple[dict[str, Any], dict[str, Path], float] | None:
    """None for a job that awaits its review."""
    from vidgend.cli.follow import ending_cancels, fetch_result, follow, stopping_signals, submit
    from vidgend.cli.own_files import send_files
    from vidgend.cli.progress import make_reporter
    from vidgend.client.problems import raise_failure

    began = time.monotonic()
    with stopping_signals():
        send_files(daemon, files)
        reporter = make_reporter()  # before there is a job: what stops the command meanwhile leaves none behind
        try:
            job_id = submit(daemon, _request(body))
            with ending_cancels(daemon, job_id):
                ended = follow(daemon, job_id, reporter)
                raise_failure(ended)
        finally:
            reporter.close()
        if ended["status"] == "awaiting_review":
            click.echo(
                f"{job_id} awaits review: `vidgend storyboard {job_id}` shows it, `vidgend edit` changes it, "
                f"`vidgend render {job_id} -w` makes the video"
            )
            return None
        outcome, written = fetch_result(daemon, job_id, target)
    return outcome, written, time.monotonic() - began


def _here(
    options: Options, body: GenerateBody, files: OwnFiles, target: Target
) -> tuple[dict[str, Any], dict[str, Path], float]:
    from vidgend.cli.here import make_here
    from vidgend.cli.progress import make_reporter
    from vidgend.pipeline.styles import find_style

    if body.callback_url:
        hint = "It needs the daemon: start it with `vidgend serve`, and leave out --local."
        raise BadInput("--callback-url: nobody calls it when the work is done in this process", hint=hint)
    find_style(body.style)
    settings = options.settings()
    began = time.monotonic()
    reporter = make_reporter()
    try:
        outcome, written = make_here(settings, body, files, target, reporter, verbose=options.verbose)
    finally:
        reporter.close()
    return outcome, written, time.monotonic() - began
