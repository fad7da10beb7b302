"""Makes vidgend/data/docs/scalar.js.gz, which draws GET /docs, from its npm package. For maintainers: needs npm.

    python tools/vendor_docs.py            # check that the file in the tree is the one of the package below
    python tools/vendor_docs.py --write    # make it anew

To take another version, change VERSION, run it with --write, copy the two sums that it prints into this file and
docs/third-party.md, and run tests/browser with a Chromium: that is what shows whether the page is still quiet.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "@scalar/api-reference"
VERSION = "1.76.0"
LICENCE = "MIT"
MEMBER = "package/dist/browser/standalone.js"
TARBALL_SHA256 = "f1821c173d387d3dd4722215b946ad9aec3610f177616f0a312e4eb159b9c378"
SCRIPT_SHA256 = "62c7a62d271d7d4958b4056f794d32c55b789b48ea248c3426537bcfc16b0d6e"
PLACE = Path(__file__).parents[1] / "vidgend" / "data" / "docs" / "scalar.js.gz"


def script_of_package(folder: Path) -> bytes:
    """The browser build, out of the package as the registry has it. Its end, the name of a source map that is not
    shipped, is cut off, since a browser with open tools would ask for it."""
    subprocess.run(
        ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    (tarball,) = folder.glob("*.tgz")
    _expect("the package", tarball.read_bytes(), TARBALL_SHA256)
    with tarfile.open(tarball) as packed:
        file = packed.extractfile(MEMBER)
        assert file is not None
        script, found, _ = file.read().rpartition(b"\n//# sourceMappingURL=")
    assert found, "the build no longer ends with the name of its source map"
    return script + b"\n"


def _expect(what: str, content: bytes, sha256: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        sys.exit(f"{what} has the sha256\n  {found}\nand not\n  {sha256}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true")
    write = parser.parse_args().write
    with tempfile.TemporaryDirectory() as folder:
        script = script_of_package(Path(folder))
    _expect("the script", script, SCRIPT_SHA256)
    if write:
        PLACE.write_bytes(gzip.compress(script, 9, mtime=0))
    _expect(str(PLACE), gzip.decompress(PLACE.read_bytes()), SCRIPT_SHA256)


if __name__ == "__main__":
    main()
