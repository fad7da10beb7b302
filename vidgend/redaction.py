"""Secrets are kept out of what people read: those of the settings wherever they appear, and what looks like one."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus, unquote, urlsplit

MASK = "***"
SHORTEST = 6
"""A secret of fewer characters is not looked for: it would be found in every other word, and could be guessed."""
SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW", re.IGNORECASE)
"""What the name of a variable has that holds a secret."""

_SHAPES = re.compile(
    r"""
    (?P<head>
        \bvg_[A-Za-z0-9]{4,32}_                                     # keys of vidgend: their public part may be read
      | \bwhsec_
      | \b(?:Bearer|Basic)[ ]+
      | (?<=[?&])(?:key|token)=
      | \b(?:sig|signature|api_?key|access_token|X-Amz-(?:Signature|Credential|Security-Token))(?:=|%3D)
    )
    [A-Za-z0-9+/=_.~%-]{6,}
    """,
    re.VERBOSE | re.IGNORECASE,
)

_HINTS = ("vg_", "whsec_", "bearer ", "basic ", "sig=", "sig%3d", "signature", "key=", "key%3d", "token=", "token%3d",
          "x-amz-", "@")  # fmt: skip
"""What a text has in which the expressions can find anything; most lines have none of it."""
_PASSWORD = re.compile(r"""(://[^\s/@:"']{0,200}:)[^\s/"']{1,200}(?=@)""")
"""Of an address: up to the last @ before its path, since it may have one itself."""


def _spellings(secret: str) -> Iterable[str]:
    """A secret as it is, as it stands in JSON, in a URL, in a Python literal and in a header of HTTP Basic, and each of
    these as it stands in a line of the log."""
    encoded = base64.b64encode(secret.encode("utf-8", "replace")).decode().rstrip("=")
    in_url = {quote(secret, safe=""), quote_plus(secret), unquote(secret)}
    for one in {secret, repr(secret)[1:-1], encoded, *in_url, *_in_json(secret)}:
        yield one
        yield repr(one)[1:-1]
        yield from _in_json(one)


def _in_json(text: str) -> Iterable[str]:
    return json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]


class Redactor:
    """Call it with a text. `secrets` are masked wherever they stand, in whatever spelling is usual."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        found = {spelling for secret in secrets for spelling in _spellings(secret) if len(spelling) >= SHORTEST}
        self._known = sorted(found, key=lambda one: (-len(one), one))

    def __call__(self, text: str) -> str:
        for secret in self._known:  # a search each is far cheaper than one expression of them all
            if secret in text:
                text = text.replace(secret, MASK)
        lower = text.lower()
        if not any(hint in lower for hint in _HINTS):
            return text
        text = _SHAPES.sub(lambda found: f"{found['head']}{MASK}", text)
        return without_password(text) if "@" in text else text


def secrets_of_environment(environ: Mapping[str, str] = os.environ) -> set[str]:
    """The values of variables that hold secrets by their name, and the passwords in addresses of proxies."""
    found = {value.strip() for name, value in environ.items() if SECRET_NAME.search(name)}
    for value in environ.values():
        if "@" in value:
            found.add(password_in(value))
    return {value for value in found if len(value) >= SHORTEST}


def without_password(url: str) -> str:
    """An address as it may be shown."""
    return _PASSWORD.sub(rf"\1{MASK}", url)


def password_in(url: str) -> str:
    """The password in an address, "" if it has none."""
    try:
        return urlsplit(url).password or "" if "://" in url else ""
    except ValueError:
        return ""
