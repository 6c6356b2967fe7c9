"""What a server answered, as a tool's outcome."""

from __future__ import annotations

import json
from typing import Any, Final

import mcp_types

from worker.capabilities.capability import ToolFailed, ToolOutcome, ToolSucceeded

_NO_REASON: Final = "The tool reported an error without saying which."


def outcome_of(result: mcp_types.CallToolResult) -> ToolOutcome:
    """`{result: text}` for a single text, else `{content: [...]}`; an error for an error.

    Structured content comes beside it, unless the text already says the same.
    """
    texts = [block.text for block in result.content if isinstance(block, mcp_types.TextContent)]
    if result.is_error:
        return ToolFailed("\n".join(texts).strip() or _NO_REASON)
    structured = result.structured_content
    if len(result.content) == 1 and len(texts) == 1:
        shown: dict[str, Any] = {"result": texts[0]}
        if structured is None or _says(texts[0], structured):
            return ToolSucceeded(shown)
    else:
        shown = {"content": [_shown(block) for block in result.content]}
    if structured is not None:
        shown["structured_content"] = structured
    return ToolSucceeded(shown)


def _says(text: str, structured: Any) -> bool:
    if structured == {"result": text}:
        return True
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return structured in (said, {"result": said})


def _shown(block: mcp_types.ContentBlock) -> dict[str, Any]:
    """A part of the content; of pictures and sounds only that they are there."""
    match block:
        case mcp_types.TextContent():
            return {"type": "text", "text": block.text}
        case mcp_types.ImageContent() | mcp_types.AudioContent():
            size = len(block.data) * 3 // 4
            return {"type": block.type, "mime_type": block.mime_type, "size": size}
        case mcp_types.EmbeddedResource(resource=mcp_types.TextResourceContents() as text):
            return {"type": "resource", "uri": str(text.uri), "text": text.text}
        case mcp_types.EmbeddedResource(resource=resource):
            shown = {"type": "resource", "uri": str(resource.uri)}
            return shown | ({"mime_type": resource.mime_type} if resource.mime_type else {})
        case mcp_types.ResourceLink():
            return {"type": "resource_link", "uri": str(block.uri), "name": block.name}
    return {"type": str(block.type)}
