"""The operations of the API: one table that routes, checks, OpenAPI document and MCP tools are made of.

A group of operations is a file with `operations = Operations("jobs")` whose handlers are decorated:

    @operations.json("POST", "/mcp/generate", id="generate", scope="write", body=GenerateBody, answer=AcceptedView, ...)
    async def generate(call: Call, body: GenerateBody) -> Reply: ...

A handler gets what it declares, checked: the body first, then the query. It knows nothing of sockets, so it is run for
requests over HTTP and for tools in this process alike. What sends or takes bytes is `raw` and gets the request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web
from multidict import CIMultiDict, MultiMapping
from pydantic import BaseModel

from vidgend.errors import VidgendError
from vidgend.http.caller import Caller, Scope
from vidgend.http.services import Services


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call. `headers` are those of the request, by name in any case; `base_url` is how the caller reaches this
    server. `body_sha256` tells repeats of a request from other ones."""

    services: Services
    caller: Caller
    base_url: str
    path: Mapping[str, str] = field(default_factory=dict)
    headers: MultiMapping[str] = field(default_factory=CIMultiDict)
    body_sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """The answer to a call. `status` 0: the operation's own."""

    view: BaseModel | None = None
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Header:
    """A header that an operation reads, for the document."""

    name: str
    description: str
    pattern: str = ""
    """What it has to look like; "": like anything."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """Where an answer leads, for the document: the operation with the id `to`, whose parameters are `given` by runtime
    expressions (OpenAPI 3.1, 4.8.20.4)."""

    name: str
    to: str
    given: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Media:
    """Bytes that an operation sends or takes, for the document. `model` is what they are where they are JSON."""

    content_type: str
    description: str = ""
    model: type[BaseModel] | None = None


JsonHandler = Callable[..., Awaitable[Reply]]
RawHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ExpectHandler = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One route. `scope` None: open to everybody. `answer` is the model of what a success carries, or the kinds of
    bytes; `also` are successes besides `status`. `errors` are those that the operation has besides the common ones."""

    id: str
    group: str
    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    summary: str
    description: str
    scope: Scope | None
    status: int
    answer: type[BaseModel] | tuple[Media, ...] | None
    body: type[BaseModel] | tuple[Media, ...] | None
    body_optional: bool
    query: type[BaseModel] | None
    any_query: bool
    """Whether parameters that it does not know are passed over, and not refused."""
    headers: tuple[Header, ...]
    also: Mapping[int, str]
    errors: tuple[type[VidgendError], ...]
    links: tuple[Link, ...] = ()
    as_status: Mapping[type[VidgendError], int] = field(default_factory=dict)
    """Errors that have another status here than elsewhere."""
    run: JsonHandler | None = None
    raw: RawHandler | None = None
    expect: ExpectHandler | None = None
    """Answers `Expect: 100-continue` another way than the others."""


class Operations:
    """A group of operations."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._all: list[Operation] = []

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._all)

    def json(
        self,
        method: Literal["GET", "POST", "PATCH", "DELETE"],
        path: str,
        *,
        id: str,
        scope: Scope | None,
        answer: type[BaseModel] | None,
        status: int = 200,
        body: type[BaseModel] | None = None,
        body_optional: bool = False,
        query: type[BaseModel] | None = None,
        any_query: bool = False,
        headers: tuple[Header, ...] = (),
        also: Mapping[int, str] | None = None,
        errors: tuple[type[VidgendError], ...] = (),
        links: tuple[Link, ...] = (),
    ) -> Callable[[JsonHandler], JsonHandler]:
        """An operation whose answer is JSON, or empty. Its docstring is what the document says of it."""

        def add(handler: JsonHandler) -> JsonHandler:
            summary, description = _told(handler)
            self._all.append(
                Operation(
                    id=id, group=self._group, method=method, path=path, summary=summary, description=description,
                    scope=scope, status=status, answer=answer, body=body, body_optional=body_optional, query=query,
                    any_query=any_query, headers=headers, also=also or {}, errors=errors, links=links, run=handler,
                )
            )  # fmt: skip
            return handler

        return add

    def raw(
        self,
        method: Literal["GET", "POST"],
        path: str,
        *,
        id: str,
        scope: Scope | None,
        answer: type[BaseModel] | tuple[Media, ...],
        status: int = 200,
        body: tuple[Media, ...] | None = None,
        query: type[BaseModel] | None = None,
        headers: tuple[Header, ...] = (),
        also: Mapping[int, str] | None = None,
        errors: tuple[type[VidgendError], ...] = (),
        links: tuple[Link, ...] = (),
        as_status: Mapping[type[VidgendError], int] | None = None,
        expect: ExpectHandler | None = None,
    ) -> Callable[[RawHandler], RawHandler]:
        """An operation that has the request to itself and checks for itself what it is given."""

        def add(handler: RawHandler) -> RawHandler:
            summary, description = _told(handler)
            self._all.append(
                Operation(
                    id=id, group=self._group, method=method, path=path, summary=summary, description=description,
                    scope=scope, status=status, answer=answer, body=body, body_optional=False, query=query,
                    any_query=False, headers=headers, also=also or {}, errors=errors, links=links,
                    as_status=as_status or {}, raw=handler, expect=expect,
                )
            )  # fmt: skip
            return handler

        return add


def _told(handler: Callable[..., Any]) -> tuple[str, str]:
    """The first sentence of a docstring, and all of it."""
    text = " ".join((handler.__doc__ or "").split())
    assert text, f"{handler.__name__} has no docstring, which the document shows"
    return text.split(". ")[0].rstrip("."), text
