"""What was asked of the providers, what is left, and what it cost."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vidgend.http.body import whole
from vidgend.http.fields import Body
from vidgend.http.operation import Call, Operations, Reply
from vidgend.http.usage_query import DEFAULT_PAGE, MAX_PAGE, By, read_query
from vidgend.http.views.usage import UsageView, usage_view

operations = Operations("usage")


Day = Annotated[
    str,
    Field(json_schema_extra={"pattern": "^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"}),
]


class UsageParameters(Body):
    from_: Day | None = Field(None, alias="from", description="The first day (UTC), such as 2026-11-01.")
    to: Day | None = Field(None, description="The last day; unset: today.")
    by: By = Field("day", description="What the entries are sums of.")
    limit: whole(1, MAX_PAGE) = Field(DEFAULT_PAGE, description="So many at most.")  # type: ignore[valid-type]
    cursor: str | None = Field(None, description="The `next_cursor` of the page before.")


@operations.json("GET", "/mcp/usage", id="usage", scope="read", query=UsageParameters, answer=UsageView)
async def usage(call: Call, query: UsageParameters) -> Reply:
    """Provider calls, quota left and cost, by day, job, key or service. With the scope admin, of all owners."""
    services = call.services
    given = query.model_dump(by_alias=True, exclude={"limit"}, exclude_none=True)
    wanted = read_query(given, now=services.ledger.now, limit=query.limit)
    return Reply(view=await usage_view(services.ledger, services.accounts, wanted, owner=call.caller.sees))
