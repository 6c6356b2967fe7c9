"""Capabilities that are announced only: accepted on agents and sessions, adding nothing.

Who builds one moves its entry into a module of its own.
"""

from __future__ import annotations

from typing import Final

from common.domain.capability_catalog.entry import CapabilityInfo

ANNOUNCED: Final = (
    CapabilityInfo(
        id="bashkit_shell",
        name="Shell",
        description="A sandboxed shell on the files of the session's workspace.",
        icon="terminal",
        category="Execution",
        announced_tools=("bash",),
    ),
    CapabilityInfo(
        id="session_sql_database",
        name="SQL Database",
        description="SQL databases that belong to the session.",
        icon="table",
        category="Session",
        announced_tools=("sql_execute", "sql_query", "sql_schema"),
    ),
    CapabilityInfo(
        id="session_schedule",
        name="Schedules",
        description="Messages posted to the session later, once or again and again.",
        icon="calendar-clock",
        category="Session",
        announced_tools=("create_schedule", "cancel_schedule", "list_schedules"),
    ),
    CapabilityInfo(
        id="subagents",
        name="Subagents",
        description="Hands parts of the work to agents in sessions of their own.",
        icon="users",
        category="Orchestration",
        announced_tools=(
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
        announced_tools=("list_skills", "activate_skill"),
    ),
    CapabilityInfo(
        id="ask_user",
        name="Ask User",
        description="Lets the agent put questions to the user and wait for the answers.",
        icon="message-circle-question",
        category="Interaction",
        announced_tools=("ask_user",),
    ),
    CapabilityInfo(
        id="infinity_context",
        name="Infinity Context",
        description="Keeps recent messages and makes the older ones searchable.",
        icon="infinity",
        category="Context",
        announced_tools=("query_history",),
    ),
    CapabilityInfo(
        id="budgeting",
        name="Budgeting",
        description="Lets the agent see what is left of its budget.",
        icon="wallet",
        category="Control",
        announced_tools=("check_budget",),
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
