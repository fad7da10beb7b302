"""Writing into the models folder: one pull at a time, room for it first, whole files or none."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vidgend.errors import BadInput, StorageFull

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def only_one(folder: Path, *, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock on the folder itself, so that nothing is left of it. Waits for another pull, after `waiting()`.

    The kernel lets go of it when the process dies. Raises: OSError.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def need_room(folder: Path, more_bytes: int, *, reserve_bytes: int) -> None:
    """Raises: StorageFull unless `more_bytes` fit and `reserve_bytes` stay free."""
    free = shutil.disk_usage(folder).free
    if free - more_bytes < reserve_bytes:
        raise StorageFull(
            f"{more_bytes} bytes are to be written to {folder}, where {free} are free; {reserve_bytes} are kept",
            hint="Free some space, or take another data_dir; store.min_free_bytes says what is kept free.",
        )


def is_full(error: OSError) -> bool:
    return error.errno in _NO_SPACE


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Raises: StorageFull, BadInput for what the disk answers; other errors as they are."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise StorageFull(f"no space left in {folder}") from None
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            where = error.filename or folder
            raise BadInput(
                f"cannot use {where}: {(error.strerror or str(error)).lower()}",
                hint="Run the command as the user that vidgend runs as, or take another --data-dir.",
            ) from None
        raise
