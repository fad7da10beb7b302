"""What there is to choose from besides voices: styles."""

from __future__ import annotations

from vidgend.http.operation import Call, Operations, Reply
from vidgend.http.views.catalogue import StylesView, styles_view
from vidgend.http.wire import GenerateBody
from vidgend.pipeline.styles import STYLES

operations = Operations("catalogue")


@operations.json("GET", "/mcp/styles", id="styles", scope="read", answer=StylesView)
async def styles(call: Call) -> Reply:
    """The styles that a video can have."""
    return Reply(view=styles_view(STYLES.values(), GenerateBody.model_fields["style"].default))
