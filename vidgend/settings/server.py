"""Settings of the server: where it listens, what one client may take, what it calls, what it logs."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from vidgend.setting_types import AbsolutePath, Origin, PublicUrl, each_once
from vidgend.settings.part import Part


class Http(Part):
    """The server."""

    host: str = Field(
        "127.0.0.1",
        description="Address to listen on. Anything but loopback needs a key. Empty: no TCP, unix_socket alone.",
    )
    port: int = Field(8080, ge=0, le=65535, description="TCP port; 0 takes a free one.")
    unix_socket: AbsolutePath | None = Field(
        None, description="A unix socket to listen on as well, such as /run/vidgend/vidgend.sock. Unset: none."
    )
    unix_socket_mode: str = Field(
        "0600",
        pattern=r"^0?[0-7]{3}$",
        description="Its permissions, octal: whoever may write may call. With others among them a key is needed.",
    )
    tls_cert: AbsolutePath | None = Field(
        None, description="PEM file with the certificate and its chain: https instead of http. Unset: no TLS."
    )
    tls_key: AbsolutePath | None = Field(
        None, description="PEM file with its key. Both are read again when they change, and on SIGHUP."
    )
    public_url: PublicUrl = Field(
        "", description="How clients reach this server, for the links it gives. Empty: as the request that asks did."
    )
    allowed_hosts: tuple[str, ...] = Field(
        (), description="Host names that requests may carry besides host and localhost (DNS rebinding guard)."
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = Field(
        (), description="Networks of proxies whose X-Forwarded-* headers are believed."
    )
    cors_origins: tuple[Origin, ...] = Field(
        (),
        description='Web pages of other origins that may call, such as ["https://n8n.lan"]. "*": all, which needs a '
        "key, since any page in the owner's browser can call then.",
    )
    max_connections: int = Field(
        2000,
        ge=10,
        le=100_000,
        description="Open connections; above it those that wait for a request make room. Each takes a file of the "
        "process (the limit is raised as far as the system allows) and some 10 kB.",
    )
    max_connections_per_address: int = Field(
        500,
        ge=1,
        le=100_000,
        description="Of them from one address (IPv6: one /64). Many clients of one machine, or behind one NAT, fit; "
        "trusted_proxies are not counted.",
    )
    api_key: SecretStr = Field(
        SecretStr(""),
        description="A bearer key that may do everything, for the owner `default`; also what this machine's commands "
        "send. Empty: those of `vidgend keys`, and where there are none, none is asked for, on loopback only.",
    )

    @field_validator("cors_origins")
    @classmethod
    def _cors_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "*" in value and len(value) > 1:
            raise ValueError('"*" stands alone')
        return each_once(value)

    @model_validator(mode="after")
    def _complete(self) -> Http:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together")
        if not self.host and self.unix_socket is None:
            raise ValueError("an empty host needs unix_socket")
        return self

    @property
    def scheme(self) -> str:
        return "https" if self.tls_cert is not None else "http"


class Limits(Part):
    """What one client or one owner of keys may take (docs/keys.md). None holds where no key is asked for, but those per
    owner."""

    requests_per_s: float = Field(
        1000,
        ge=0,
        allow_inf_nan=False,
        description="Requests a second of one key, and of one address with signed links. A client that polls as "
        "fast as it can does a few hundred. 0: any.",
    )
    burst: int = Field(2000, ge=1, description="As many of them at once after a quiet time.")
    anonymous_per_s: float = Field(
        20,
        ge=0,
        allow_inf_nan=False,
        description="Requests a second of one address without a valid key, where keys are asked for; a wrong key "
        "counts as ten. 0: any.",
    )
    anonymous_burst: int = Field(100, ge=10, description="As many of them at once after a quiet time.")
    queued_per_owner: int = Field(0, ge=0, description="Jobs of one owner that may wait; more get 429. 0: any.")
    provider_calls_per_day: int = Field(
        0,
        ge=0,
        description="Requests to footage providers on account of one owner in a day (UTC); above it the next provider "
        "is taken. 0: any.",
    )
    cost_per_month: float = Field(
        0,
        ge=0,
        allow_inf_nan=False,
        description="What the language model may cost on account of one owner in a month (UTC), in usage.currency. "
        "0: anything.",
    )


class Log(Part):
    """The daemon's own log, on stderr."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is written.")
    format: Literal["auto", "json", "text"] = Field("auto", description="auto: text on a terminal, JSON elsewhere.")


class Webhooks(Part):
    """Calls to a job's callback_url."""

    enabled: bool = Field(True, description="Whether callback_url is accepted.")
    secret: SecretStr = Field(
        SecretStr(""), description="whsec_... to sign with (Standard Webhooks). Empty: made once, kept in data_dir."
    )


_Networks = tuple[IPv4Network | IPv6Network, ...]


class Egress(Part):
    """Which private networks may be reached by addresses that come from outside; by default none. Metadata and
    link-local addresses stay closed whatever is allowed. What these settings name themselves (a planner's base_url)
    may be anywhere."""

    allow_networks: _Networks = Field((), description='For all of the purposes below; such as ["192.168.1.0/24"].')
    webhook_networks: _Networks = Field((), description="For callback_url.")
    media_networks: _Networks = Field((), description="For files that are taken from an address (POST /mcp/assets).")
    provider_networks: _Networks = Field((), description="For the links to files that footage providers give.")

    @property
    def for_webhooks(self) -> _Networks:
        return self.allow_networks + self.webhook_networks

    @property
    def for_media(self) -> _Networks:
        return self.allow_networks + self.media_networks

    @property
    def for_providers(self) -> _Networks:
        return self.allow_networks + self.provider_networks
