"""A list of tasks that lives in the conversation: the tool checks it and gives it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from common.domain.capability_catalog.stateless_todo_list import (
    MOST_TASKS,
    STATELESS_TODO_LIST,
    TASK_CHARACTERS,
    TASK_STATUSES,
)
from worker.capabilities.capability import (
    Capability,
    SideEffect,
    Tool,
    ToolContext,
    ToolFailed,
    ToolOutcome,
    ToolSucceeded,
)

_TEXTS: Final = ("content", "activeForm")
_SHOWN_PROBLEMS: Final = 5
_NONE_IN_PROGRESS: Final = "No task is in_progress. Mark the one that you work on."
_SEVERAL_IN_PROGRESS: Final = "{count} tasks are in_progress. Work on one task at a time."


def _run(arguments: Mapping[str, Any], _context: ToolContext) -> ToolOutcome:
    todos = arguments.get("todos")
    if not isinstance(todos, list):
        return ToolFailed("Argument todos must be a list of tasks.")
    if len(todos) > MOST_TASKS:
        return ToolFailed(f"Argument todos must not have more than {MOST_TASKS} tasks.")
    problems = [
        f"Task {number}: {problem}"
        for number, task in enumerate(todos, start=1)
        for problem in _problems(task)
    ]
    if problems:
        return ToolFailed(" ".join(problems[:_SHOWN_PROBLEMS]))
    counts = Counter(task["status"] for task in todos)
    result: dict[str, Any] = {
        "success": True,
        "total_tasks": len(todos),
        **{status: counts[status] for status in TASK_STATUSES},
        "todos": [{name: task[name] for name in (*_TEXTS, "status")} for task in todos],
    }
    warning = _warning(counts)
    return ToolSucceeded({**result, "warning": warning} if warning else result)


def _problems(task: object) -> Iterator[str]:
    if not isinstance(task, dict):
        yield "must be an object."
        return
    for name in _TEXTS:
        text = task.get(name)
        if not isinstance(text, str) or not text.strip():
            yield f"{name} is missing or empty."
        elif len(text) > TASK_CHARACTERS:
            yield f"{name} is longer than {TASK_CHARACTERS} characters."
    if task.get("status") not in TASK_STATUSES:
        yield f"status must be one of {', '.join(TASK_STATUSES)}."


def _warning(counts: Counter[str]) -> str:
    under_way = counts["in_progress"]
    if under_way > 1:
        return _SEVERAL_IN_PROGRESS.format(count=under_way)
    # A list of which nothing is left to do, or that is empty, needs none.
    return _NONE_IN_PROGRESS if not under_way and counts["pending"] else ""


CAPABILITY: Final = Capability(
    id=STATELESS_TODO_LIST.id,
    tools=(
        Tool.declared(
            STATELESS_TODO_LIST.tool("write_todos"),
            side_effect=SideEffect.PURE,
            run=_run,
            # It names the task at fault by its number.
            checks_arguments=True,
        ),
    ),
    system_prompt=STATELESS_TODO_LIST.system_prompt,
)
