"""Which blob store an address names."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from vidgend.errors import ToolMissing
from vidgend.store.assets.filesystem import FilesystemBlobs
from vidgend.store.assets.port import BlobStore
from vidgend.store.assets.store import AssetStore
from vidgend.store.database import Database

INSTALL_S3 = "pip install -e '.[s3]' in the checkout, or pip install obstore"


def select_blobs(
    url: str,
    *,
    root: Path,
    endpoint: str = "",
    region: str = "us-east-1",
    access_key: str = "",
    secret_key: str = "",
    cache_bytes: int = 20_000_000_000,
) -> BlobStore:
    """The store at `url`: empty (the folder `root`), file:///... or s3://bucket/prefix with its copies in `root`.

    Raises: ToolMissing when S3 is asked for and its library is not installed.
    """
    parts = urlsplit(url)
    if parts.scheme != "s3":
        return FilesystemBlobs(Path(unquote(parts.path)) if url else root)
    try:
        from vidgend.store.assets.objects import ObjectBlobs
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("obstore"):
            raise
        raise ToolMissing("obstore, which speaks S3, is not installed", hint=INSTALL_S3) from None
    return ObjectBlobs(
        bucket=parts.netloc,
        prefix=parts.path.strip("/"),
        root=root,
        endpoint=endpoint,
        region=region,
        access_key=access_key,
        secret_key=secret_key,
        cache_bytes=cache_bytes,
    )


async def open_filesystem_assets(database: Database, root: Path) -> AssetStore:
    """An asset store in a folder, ready for use."""
    assets = AssetStore(database, FilesystemBlobs(root))
    await assets.prepare()
    return assets
