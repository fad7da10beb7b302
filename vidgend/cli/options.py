"""The options that every command knows, and how errors become lines and exit codes."""

from __future__ import annotations

import contextlib
import errno
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vidgend.cli.exits import BUG, INTERRUPTED, Interrupted, exit_code
from vidgend.errors import DaemonUnreachable, StepError, StorageFull, VidgendError

if TYPE_CHECKING:
    from vidgend.client.daemon import Daemon
    from vidgend.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

_HARMLESS = "\n\u200c\u200d"


@dataclass
class Options:
    """What was given before or after the command's name."""

    config: Path | None = None
    url: str | None = None
    data_dir: Path | None = None
    verbose: bool = False

    def settings(self, **overrides: Any) -> Settings:
        """Raises: SettingsInvalid."""
        from vidgend.settings_sources import load_settings

        if self.data_dir is not None:
            overrides["data_dir"] = self.data_dir
        return load_settings(self.config, overrides=overrides)

    def daemon(self) -> Daemon:
        """A client for the daemon at --url, else at the settings' address. Raises: SettingsInvalid."""
        return daemon_at(self.url, self.settings())

    def daemon_if_alive(self, *, needed: bool, hint: str) -> Daemon | None:
        """The daemon, if it answers. Raises: SettingsInvalid, DaemonUnreachable with `hint` if it is `needed`."""
        daemon = self.daemon()
        if daemon.alive():
            return daemon
        if needed:
            raise DaemonUnreachable(f"no daemon answers at {daemon.url}", hint=hint)
        return None


def daemon_at(url: str | None, settings: Settings) -> Daemon:
    """A client for the daemon at `url`, else for the one of this machine, which is known by its own certificate where
    that can be read. Raises: BadInput."""
    from vidgend.client.daemon import Daemon, reachable_url
    from vidgend.client.transport import pinned

    http, tls = settings.http, None
    if not url and http.tls_cert is not None:
        with contextlib.suppress(OSError, ValueError):
            tls = pinned(http.tls_cert)
    url = url or reachable_url(http.host, http.port, scheme=http.scheme, unix_socket=http.unix_socket)
    return Daemon(url, api_key=http.api_key.get_secret_value(), tls=tls)


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    if value not in (None, False):
        setattr(ctx.ensure_object(Options), param.name or "", value)
    return value


def shared(*, hidden: bool = True) -> Callable[[Command], Command]:
    """Add the shared options. They may stand before or after the command's name; only the first place shows them."""

    def decorate(command: Command) -> Command:
        for names, settings in (
            (("--config",), {"type": click.Path(path_type=Path), "help": "Settings file (TOML)."}),
            (("--url",), {"help": "Address of the daemon.  [default: from http.host and http.port]"}),
            (("--data-dir",), {"type": click.Path(path_type=Path), "help": "Instead of the setting data_dir."}),
            (("-v", "--verbose"), {"is_flag": True, "help": "Log lines, the tail of ffmpeg's output, tracebacks."}),
        ):
            command = click.option(*names, expose_value=False, callback=_remember, hidden=hidden, **settings)(command)
        return command

    return decorate


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")


def echo_json(value: Any) -> None:
    import json

    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def shown(text: str) -> str:
    """The text without what steers a terminal or turns its line about: control and format characters, but line ends and
    the joiners, which some scripts are spelt with."""
    return "".join(char for char in text if char in _HARMLESS or unicodedata.category(char) not in ("Cc", "Cf"))


def report(error: VidgendError, *, verbose: bool = False) -> None:
    """`error:` and `hint:` on stderr; the last lines of the failed program too if `verbose`."""
    click.echo(f"error: {shown(error.detail)}", err=True)
    if error.hint:
        click.echo(f"hint: {shown(error.hint)}", err=True)
    if isinstance(error, StepError) and error.tail:
        if verbose:
            click.echo(error.tail, err=True)
        else:
            click.echo("hint: -v shows what the program that failed wrote", err=True)


class Commands(click.Group):
    """A group whose commands may raise VidgendError."""

    def invoke(self, ctx: click.Context) -> Any:
        options = ctx.ensure_object(Options)
        try:
            return super().invoke(ctx)
        except VidgendError as error:
            report(error, verbose=options.verbose)
            ctx.exit(exit_code(error))
        except Interrupted as stop:
            click.echo(stop.detail, err=True)
            ctx.exit(INTERRUPTED)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as bug:  # the edge of the program: people get a line, -v gives the traceback
            while isinstance(bug, ExceptionGroup) and len(bug.exceptions) == 1:
                bug = bug.exceptions[0]
            if isinstance(bug, OSError) and bug.errno == errno.EPIPE:
                raise
            if isinstance(bug, OSError) and bug.errno in (errno.ENOSPC, errno.EDQUOT):
                full = StorageFull(f"no space is left on the disk{f': {bug.filename}' if bug.filename else ''}")
                report(full, verbose=options.verbose)
                ctx.exit(exit_code(full))
            if options.verbose:
                sys.excepthook(type(bug), bug, bug.__traceback__)
            click.echo(f"error: a bug in vidgend: {type(bug).__name__}: {bug}", err=True)
            click.echo("hint: -v shows where; please report it", err=True)
            ctx.exit(BUG)
