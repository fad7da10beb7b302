"""The sockets to listen on: TCP, a unix socket, or what systemd hands over.

They are bound first of all, so that what is taken is told at once; nobody is answered before the server starts.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from vidgend.errors import SettingsInvalid

BACKLOG = 1024
_FIRST_FD = 3
"""SD_LISTEN_FDS_START. Source: man sd_listen_fds."""
_SUN_PATH_BYTES = 107
_OTHERS = stat.S_IROTH | stat.S_IWOTH


@dataclass(frozen=True, kw_only=True)
class Listener:
    """A bound socket that listens. `path` and `inode` are those of a file that was made for it."""

    socket: socket.socket
    path: Path | None = None
    inode: int = 0

    @property
    def is_unix(self) -> bool:
        return self.socket.family == socket.AF_UNIX

    @property
    def port(self) -> int:
        """0 for a unix socket."""
        return 0 if self.is_unix else int(self.socket.getsockname()[1])

    def url(self, scheme: str) -> str:
        """Where it listens, as it is told to people."""
        name = self.socket.getsockname()
        if self.is_unix:
            return f"unix://{name}"
        return f"{scheme}://[{name[0]}]:{name[1]}" if ":" in name[0] else f"{scheme}://{name[0]}:{name[1]}"

    @property
    def who_else(self) -> str:
        """Who can come in whom its owner did not let in, in words; empty if nobody. By loopback that is nobody, by a
        unix socket those whom its file lets."""
        name = self.socket.getsockname()
        if self.is_unix:
            with contextlib.suppress(OSError, TypeError, ValueError):
                if Path(name).stat().st_mode & _OTHERS == 0:
                    return ""
            return f"{name or 'an unnamed socket'} can be opened by every user"
        return "" if ip_address(name[0]).is_loopback else f"{name[0]} can be reached from other machines"

    def close(self) -> None:
        """And remove its file, unless another daemon has put its own there."""
        self.socket.close()
        if self.path is not None:
            with contextlib.suppress(FileNotFoundError):
                if self.path.lstat().st_ino == self.inode:
                    self.path.unlink()


def open_listeners(*, host: str, port: int, unix_socket: Path | None, unix_mode: int) -> list[Listener]:
    """What systemd hands over; otherwise `host` and `port` (no TCP if `host` is empty; port 0 takes a free one) and
    `unix_socket`. Raises: SettingsInvalid."""
    listeners = _inherited()
    if listeners:
        return listeners
    with contextlib.ExitStack() as undo:
        if host:
            listeners.append(_listen_tcp(host, port))
            undo.callback(listeners[0].close)
        if unix_socket is not None:
            listeners.append(_listen_unix(unix_socket, unix_mode))
        undo.pop_all()
    if not listeners:
        raise SettingsInvalid(
            "neither http.host nor http.unix_socket says where to listen",
            hint='http.host = "127.0.0.1" is the default.',
        )
    return listeners


_EVERY_PAGE = 'with http.cors_origins = ["*"] every page in a browser of this machine can call'


def refuse_open(listeners: Iterable[Listener], *, has_key: bool, any_origin: bool = False) -> None:
    """Raises: SettingsInvalid if others can come in and there is no key that lets anybody in."""
    others = who_else(listeners, any_origin=any_origin)
    if others and not has_key:
        instead = "name the origins" if others == _EVERY_PAGE else "listen on 127.0.0.1"
        raise SettingsInvalid(
            f"{others}, but there is no key",
            hint=f"Make one with `vidgend keys create NAME` (or set http.api_key), or {instead}.",
        )


def who_else(listeners: Iterable[Listener], *, any_origin: bool = False) -> str:
    """Who can come in whom their owner did not let in, in words; empty if nobody."""
    others = next((listener.who_else for listener in listeners if listener.who_else), "")
    return others or (_EVERY_PAGE if any_origin else "")


_HINTS = {
    errno.EADDRINUSE: "Is another vidgend running? Choose another http.port, or stop the other one.",
    errno.EACCES: "Ports below 1024 are for root; choose a higher http.port, or have systemd open it.",
}


def _listen_tcp(host: str, port: int) -> Listener:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return Listener(socket=socket.create_server((host, port), family=family, backlog=BACKLOG))
    except OSError as error:
        raise SettingsInvalid(
            f"cannot listen on {host} port {port}: {error.strerror or error}",
            hint=_HINTS.get(error.errno or 0, "http.host is an address of this machine, such as 127.0.0.1 or 0.0.0.0."),
        ) from None


def _listen_unix(path: Path, mode: int) -> Listener:
    """Nobody can connect between `bind` and `listen`, so the file's mode is right before anybody is let in."""
    if len(os.fsencode(path)) > _SUN_PATH_BYTES:
        raise SettingsInvalid(
            f"http.unix_socket {path}: the path of a socket has at most {_SUN_PATH_BYTES} bytes",
            hint="Choose a shorter one, such as /run/vidgend/vidgend.sock.",
        )
    _remove_stale(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(str(path))
        path.chmod(mode)
        sock.listen(BACKLOG)
        return Listener(socket=sock, path=path, inode=path.lstat().st_ino)
    except OSError as error:
        sock.close()
        raise SettingsInvalid(
            f"cannot listen on the socket {path}: {error.strerror or error}",
            hint="Its folder must exist, and the daemon must be allowed to write there.",
        ) from None


def _remove_stale(path: Path) -> None:
    """Remove the socket of a daemon that is gone. Raises: SettingsInvalid."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise SettingsInvalid(f"http.unix_socket {path}: there is something else", hint="Choose another path.")
    except OSError:  # not there, or not to be seen: binding will tell
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError:  # a queue that is full, or no permission: somebody is there
            pass
    raise SettingsInvalid(
        f"another program listens on {path}", hint="Choose another http.unix_socket, or stop the other one."
    )


def _inherited() -> list[Listener]:
    """The sockets of a systemd socket unit, if it started this process. Children must not take them for theirs.

    Raises: SettingsInvalid.
    """
    count, pid = os.environ.get("LISTEN_FDS", ""), os.environ.get("LISTEN_PID", "")
    if pid != str(os.getpid()) or not count.isdigit():
        return []
    for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    listeners = []
    for fd in range(_FIRST_FD, _FIRST_FD + int(count)):
        try:
            os.set_inheritable(fd, False)
            sock = socket.socket(fileno=fd)
            usable = sock.type == socket.SOCK_STREAM and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        except OSError:
            usable = False
        if not usable:
            raise SettingsInvalid(
                f"systemd handed over file {fd}, which is no listening stream socket",
                hint="The socket unit needs ListenStream= and Accept=no.",
            )
        listeners.append(Listener(socket=sock))
    return listeners
