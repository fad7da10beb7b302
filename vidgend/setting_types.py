"""Settings that other programs read, checked when they are read: what passes can be sent, opened and asked."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

NO_NUL = r"^[^\x00]*$"
_MAX_URL_CHARS = 2000
_NAMED_SIZES = {"480p": "854x480", "720p": "1280x720", "1080p": "1920x1080", "1440p": "2560x1440", "4k": "3840x2160",
                "2160p": "3840x2160"}  # fmt: skip
Name = TypeVar("Name")


def _can_be_sent(text: str) -> bool:
    """Whether it can stand in a header and in an address: visible ASCII, without white space."""
    return text.isascii() and text.isprintable() and " " not in text


def _api_key(value: SecretStr) -> SecretStr:
    """Without the white space around it. What is wrong is said without the key."""
    key = value.get_secret_value().strip()
    if not _can_be_sent(key):
        raise ValueError("a key is letters, digits and signs of ASCII, without spaces, line ends or control characters")
    return SecretStr(key)


def _service_url(text: str) -> str:
    if text and not (len(text) <= _MAX_URL_CHARS and _can_be_sent(text) and _names_a_server(text)):
        raise ValueError("give the service's address, such as https://example.com or http://127.0.0.1:9001")
    return text


def _names_a_server(text: str) -> bool:
    """`http[s]://host[:port][/path]`. Hosts that look like numbers must be addresses."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
        if ":" in host:
            IPv6Address(host)
            if not re.fullmatch(r"([^][]*@)?\[[^][]*](:\d*)?", parts.netloc):
                return False
        elif host.replace(".", "").isdigit():
            IPv4Address(host)
        elif not host.replace(".", "").replace("-", "").replace("_", "").isalnum():
            return False
    except ValueError:
        return False
    labels = host.removesuffix(".").split(".")
    fits = all(1 <= len(label) <= 63 for label in labels) or ":" in host
    return parts.scheme in ("http", "https") and port != 0 and fits and not parts.query and not parts.fragment


def _origin(text: str) -> str:
    """As browsers write it: in lower case, without the port that its scheme has anyway, without a path."""
    if text == "*":
        return text
    try:
        parts = urlsplit(text.lower())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not (host and _can_be_sent(text) and _names_a_server(text)) or parts.path not in ("", "/") or "@" in text:
        raise ValueError("give an origin, such as https://example.com or http://192.168.1.5:3000, or *")
    host = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, usual) else "")


def _public_url(text: str) -> str:
    if text and not (_can_be_sent(text) and _names_a_server(text) and not set("@?#") & set(text)):
        raise ValueError("give the address that clients use, such as https://example.com or https://example.com/video")
    return text


def _given(value: Any) -> Any:
    """A path of NUL characters or of nothing is none."""
    if isinstance(value, str) and (not value.strip() or "\0" in value):
        raise ValueError("a path must not be empty or hold NUL characters")
    return value


def _absolute(path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except RuntimeError:  # ~somebody who is not there
        raise ValueError(f"there is no home folder for {path.parts[0]!r}") from None


def parse_resolution(text: str) -> tuple[int, int]:
    """(width, height) in pixels from `1920x1080` or `1080p`. Raises: ValueError; both must be even, 128..4096."""
    raw = _NAMED_SIZES.get(text.strip().lower(), text.strip().lower())
    width, cross, height = raw.partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise ValueError(f"not a resolution: {text!r}; write for example 1920x1080 or 1080p")
    size = int(width), int(height)
    if any(side % 2 or not 128 <= side <= 4096 for side in size):
        raise ValueError(f"resolution {text!r}: both sides must be even and between 128 and 4096 pixels")
    return size


def each_once(names: tuple[Name, ...]) -> tuple[Name, ...]:
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise ValueError(f"{twice} is named twice")
    return names


ApiKey = Annotated[SecretStr, AfterValidator(_api_key)]
ServiceUrl = Annotated[str, AfterValidator(_service_url)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
"""Without user, query and fragment: links are made by putting their paths behind it. Empty: unset."""
Origin = Annotated[str, AfterValidator(_origin)]
AbsolutePath = Annotated[Path, BeforeValidator(_given), AfterValidator(_absolute)]
"""`~` is a home folder; what is relative is so to the working folder at the start."""
