"""Those who answer a turn that waits: the client, a person, another message, the sweeper."""

from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from sqlalchemy import text

from api.auth import Caller
from api.deps import Deps
from api.schemas.messages import NewMessage
from api.schemas.waiting import CallDecision, ToolResult
from api.use_cases.answer_calls import submit_tool_approvals, submit_tool_results
from api.use_cases.cancel_turn import cancel_turn
from api.use_cases.delete_session import delete_session
from api.use_cases.submit_message import submit_message
from common.blobs.opening import open_blobs
from common.clock import new_id
from common.domain.events import EventType
from common.domain.ids import ANONYMOUS_PRINCIPAL, DEFAULT_ORGANIZATION
from common.domain.turn_task import TaskLabel
from common.domain.waiting import Decision
from common.images.workshop import open_workshop
from tests.fakes.examiner import examiner_of
from tests.fakes.live import RecordingLive
from tests.fakes.turn_queue import RecordingQueue
from tests.integration.worker.conftest import World
from worker.sweeper import Sweeper

CALLER = Caller(DEFAULT_ORGANIZATION, ANONYMOUS_PRINCIPAL, "seed")
LOOK_UP = {
    "type": "client_side",
    "name": "look_up",
    "description": "Looks something up",
    "parameters": {"type": "object"},
}


class Clock:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Wakes(RecordingQueue):
    """A queue that takes a priority too, as the sweeper's does."""

    def send(
        self,
        turn_id: Any,
        *,
        priority: int = 0,  # noqa: ARG002 - as the real one
        label: TaskLabel | None = None,
    ) -> bool:
        return RecordingQueue.send(self, turn_id, label=label)


@dataclass
class Outside:
    """Everybody beside the worker, with what they made known."""

    world: World
    live: RecordingLive = field(default_factory=RecordingLive)
    queue: Wakes = field(default_factory=Wakes)

    @property
    def deps(self) -> Deps:
        return Deps(
            settings=self.world.settings,
            database=self.world.database,
            live=self.live,
            queue=self.queue,
            new_id=new_id,
            reach_redis=lambda: True,
            version="test",
            blobs=open_blobs(self.world.settings),
            workshop=open_workshop(self.world.settings, threads=8),
            examiner=examiner_of(self.world.settings),
        )

    def define(self, *tools: dict[str, Any]) -> None:
        """Give the session tools of its own."""
        with self.world.database.transaction() as tx:
            tx.execute(
                text("UPDATE sessions SET tools = CAST(:tools AS jsonb) WHERE id = :s"),
                {"tools": orjson.dumps(tools).decode(), "s": self.world.session_id},
            )

    def say(self, words: str, **controls: Any) -> None:
        extras = {"controls": controls} if controls else {}
        message = NewMessage([{"type": "text", "text": words}], extras)
        submit_message(self.deps, CALLER, self.world.session_id, message, None)

    def give(self, *results: tuple[str, Any], error: str | None = None) -> dict[str, Any]:
        """Send results as (call id, result)."""
        given = tuple(ToolResult(call_id, result, error) for call_id, result in results)
        return submit_tool_results(self.deps, CALLER, self.world.session_id, given, None)

    def decide(self, *decisions: tuple[str, str], reason: str | None = None) -> dict[str, Any]:
        given = tuple(CallDecision(call_id, Decision(said), reason) for call_id, said in decisions)
        return submit_tool_approvals(self.deps, CALLER, self.world.session_id, given, None)

    def cancel(self) -> str:
        return cancel_turn(self.deps, CALLER, self.world.session_id, None)

    def delete(self) -> None:
        delete_session(self.deps, CALLER, self.world.session_id)

    def let_time_pass(self, **settings: Any) -> None:
        """The deadline comes, and a sweeper looks that has been steady for long enough."""
        with self.world.database.transaction() as tx:
            tx.execute(text("UPDATE turns SET waiting_until = now() - interval '1 s'"))
        self.sweep(**settings)

    def sweep(self, **settings: Any) -> None:
        clock = Clock()
        sweeper = Sweeper(
            replace(self.world.settings, **settings),
            self.world.database,
            self.queue,  # type: ignore[arg-type]  # what a sweeper needs of it
            self.live,
            monotonic=clock,
        )
        for _ in range(4):
            sweeper.sweep()
            clock.seconds += self.world.settings.sweep_seconds


def asked(world: World, kind: str = "tool.call_requested") -> list[str]:
    """The ids of the calls that were asked for last."""
    last = [event for event in world.events() if event.type == kind][-1]
    return [call["id"] for call in last.data["tool_calls"]]


def results(world: World) -> dict[str, dict[str, Any]]:
    """Every call's one result, by call id."""
    found = [event.data for event in world.events() if event.type == EventType.TOOL_COMPLETED]
    by_id = {data["tool_call_id"]: data for data in found}
    assert len(by_id) == len(found), "a call has one result"
    return by_id


def calls(*names: str, **arguments: Any) -> dict[str, Any]:
    """A step of a script that calls these tools."""
    return {"text": "", "tool_calls": [{"name": name, "arguments": arguments} for name in names]}


def script(*steps: dict[str, Any]) -> dict[str, Any]:
    """What the simulated model is to say, step by step, and "done" in the end; over and over."""
    turns = [*steps, {"text": "done"}]
    return {"response": {"type": "scripted", "turns": turns, "on_exhausted": "loop"}}
