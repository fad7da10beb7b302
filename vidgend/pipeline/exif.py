"""Which way up a photo is: the orientation tag of JPEG, PNG and WebP files.

ffmpeg turns some of these by itself, which ones depends on its version, and its header never tells. So vidgend reads
the tag, switches that off and turns the picture. Source: EXIF 2.32, tag 0x0112; PNG 1.5 `eXIf`; the WebP container.
"""

from __future__ import annotations

UPRIGHT = 1
HEAD_BYTES = 8 * 1024 * 1024
"""How much of a file `read_orientation` wants. A WebP keeps its tag behind the picture: what has more than this before
it counts as upright."""
_TURNS: dict[int, tuple[tuple[str, dict[str, str]], ...]] = {
    2: (("hflip", {}),),
    3: (("hflip", {}), ("vflip", {})),
    4: (("vflip", {}),),
    5: (("transpose", {"dir": "cclock_flip"}),),
    6: (("transpose", {"dir": "clock"}),),
    7: (("transpose", {"dir": "clock_flip"}),),
    8: (("transpose", {"dir": "cclock"}),),
}


def turning_filters(orientation: int) -> tuple[tuple[str, dict[str, str]], ...]:
    """ffmpeg filters that set a picture with this orientation upright."""
    return _TURNS.get(orientation, ())


def swaps_sides(orientation: int) -> bool:
    return orientation in (5, 6, 7, 8)


def read_orientation(content: bytes) -> int:
    """1 to 8; 1 (upright) if the file has no tag or one that makes no sense."""
    if content.startswith(b"\xff\xd8"):
        return _in_jpeg(content)
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _in_png(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _in_webp(content)
    return UPRIGHT


def _in_jpeg(content: bytes) -> int:
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF and content[at + 1] not in (0xDA, 0xD9):
        size = int.from_bytes(content[at + 2 : at + 4], "big")
        body = content[at + 4 : at + 2 + size]
        if content[at + 1] == 0xE1 and body.startswith(b"Exif\0"):
            return _in_tiff(body[6:])
        at += 2 + max(2, size)
    return UPRIGHT


def _in_png(content: bytes) -> int:
    at = 8
    while at + 8 <= len(content):
        size, name = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if name == b"eXIf":
            return _in_tiff(content[at + 8 : at + 8 + size])
        if name == b"IDAT":
            break
        at += 12 + size
    return UPRIGHT


def _in_webp(content: bytes) -> int:
    at = 12
    while at + 8 <= len(content):
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        if content[at : at + 4] == b"EXIF":
            body = content[at + 8 : at + 8 + size]
            return _in_tiff(body.removeprefix(b"Exif\0\0"))
        at += 8 + size + size % 2
    return UPRIGHT


def _in_tiff(tiff: bytes) -> int:
    """The tag in the first directory. All offsets are the file's word: a slice past the end is empty, not an error."""
    if tiff[:2] not in (b"II", b"MM"):
        return UPRIGHT

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], "little" if tiff[:2] == b"II" else "big")

    directory = number(4, 4)
    for entry in range(min(number(directory, 2), 512)):
        at = directory + 2 + entry * 12
        if number(at, 2) == 0x0112:
            value = number(at + 8, 2)
            return value if 1 <= value <= 8 else UPRIGHT
    return UPRIGHT
