"""What an agent may be granted: ids, titles and tool names, as data and no code.

The API checks references against it without importing the worker, which holds the
implementations; a test keeps the ids marked available equal to those implemented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class CapabilityStatus(StrEnum):
    """`coming_soon` is accepted on agents and sessions but contributes nothing."""

    AVAILABLE = "available"
    COMING_SOON = "coming_soon"
    DEPRECATED = "deprecated"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilityInfo:
    """One entry, spelled as the wire spells it.

    Attributes:
        icon: a name of the Lucide set.
        category: the heading it is listed under.
        tool_names: in the order in which a model is offered them.
    """

    id: str
    name: str
    description: str
    status: CapabilityStatus = CapabilityStatus.COMING_SOON
    icon: str
    category: str
    tool_names: tuple[str, ...] = ()


# Names that older clients use for an id of the catalogue.
ALIASES: Final[Mapping[str, str]] = MappingProxyType({"virtual_bash": "bashkit_shell"})

_ENTRIES: Final = (
    CapabilityInfo(
        id="noop",
        name="No-op",
        description="Adds nothing; for testing that capabilities are stored and listed.",
        status=CapabilityStatus.AVAILABLE,
        icon="circle-off",
        category="Testing",
    ),
    CapabilityInfo(
        id="current_time",
        name="Current Time",
        description="Tells the date and time in any time zone.",
        status=CapabilityStatus.AVAILABLE,
        icon="clock",
        category="Utilities",
        tool_names=("get_current_time",),
    ),
    CapabilityInfo(
        id="test_math",
        name="Test Math",
        description="The four basic operations as tools; for testing tool calls.",
        status=CapabilityStatus.AVAILABLE,
        icon="calculator",
        category="Testing",
        tool_names=("add", "subtract", "multiply", "divide"),
    ),
    CapabilityInfo(
        id="test_weather",
        name="Test Weather",
        description="Invented weather, the same for the same place; for testing tool calls.",
        status=CapabilityStatus.AVAILABLE,
        icon="cloud-sun",
        category="Testing",
        tool_names=("get_weather", "get_forecast"),
    ),
    CapabilityInfo(
        id="session_file_system",
        name="File System",
        description="Files in the session's workspace: read, write, edit, list, search, delete.",
        icon="folder",
        category="File Operations",
        tool_names=(
            "read_file",
            "read_many_files",
            "write_file",
            "edit_file",
            "list_directory",
            "grep_files",
            "delete_file",
            "stat_file",
        ),
    ),
    CapabilityInfo(
        id="web_fetch",
        name="Web Fetch",
        description="Reads a public web address as Markdown, text or raw.",
        icon="globe",
        category="Network",
        tool_names=("web_fetch",),
    ),
    CapabilityInfo(
        id="stateless_todo_list",
        name="Todo List",
        description="A list of tasks that lives in the messages of the session.",
        icon="list-checks",
        category="Productivity",
        tool_names=("write_todos",),
    ),
    CapabilityInfo(
        id="bashkit_shell",
        name="Shell",
        description="A sandboxed shell on the files of the session's workspace.",
        icon="terminal",
        category="Execution",
        tool_names=("bash",),
    ),
    CapabilityInfo(
        id="session",
        name="Session",
        description="Lets the agent look at its session and give it a title.",
        icon="message-square",
        category="Session",
        tool_names=("get_session_info", "write_session_title"),
    ),
    CapabilityInfo(
        id="session_storage",
        name="Session Storage",
        description="Values and secrets by key, kept with the session.",
        icon="database",
        category="Session",
        tool_names=("kv_store", "secret_store"),
    ),
    CapabilityInfo(
        id="session_sql_database",
        name="SQL Database",
        description="SQL databases that belong to the session.",
        icon="table",
        category="Session",
        tool_names=("sql_execute", "sql_query", "sql_schema"),
    ),
    CapabilityInfo(
        id="session_schedule",
        name="Schedules",
        description="Messages posted to the session later, once or again and again.",
        icon="calendar-clock",
        category="Session",
        tool_names=("create_schedule", "cancel_schedule", "list_schedules"),
    ),
    CapabilityInfo(
        id="subagents",
        name="Subagents",
        description="Hands parts of the work to agents in sessions of their own.",
        icon="users",
        category="Orchestration",
        tool_names=(
            "spawn_agent",
            "list_tasks",
            "get_task",
            "message_task",
            "cancel_task",
            "wait_task",
        ),
    ),
    CapabilityInfo(
        id="skills",
        name="Skills",
        description="Instructions that are loaded when a task needs them.",
        icon="book-open",
        category="Knowledge",
        tool_names=("list_skills", "activate_skill"),
    ),
    CapabilityInfo(
        id="ask_user",
        name="Ask User",
        description="Lets the agent put questions to the user and wait for the answers.",
        icon="message-circle-question",
        category="Interaction",
        tool_names=("ask_user",),
    ),
    CapabilityInfo(
        id="agent_instructions",
        name="Agent Instructions",
        description="Puts AGENTS.md of the workspace into the system prompt.",
        icon="file-text",
        category="Knowledge",
    ),
    CapabilityInfo(
        id="compaction",
        name="Compaction",
        description="Sums up older messages before they outgrow the model.",
        icon="shrink",
        category="Context",
    ),
    CapabilityInfo(
        id="infinity_context",
        name="Infinity Context",
        description="Keeps recent messages and makes the older ones searchable.",
        icon="infinity",
        category="Context",
        tool_names=("query_history",),
    ),
    CapabilityInfo(
        id="budgeting",
        name="Budgeting",
        description="Lets the agent see what is left of its budget.",
        icon="wallet",
        category="Control",
        tool_names=("check_budget",),
    ),
    CapabilityInfo(
        id="loop_detection",
        name="Loop Detection",
        description="Notices when the agent makes the same call again and again.",
        icon="repeat",
        category="Control",
    ),
    CapabilityInfo(
        id="guardrails",
        name="Guardrails",
        description="Checks answers and tool calls, and blocks or logs what breaks a rule.",
        icon="shield-check",
        category="Control",
    ),
    CapabilityInfo(
        id="error_disclosure",
        name="Error Disclosure",
        description="Chooses how much of an error the user is told.",
        icon="eye",
        category="Control",
    ),
    CapabilityInfo(
        id="tool_call_repair",
        name="Tool Call Repair",
        description="Mends tool calls that a model wrote wrongly.",
        icon="wrench",
        category="Model",
    ),
    CapabilityInfo(
        id="tool_search",
        name="Tool Search",
        description="Offers a model only those tools of many that fit the task.",
        icon="search",
        category="Model",
    ),
    CapabilityInfo(
        id="prompt_caching",
        name="Prompt Caching",
        description="Lets the provider reuse the unchanged start of a prompt.",
        icon="zap",
        category="Model",
    ),
    CapabilityInfo(
        id="research",
        name="Research",
        description="Finds and weighs sources on a question.",
        icon="microscope",
        category="Knowledge",
    ),
    CapabilityInfo(
        id="sandbox",
        name="Sandbox",
        description="Runs programs in a machine of their own.",
        icon="box",
        category="Execution",
    ),
    CapabilityInfo(
        id="fake_warehouse",
        name="Demo Warehouse",
        description="Tools on an invented warehouse; for demonstrations.",
        icon="warehouse",
        category="Demo",
    ),
    CapabilityInfo(
        id="fake_aws",
        name="Demo Cloud",
        description="Tools on an invented cloud account; for demonstrations.",
        icon="cloud",
        category="Demo",
    ),
    CapabilityInfo(
        id="fake_crm",
        name="Demo CRM",
        description="Tools on invented customers; for demonstrations.",
        icon="contact",
        category="Demo",
    ),
    CapabilityInfo(
        id="fake_financial",
        name="Demo Finance",
        description="Tools on invented accounts; for demonstrations.",
        icon="banknote",
        category="Demo",
    ),
)

CAPABILITIES: Final[Mapping[str, CapabilityInfo]] = MappingProxyType(
    {entry.id: entry for entry in _ENTRIES}
)


def canonical_id(ref: str) -> str:
    """The id that a reference means: itself, unless it is an alias."""
    return ALIASES.get(ref, ref)


def is_known_capability(ref: str) -> bool:
    """Whether agents and sessions may name it.

    The open families `mcp:<uuid>` and `declarative:<name>` are not built yet and so
    not known.
    """
    return canonical_id(ref) in CAPABILITIES
