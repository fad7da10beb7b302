"""The exit codes: one table, shown by `vidgend --help` and in docs/cli.md.

The numbers above 64 are those of sysexits.h, so that systemd and scripts know them.
"""

from __future__ import annotations

from dataclasses import dataclass

from vidgend.errors import (
    BackupInvalid,
    BadInput,
    Conflict,
    DaemonUnreachable,
    DatabaseDamaged,
    DataDirLocked,
    ForbiddenScope,
    NetworkFilesystem,
    NotFound,
    ProviderError,
    ResultExpired,
    SchemaTooNew,
    SettingsInvalid,
    StepError,
    ToolMissing,
    Unauthorized,
    Unavailable,
    VidgendError,
    VoiceUnavailable,
)


@dataclass(frozen=True, kw_only=True)
class Exit:
    """An exit code, what it means, and the errors that end with it."""

    code: int
    meaning: str
    errors: tuple[type[VidgendError], ...] = ()


EXITS: tuple[Exit, ...] = (
    Exit(code=0, meaning="done"),
    Exit(code=1, meaning="the job failed or was cancelled; something is wrong and not mended", errors=(StepError,)),
    Exit(code=2, meaning="wrong usage: an unknown command or option, a missing argument"),
    Exit(code=3, meaning="no such job, result or model, or it was deleted", errors=(NotFound, ResultExpired)),
    Exit(code=4, meaning="no daemon answers at that address", errors=(DaemonUnreachable,)),
    Exit(code=5, meaning="the input was refused: a value, a file, a voice, a style", errors=(BadInput, BackupInvalid)),
    Exit(
        code=6, meaning="not now: the job is not finished, or already over; something is in the way", errors=(Conflict,)
    ),
    Exit(
        code=69,
        meaning="something needed is missing: a program, a provider",
        errors=(ToolMissing, VoiceUnavailable, ProviderError),
    ),
    Exit(code=70, meaning="a bug in vidgend", errors=(VidgendError,)),
    Exit(code=75, meaning="try later: locked, full, stopping", errors=(DataDirLocked, Unavailable)),
    Exit(
        code=78,
        meaning="the settings are wrong, or do not fit the daemon's key or the database",
        errors=(SettingsInvalid, SchemaTooNew, DatabaseDamaged, NetworkFilesystem, Unauthorized, ForbiddenScope),
    ),
    Exit(code=130, meaning="interrupted; a job that the command had sent is cancelled"),
)

USAGE = 2
UNAVAILABLE = 69
BUG = 70
INTERRUPTED = 130

_BY_ERROR = {error: entry.code for entry in EXITS for error in entry.errors}


class Interrupted(Exception):
    """The user (or a signal) stopped the command; what was under way has been cancelled. `detail` says what was."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


def exit_code(error: VidgendError) -> int:
    """The code of the nearest ancestor of the error that the table names."""
    return next(_BY_ERROR[kind] for kind in type(error).__mro__ if kind in _BY_ERROR)
