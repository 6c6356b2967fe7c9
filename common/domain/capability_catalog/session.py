"""Declarations of what an agent may do with its session and what the workspace tells it."""

from __future__ import annotations

from typing import Final

from common.domain.capability_catalog.entry import CapabilityInfo, CapabilityStatus, ToolInfo

TITLE_CHARACTERS: Final = 200
INSTRUCTIONS_PATH: Final = "/AGENTS.md"

SESSION: Final = CapabilityInfo(
    id="session",
    name="Session",
    description="Lets the agent look at its session and give it a title.",
    status=CapabilityStatus.AVAILABLE,
    icon="message-square",
    category="Session",
    tools=(
        ToolInfo(
            name="get_session_info",
            display_name="Get session info",
            description="Get the session's id, title, tags, language, and when it began.",
            parameters={"type": "object", "properties": {}, "additionalProperties": False},
        ),
        ToolInfo(
            name="write_session_title",
            display_name="Write session title",
            description="Give the session a short title that tells what it is about.",
            parameters={
                "type": "object",
                "properties": {
                    "title": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": TITLE_CHARACTERS,
                    }
                },
                "required": ["title"],
                "additionalProperties": False,
            },
        ),
    ),
)

AGENT_INSTRUCTIONS: Final = CapabilityInfo(
    id="agent_instructions",
    name="Agent Instructions",
    description="Puts AGENTS.md of the workspace into the system prompt.",
    status=CapabilityStatus.AVAILABLE,
    icon="file-text",
    category="Knowledge",
    config_schema={
        "type": "object",
        "properties": {
            "path": {
                "type": "string",
                "maxLength": 1024,
                "default": INSTRUCTIONS_PATH,
                "description": "The file with the instructions.",
            }
        },
        "additionalProperties": False,
    },
)
