"""What `vidgend models` says of a model, for people and as JSON."""

from __future__ import annotations

from typing import Any

from vidgend.model_files.places import Found


def places_of(found: Found) -> list[str]:
    """What `path` prints: a file where the model is but one, else its folders."""
    if len(found.files) == 1:
        return [str(piece) for piece in found.pieces(found.files[0])]
    if found.folder is not None:
        return [str(found.folder)]
    pieces = [piece for file in found.files for piece in found.pieces(file)]
    return list(dict.fromkeys(str(piece.parent) for piece in pieces))


def state_of(found: Found) -> str:
    if found.state == "here":
        return f"here ({places_of(found)[0]})" + (f": {found.detail}" if found.detail else "")
    if found.state == "packaged":
        return f"in package {found.detail}" + (f"; {found.model.pull} joins it" if _in_pieces(found) else "")
    if found.state == "own":
        return f"your own ({found.folder}), not the published one: {found.detail}"
    if found.state == "damaged":
        return f"damaged: {found.detail}; {mend_of(found)}"
    return f"missing: {found.model.pull}"


def _in_pieces(found: Found) -> bool:
    """Whether the packages are of no use before a pull: the engines neither read nor join them."""
    packaged = found.model.packaged
    return found.state == "packaged" and packaged is not None and not packaged.in_place and not found.model.made


def mend_of(found: Found) -> str:
    """How to get the published files instead of what was found."""
    packaged = found.model.packaged
    if found.state == "packaged" and packaged is not None:
        return f"`{packaged.install.replace('install ', 'install --force-reinstall ', 1)}`"
    if found.own_folder:
        return f"move {found.folder} away, then {found.model.pull}"
    return found.model.pull


def told_of(found: Found) -> dict[str, Any]:
    model = found.model
    return {
        "name": model.name,
        "for": model.purpose,
        "about": model.about,
        "size_bytes": model.size_bytes,
        "licence": model.licence,
        "state": found.state,
        "detail": found.detail,
        "places": places_of(found),
        "get": model.get if found.state in ("damaged", "missing") or _in_pieces(found) else "",
        "packages": list(model.packaged.pins) if model.packaged else [],
        "files": [
            {
                "path": file.path,
                "size_bytes": file.size_bytes,
                "sha256": file.sha256,
                "url": model.home.url(file.path) if model.home else None,
            }
            for file in model.files
        ],
    }
