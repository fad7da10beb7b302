from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from vidgend.cli import MAINTENANCE_COMMANDS, cli
from vidgend.cli.exits import EXITS, exit_code
from vidgend.client.problems import error_of, family
from vidgend.errors import (
    BackupInvalid,
    DaemonUnreachable,
    DatabaseDamaged,
    DataDirLocked,
    FfmpegFailed,
    JobNotFinished,
    NetworkFilesystem,
    NotFound,
    ProviderRateLimited,
    QueueFull,
    SettingsInvalid,
    StepError,
    StepPoisoned,
    StepTimeout,
    ToolMissing,
    Unauthorized,
    UnknownVoice,
    VidgendError,
)

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FfmpegFailed, 1), (StepTimeout, 1), (StepPoisoned, 1), (BackupInvalid, 5), (DatabaseDamaged, 78),
        (NetworkFilesystem, 78), (NotFound, 3), (DaemonUnreachable, 4), (UnknownVoice, 5),
        (JobNotFinished, 6), (ToolMissing, 69), (ProviderRateLimited, 69), (VidgendError, 70), (DataDirLocked, 75),
        (QueueFull, 75), (SettingsInvalid, 78), (Unauthorized, 78),
    ],
)  # fmt: skip
def test_an_error_ends_with_the_code_of_its_kind(error: type[VidgendError], code: int) -> None:
    assert exit_code(error()) == code


def test_no_error_but_the_nameless_one_counts_as_a_bug() -> None:
    assert {code for code, kind in family(VidgendError).items() if exit_code(kind()) == 70} == {"internal"}


def test_an_error_that_was_told_by_its_code_is_that_error_again() -> None:
    error = error_of("ffmpeg_failed", "it broke", hint="mend it", tail="last line")
    assert type(error) is FfmpegFailed
    assert (error.detail, error.hint, error.tail) == ("it broke", "mend it", "last line")


def test_a_failed_job_with_an_unknown_code_is_a_failed_job_not_a_bug() -> None:
    for code in ("of_a_newer_version", "internal", ""):
        assert type(error_of(code, "x", otherwise=StepError)) is StepError


def test_help_and_docs_show_the_table_of_exit_codes(vidgend) -> None:
    table = [(entry.code, entry.meaning) for entry in EXITS]
    helped = re.findall(r"^ +(\d+)  (.+)$", vidgend("--help").stdout, re.M)
    assert [(int(code), meaning) for code, meaning in helped] == table
    documented = re.findall(r"^\| (\d+) \| (.+) \|$", DOCS.read_text(encoding="utf-8"), re.M)
    assert [(int(code), meaning) for code, meaning in documented] == table


def _commands(group: click.Group, prefix: str = "") -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found |= _commands(command, f"{prefix}{name} ")
        if not isinstance(command, click.Group) or command.invoke_without_command:
            found[prefix + name] = command
    return found


def test_docs_name_every_command_and_option() -> None:
    text = DOCS.read_text(encoding="utf-8")
    commands = _commands(cli)
    assert {command.name for command in MAINTENANCE_COMMANDS} <= set(commands)
    assert sorted(set(commands) - {command.name for command in MAINTENANCE_COMMANDS}) == [
        "cancel", "config check", "config example", "delete", "doctor", "edit", "events", "generate",
        "keys create", "keys forget", "keys list", "keys revoke", "library", "list", "mcp", "models list",
        "models path", "models pull", "models verify", "pause", "prefetch",
        "queue", "render", "result", "resume", "retry", "revert", "serve", "status", "storyboard", "styles", "upload",
        "uploads", "usage", "voices", "voices sample", "webhooks job", "webhooks secret", "webhooks test",
    ]  # fmt: skip
    missing = [name for name in commands if f"`vidgend {name}" not in text]
    for command in commands.values():
        names = [name for parameter in command.params if isinstance(parameter, click.Option) for name in parameter.opts]
        missing += [name for name in names if f"`{name}" not in text]
    assert missing == []
