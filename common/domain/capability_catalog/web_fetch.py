"""Declaration of `web_fetch`."""

from __future__ import annotations

from typing import Final

from common.domain.capability_catalog.entry import (
    CapabilityInfo,
    CapabilityStatus,
    RiskLevel,
    ToolInfo,
)

BODY_CHARACTERS: Final = 64 * 1024

WEB_FETCH: Final = CapabilityInfo(
    id="web_fetch",
    name="Web Fetch",
    description="Reads a public web address as Markdown, text or raw.",
    status=CapabilityStatus.AVAILABLE,
    icon="globe",
    category="Network",
    risk_level=RiskLevel.HIGH,
    tools=(
        ToolInfo(
            name="web_fetch",
            display_name="Fetch a web address",
            description=(
                "Fetch a public http or https address. Returns status, type, size and, if it "
                "is text, the content; for web pages set as_markdown. Private and internal "
                "addresses cannot be reached. Long content is cut and marked as truncated."
            ),
            parameters={
                "type": "object",
                "properties": {
                    "url": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 2048,
                        "description": "The address, beginning with http:// or https://.",
                    },
                    "method": {
                        "type": "string",
                        "enum": ["GET", "HEAD", "POST"],
                        "description": "GET when left out; HEAD fetches no content.",
                    },
                    "as_markdown": {
                        "type": "boolean",
                        "description": "Turn HTML into Markdown.",
                    },
                    "as_text": {
                        "type": "boolean",
                        "description": "Turn HTML into plain text.",
                    },
                    "body": {
                        "type": "string",
                        "maxLength": BODY_CHARACTERS,
                        "description": "Text to send with POST.",
                    },
                    "json": {"description": "A JSON value to send with POST instead of body."},
                },
                "required": ["url"],
                "additionalProperties": False,
            },
        ),
    ),
)
