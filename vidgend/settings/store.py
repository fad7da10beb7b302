"""Settings of the store: the disk, where files are kept, and for how long."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from vidgend.settings.part import Part


class Store(Part):
    """The database and the disk it lies on."""

    min_free_bytes: int = Field(
        536_870_912, ge=0, description="Bytes that stay free: below it no job is accepted or begun."
    )
    ballast_bytes: int = Field(
        67_108_864,
        ge=0,
        description="Bytes of a file that is given up when the disk is full, so that this can still be recorded.",
    )
    allow_network_filesystem: bool = Field(
        False, description="Take a data_dir on NFS, SMB or the like, where locks and syncs may be lies."
    )


class Assets(Part):
    """Where clips, speech, segments and videos are kept."""

    url: str = Field("", description="file:///... or s3://bucket/prefix; empty: <data_dir>/assets.")
    endpoint: str = Field("", description="Address of an S3-compatible server. Empty: Amazon's own.")
    region: str = Field("us-east-1", description="The region that S3 requests are signed for.")
    access_key: str = Field("", description="S3 access key id.")
    secret_key: SecretStr = Field(SecretStr(""), description="S3 secret key.")
    presign: bool = Field(
        True, description="Whether results on S3 are linked to directly (signed, for a day) or go through vidgend."
    )
    quota_bytes: int = Field(
        0, ge=0, description="Bytes of results and uploads that may be kept; above it nothing is taken. 0: any."
    )
    max_upload_bytes: int = Field(
        2_000_000_000, ge=1, description="Bytes of the largest file that may be uploaded (POST /mcp/assets)."
    )
    fetch_timeout_s: float = Field(
        1800,
        gt=0,
        le=86_400,
        description="Seconds that taking a file from an address may last; enough for the largest at 10 Mbit/s.",
    )
    max_age_s: float = Field(0, ge=0, description="Seconds after which a finished job's files are deleted. 0: never.")
    max_bytes: int = Field(
        0, ge=0, description="Bytes of results; above it those of the oldest jobs are deleted. 0: any."
    )

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and parts.scheme not in ("file", "s3"):
            raise ValueError("give file:///path or s3://bucket/prefix")
        if parts.scheme == "file" and (parts.netloc not in ("", "localhost") or not parts.path.startswith("/")):
            raise ValueError("a file URL has three slashes: file:///path")
        if parts.scheme == "s3" and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", parts.netloc):
            raise ValueError("an S3 URL names its bucket: s3://bucket/prefix")
        if parts.scheme == "s3" and (parts.query or parts.fragment or {".", ".."} & set(parts.path.split("/"))):
            raise ValueError("an S3 prefix is a plain path: s3://bucket/some/prefix")
        return value

    @field_validator("endpoint")
    @classmethod
    def _endpoint(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment):
            raise ValueError("give the server's address, such as http://nas.lan:9000")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _both_keys(self) -> Assets:
        if bool(self.access_key) != bool(self.secret_key.get_secret_value()):
            raise ValueError("access_key and secret_key belong together")
        return self


class Cache(Part):
    """Finished steps, kept so that work is not done twice."""

    enabled: bool = Field(True, description="Whether jobs may use the finished steps of other jobs.")
    ttl_s: float = Field(604_800, gt=0, description="Seconds after which an unused clip or segment is deleted.")
    max_bytes: int = Field(20_000_000_000, ge=0, description="Bytes; above it the least recently used go.")
