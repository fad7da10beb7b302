from pathlib import Path, PurePosixPath

import pytest

from vidgend.errors import NetworkFilesystem
from vidgend.store.filesystem_kind import is_network, kind_of, refuse_network

MOUNTS = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
40 27 0:50 / /srv/share rw,relatime shared:2 master:1 - nfs4 10.0.0.2:/export rw,vers=4.2
41 40 0:51 / /srv/share/local rw - xfs /dev/sdb1 rw
42 27 0:52 / /srv/my\040disk rw - cifs //nas/disk rw
43 27 0:53 / /home/a/far rw - fuse.sshfs a@b: rw
44 27 0:54 / /twice rw - nfs 10.0.0.2:/old rw
45 44 0:55 / /twice rw - ext4 /dev/sdc1 rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/vidgend", "ext4"),
        ("/srv/share", "nfs4"),
        ("/srv/share/vidgend/data", "nfs4"),
        ("/srv/shared", "ext4"),
        ("/srv/share/local/x", "xfs"),
        ("/srv/my disk/x", "cifs"),
        ("/home/a/far/data", "fuse.sshfs"),
        ("/twice/x", "ext4"),
        ("/proc/self", "proc"),
    ],
)
def test_the_longest_mount_point_says_which_file_system_it_is(path: str, kind: str) -> None:
    assert kind_of(PurePosixPath(path), MOUNTS) == kind


def test_the_device_decides_where_a_mount_hides_another() -> None:
    hidden = MOUNTS + "46 27 0:56 / /srv rw - nfs4 10.0.0.3:/all rw\n"
    assert kind_of(PurePosixPath("/srv/share/local/x"), hidden, "0:56") == "nfs4"
    assert kind_of(PurePosixPath("/srv/share/local/x"), hidden, "9:99") == "xfs"


def test_text_that_is_no_mount_table_says_nothing() -> None:
    assert kind_of(PurePosixPath("/srv"), "") is None
    assert kind_of(PurePosixPath("/srv"), "nonsense\n1 2 3 - \n - x\n") is None


@pytest.mark.parametrize(
    "kind", "nfs nfs4 cifs smb3 smbfs 9p afs ceph glusterfs lustre fuse.sshfs fuse.rclone fuse.s3fs".split()
)
def test_network_file_systems_are_known(kind: str) -> None:
    assert is_network(kind)


@pytest.mark.parametrize(
    "kind", "ext4 xfs btrfs zfs tmpfs overlay f2fs fuse.ntfs-3g fuse.fuse-overlayfs fuseblk".split()
)
def test_local_file_systems_are_not_taken_for_remote_ones(kind: str) -> None:
    assert not is_network(kind)


def _everything_on(tmp_path: Path, kind: str) -> Path:
    table = tmp_path / "mountinfo"
    table.write_text(f"27 1 0:99 / / rw - {kind} somewhere rw\n")
    return table


def test_a_data_directory_on_a_network_share_is_refused_with_what_to_do(tmp_path: Path) -> None:
    table = _everything_on(tmp_path, "nfs4")
    with pytest.raises(NetworkFilesystem, match="nfs4") as caught:
        refuse_network(tmp_path / "not" / "there" / "yet", False, table)
    assert "allow_network_filesystem" in caught.value.hint
    refuse_network(tmp_path, True, table)


def test_a_link_to_a_network_share_is_seen_through(tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "share")
    table = tmp_path / "mountinfo"
    share = str((tmp_path / "share").resolve()).replace(" ", r"\040")
    table.write_text(f"27 1 0:99 / / rw - ext4 x rw\n28 27 0:98 / {share} rw - cifs //nas/x rw\n")
    with pytest.raises(NetworkFilesystem, match="cifs"):
        refuse_network(tmp_path / "data", False, table)


def test_what_cannot_be_told_is_not_refused(tmp_path: Path) -> None:
    refuse_network(tmp_path, False, tmp_path / "missing")
    refuse_network(tmp_path, False, _everything_on(tmp_path, "something-new"))
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    refuse_network(circle, False, _everything_on(tmp_path, "nfs"))


def test_the_disk_that_the_tests_run_on_is_not_refused(tmp_path: Path) -> None:
    refuse_network(tmp_path, False)
