"""Declaration of `stateless_todo_list`."""

from __future__ import annotations

from typing import Final

from common.domain.capability_catalog.entry import CapabilityInfo, CapabilityStatus, ToolInfo

MOST_TASKS: Final = 200
TASK_CHARACTERS: Final = 2000
TASK_STATUSES: Final = ("pending", "in_progress", "completed")

STATELESS_TODO_LIST: Final = CapabilityInfo(
    id="stateless_todo_list",
    name="Todo List",
    description="A list of tasks that lives in the messages of the session.",
    status=CapabilityStatus.AVAILABLE,
    icon="list-checks",
    category="Productivity",
    tools=(
        ToolInfo(
            name="write_todos",
            display_name="Write todos",
            description=(
                "Write down the list of tasks, all of it each time: what is left out is "
                "gone. Keep exactly one task in_progress while you work."
            ),
            parameters={
                "type": "object",
                "properties": {
                    "todos": {
                        "type": "array",
                        "maxItems": MOST_TASKS,
                        "description": "Every task, in the order of work.",
                        "items": {
                            "type": "object",
                            "properties": {
                                "content": {
                                    "type": "string",
                                    "minLength": 1,
                                    "maxLength": TASK_CHARACTERS,
                                    "description": "What is to be done: Run the tests.",
                                },
                                "activeForm": {
                                    "type": "string",
                                    "minLength": 1,
                                    "maxLength": TASK_CHARACTERS,
                                    "description": "The same, under way: Running the tests.",
                                },
                                "status": {"type": "string", "enum": list(TASK_STATUSES)},
                            },
                            "required": ["content", "activeForm", "status"],
                        },
                    }
                },
                "required": ["todos"],
                "additionalProperties": False,
            },
        ),
    ),
    system_prompt=(
        "For work of more than two steps, keep a list of tasks with `write_todos`: write it "
        "before you begin, mark a task in_progress when you take it up and completed as soon "
        "as it is done. The list lives in this conversation only."
    ),
)
