from typing import Any
from uuid import UUID

import pytest

from common.domain.turn import ToolCall
from worker.capabilities.capability import ToolContext, ToolFailed, ToolSucceeded
from worker.capabilities.execution import ToolExecutor
from worker.capabilities.stateless_todo_list import CAPABILITY

_CONTEXT = ToolContext(
    organization_id=UUID(int=1),
    session_id=UUID(int=2),
    workspace_id=UUID(int=3),
    turn_id=UUID(int=4),
    tool_call_id="c",
    idempotency_key="k",
    timeout_seconds=10,
)


def _write(*todos: Any) -> ToolSucceeded | ToolFailed:
    executor = ToolExecutor({tool.name: tool for tool in CAPABILITY.tools})
    return executor.run(ToolCall("c", "write_todos", {"todos": list(todos)}), _CONTEXT).outcome


def _task(status: str, **changes: Any) -> dict[str, Any]:
    return {"content": "Run", "activeForm": "Running", "status": status, **changes}


def _written(*todos: Any) -> Any:
    outcome = _write(*todos)
    assert isinstance(outcome, ToolSucceeded)
    return outcome.result


def test_the_list_comes_back_counted() -> None:
    todos = [_task("completed"), _task("in_progress"), _task("pending"), _task("pending")]
    assert _written(*todos) == {
        "success": True,
        "total_tasks": 4,
        "pending": 2,
        "in_progress": 1,
        "completed": 1,
        "todos": todos,
    }


def test_none_or_several_under_way_are_warned_of() -> None:
    assert "No task is in_progress" in _written(_task("pending"))["warning"]
    assert "2 tasks" in _written(_task("in_progress"), _task("in_progress"))["warning"]


def test_a_list_with_nothing_left_to_do_is_not_warned_of() -> None:
    assert "warning" not in _written()
    assert "warning" not in _written(_task("completed"))


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ("text", "Task 2: must be an object."),
        (_task("pending", content=" "), "Task 2: content is missing or empty."),
        (_task("pending", activeForm=1), "Task 2: activeForm is missing or empty."),
        (_task("pending", content="x" * 2001), "Task 2: content is longer than 2000 characters."),
        (_task("done"), "Task 2: status must be one of pending, in_progress, completed."),
        (_task([]), "Task 2: status must be one of pending, in_progress, completed."),  # type: ignore[arg-type]
    ],
)
def test_a_bad_task_is_named_by_its_number(bad: Any, problem: str) -> None:
    assert _write(_task("in_progress"), bad) == ToolFailed(problem)


@pytest.mark.parametrize("todos", [None, "x", {}])
def test_what_is_no_list_is_an_error(todos: Any) -> None:
    executor = ToolExecutor({tool.name: tool for tool in CAPABILITY.tools})
    call = ToolCall("c", "write_todos", {"todos": todos})
    assert executor.run(call, _CONTEXT).outcome == ToolFailed(
        "Argument todos must be a list of tasks."
    )


def test_too_long_a_list_is_an_error() -> None:
    assert _write(*[_task("completed")] * 201) == ToolFailed(
        "Argument todos must not have more than 200 tasks."
    )
