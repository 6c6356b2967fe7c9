"""Agents and harnesses to begin with: imported by name, then the caller's own to change."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from common.domain.agent import AgentConfig
from common.domain.harness import HarnessConfig


@dataclass(frozen=True, slots=True)
class HarnessExample:
    """A harness, and the name of the built-in one that it stands on."""

    config: HarnessConfig
    parent_name: str | None = None


def _refs(*ids: str) -> list[dict[str, Any]]:
    return [{"ref": each, "config": {}} for each in ids]


_RESEARCH: Final = (
    "You research questions thoroughly. Plan the steps in a todo list first, read several"
    " independent sources, keep notes in files, and name the source of every claim. Say plainly"
    " what you could not find out."
)
_PROJECT: Final = (
    "You work on the files of one project. Read what is there before you change it, keep a todo"
    " list of what is left, and finish with a short summary of what you changed and why."
)

_HARNESSES: Final = (
    HarnessExample(
        HarnessConfig(
            name="deep-research",
            display_name="Deep research",
            description="Plans, reads the web, keeps notes, cites its sources.",
            system_prompt=_RESEARCH,
            capabilities=_refs("web_fetch", "stateless_todo_list", "session_file_system"),
            tags=["example", "research"],
        ),
        parent_name="generic",
    ),
    HarnessExample(
        HarnessConfig(
            name="project-worker",
            display_name="Project worker",
            description="Works on a workspace's files under the rules of its AGENTS.md.",
            system_prompt=_PROJECT,
            capabilities=_refs("session_file_system", "agent_instructions", "stateless_todo_list"),
            tags=["example", "files"],
        ),
        parent_name="generic",
    ),
)

_AGENTS: Final = (
    AgentConfig(
        name="assistant",
        display_name="Assistant",
        description="Answers questions briefly, and knows what time it is.",
        system_prompt="You answer questions briefly and say so when you do not know.",
        capabilities=_refs("current_time"),
        tags=["example"],
    ),
    AgentConfig(
        name="weather-reporter",
        display_name="Weather reporter",
        description="Reports a made-up weather: shows tool calls without any account.",
        system_prompt="You report the weather. Use your tools for every place you are asked about.",
        capabilities=_refs("test_weather"),
        tags=["example", "testing"],
    ),
    AgentConfig(
        name="researcher",
        display_name="Researcher",
        description="Reads web pages, keeps notes, cites its sources.",
        system_prompt=_RESEARCH,
        capabilities=_refs("web_fetch", "stateless_todo_list", "session_file_system"),
        tags=["example", "research"],
    ),
)

HARNESS_EXAMPLES: Final = MappingProxyType({each.config.name: each for each in _HARNESSES})
AGENT_EXAMPLES: Final = MappingProxyType({each.name: each for each in _AGENTS})
