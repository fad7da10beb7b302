"""The named looks: what the `style` of a request changes. One file per look, which has a `STYLE`; docs/styles.md shows
them. A new file in this folder is a new look.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from vidgend.errors import UnknownStyle
from vidgend.pipeline.styles.look import Style

STYLES: dict[str, Style] = {
    module.name: import_module(f"{__name__}.{module.name}").STYLE
    for module in pkgutil.iter_modules(__path__)
    if module.name != "look"
}
"""By name, in the order of the alphabet."""


def find_style(name: str) -> Style:
    """Raises: UnknownStyle."""
    style = STYLES.get(name.strip().lower())
    if style is None:
        raise UnknownStyle(f"no style {name!r}; there are {', '.join(STYLES)}")
    return style
