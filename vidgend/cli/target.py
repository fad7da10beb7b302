"""Where a finished video or sound goes: chosen and tried before the work, written whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vidgend.errors import BadInput, StorageFull

SUFFIXES = {
    "video": ".mp4", "srt": ".srt", "vtt": ".vtt", "words": ".words.json", "thumbnail": ".jpg",
    "description": ".description.txt",
}  # fmt: skip
"""The files of a result that people get, by role."""
_MAX_SLUG_CHARS = 48
_OUTPUT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,47}")


def slug(text: str) -> str:
    """A file name from a prompt: its first words in lower case with hyphens; `video` if it has no letters."""
    plain = unicodedata.normalize("NFKC", text).lower()
    name = re.sub(r"[\W_]+", "-", plain).strip("-")
    if len(name) > _MAX_SLUG_CHARS:
        cut = name[: _MAX_SLUG_CHARS + 1]
        name = cut.rpartition("-")[0] if "-" in cut else cut[:_MAX_SLUG_CHARS]
    return name or "video"


@dataclass(frozen=True, kw_only=True)
class Target:
    """The files to write, by role. `force` allows them to take the place of others."""

    paths: dict[str, Path]
    force: bool = False

    @property
    def video(self) -> Path:
        return self.paths["video"]

    def with_outputs(self, names: Iterable[str]) -> Target:
        """The same with the files of further videos beside the main one's: `sea-9x16.mp4` beside `sea.mp4`; their roles
        are such as `video:9x16`. Raises: BadInput."""
        paths = dict(self.paths)
        for name in names:
            if not _OUTPUT_NAME.fullmatch(name):
                raise BadInput(f"{name!r} is no name of an output")
            video = self.video.with_name(f"{self.video.stem}-{name}.mp4")
            paths |= {f"{role}:{name}": _beside(video, role) for role in self.paths if ":" not in role}
        _check_free([path for role, path in paths.items() if role not in self.paths], force=self.force)
        return Target(paths=paths, force=self.force)

    def write(self, fetch: dict[str, Callable[[Path], None]]) -> dict[str, Path]:
        """Let each `fetch[role]` fill a `.part` file, then rename all. Returns what was written, by role.

        Nothing appears under a final name unless every file is whole. Raises: StorageFull, BadInput, what fetch raises.
        """
        roles = [role for role in self.paths if role in fetch]
        parts = {role: self.paths[role].with_name(f".{self.paths[role].name}.{os.getpid()}.part") for role in roles}
        try:
            with _disk_errors(next(iter(self.paths.values())).parent):
                for role, part in parts.items():
                    fetch[role](part)
                    with part.open("rb") as file:
                        os.fsync(file.fileno())
                for role in sorted(roles, key=lambda role: role == "video"):  # last: the video is the sign of success
                    parts[role].replace(self.paths[role])
        finally:
            for part in parts.values():
                part.unlink(missing_ok=True)
        return {role: self.paths[role] for role in roles}


def copier(source: Path) -> Callable[[Path], None]:
    """A fetch that copies a file of this machine."""

    def copy(part: Path) -> None:
        shutil.copyfile(source, part)

    return copy


def choose_target(output: str | None, *, title: str, force: bool, only_video: bool) -> Target:
    """Where a video goes, proven to be possible: `output` is a file, a folder, or None for a name made from `title`.

    Raises: BadInput.
    """
    path = _choose_file(output, name=f"{slug(title)}.mp4", what="a video", kind="MP4")
    paths = {role: _beside(path, role) for role in SUFFIXES if role == "video" or not only_video}
    _check_free(paths.values(), force=force)
    return Target(paths=paths, force=force)


def choose_sound(output: str | None, *, title: str, force: bool) -> Target:
    """The same for a WAV file alone, whose role is `sound`. Raises: BadInput."""
    path = _choose_file(output, name=f"{slug(title)}.wav", what="a sound", kind="WAV")
    _check_free([path], force=force)
    return Target(paths={"sound": path}, force=force)


def _choose_file(output: str | None, *, name: str, what: str, kind: str) -> Path:
    """Raises: BadInput."""
    if output == "-":
        raise BadInput(f"--output -: {what} is not written to the terminal", hint="Give a file name or a folder.")
    suffix = Path(name).suffix
    path = Path(output).expanduser() if output else Path(name)
    _refuse_device(path)
    if output and (path.is_dir() or output.endswith(("/", os.sep))):
        path = path / name
    if path.suffix == "":
        path = path.with_name(f"{path.name}{suffix}")
    if path.suffix.lower() != suffix:
        raise BadInput(f"--output {path}: vidgend writes {kind} files", hint=f"Give a name that ends in {suffix}.")
    if not path.parent.is_dir():
        what = "is not a folder" if path.parent.exists() else "does not exist"
        raise BadInput(f"--output {path}: {path.parent} {what}", hint="Create the folder first, or choose another.")
    with _disk_errors(path.parent):
        fd, probe = tempfile.mkstemp(prefix=".vidgend-", suffix=".part", dir=path.parent)
        os.close(fd)
        Path(probe).unlink()
    return path


def _beside(video: Path, role: str) -> Path:
    return video if role == "video" else video.with_name(video.stem + SUFFIXES[role])


def _refuse_device(path: Path) -> None:
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise BadInput(f"{path} is no regular file", hint="Give the name of a file, or a folder.")


def _check_free(paths: Iterable[Path], *, force: bool) -> None:
    for taken in paths:
        if taken.is_dir():
            raise BadInput(f"{taken} is a folder", hint="-o chooses another name.")
        _refuse_device(taken)
        if taken.exists() and not force:
            raise BadInput(f"{taken} exists already", hint="--force overwrites it; -o chooses another name.")


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"no space left in {folder}", hint="Free some space, or choose another folder.") from None
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENAMETOOLONG):
            reason = (error.strerror or str(error)).lower()
            raise BadInput(f"cannot write into {folder}: {reason}", hint="Choose another place with -o.") from None
        raise
