"""Which file system a path lies on, and which of them the database must not lie on.

SQLite's locks and its shared memory need one machine's kernel. On a network file system they fail quietly, and the
database is damaged.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePath

from vidgend.errors import NetworkFilesystem

_NETWORK = frozenset(
    "9p acfs afs beegfs ceph cifs coda davfs gfarm glusterfs gpfs lustre ncpfs nfs nfs4 orangefs panfs pvfs2 smb2 smb3 "
    "smbfs".split()
)
_REMOTE_FUSE = frozenset(
    "afp ceph ceph-fuse cephfs curlftpfs davfs davfs2 gcsfuse geesefs glusterfs goofys google-drive-ocamlfuse "
    "gvfsd-fuse hdfs jfs juicefs lizardfs mfs moosefs mount-s3 mountpoint-s3 blobfuse blobfuse2 objectivefs rclone "
    "s3fs s3ql seaweedfs smbnetfs sshfs weed".split()
)


def kind_of(path: PurePath, mountinfo: str, device: str | None = None) -> str | None:
    """The type of the file system that `path` (absolute, without links) lies on, or None if that cannot be told.

    `mountinfo` is the text of /proc/self/mountinfo. `device` is the path's "major:minor"; it decides where one mount
    hides another. Some file systems show a device of their own for each folder, so no match is no contradiction.
    """
    found: list[tuple[bool, int, int, str]] = []
    for number, line in enumerate(mountinfo.splitlines()):
        left, dash, right = line.partition(" - ")
        fields = left.split(" ")
        if not dash or len(fields) < 6 or not right:
            continue
        point = PurePath(_unescape(fields[4]))
        if path.is_relative_to(point):
            found.append((fields[2] == device, len(point.parts), number, right.split(" ")[0]))
    return max(found)[3] if found else None


def is_network(kind: str) -> bool:
    """Whether a file system of this type is (or may be) on another machine."""
    return kind in _NETWORK or (kind.startswith("fuse.") and kind.removeprefix("fuse.") in _REMOTE_FUSE)


def refuse_network(path: Path, allow: bool, mountinfo: Path = Path("/proc/self/mountinfo")) -> None:
    """Refuse a data directory on a network file system; what cannot be told is not refused.

    Raises: NetworkFilesystem.
    """
    if allow:
        return
    try:
        there = path.resolve()
        while not there.exists():
            there = there.parent
        number = there.stat().st_dev
        kind = kind_of(there, mountinfo.read_text(), f"{os.major(number)}:{os.minor(number)}")
    except (OSError, RuntimeError, UnicodeDecodeError):  # RuntimeError: links in a circle
        return
    if kind is not None and is_network(kind):
        raise NetworkFilesystem(
            f"{path} lies on a network file system ({kind}); file locks do not hold there, and the database would be "
            "damaged sooner or later",
            hint="Give data_dir a local disk; a network share may hold the videos (assets.url). If you are certain "
            "that nothing else uses this directory, set store.allow_network_filesystem = true.",
        )


def _unescape(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
