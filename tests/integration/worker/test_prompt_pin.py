"""What a turn's capabilities added to its system prompt holds to its end (design 5, I4)."""

from typing import Any

import pytest

from tests.integration.worker.conftest import World
from tests.integration.worker.outside import LOOK_UP, Outside, asked, calls, script
from tests.integration.worker.test_files import Requests, put, requests
from tests.integration.worker.test_waiting import assert_ended_once
from tests.statements import heard

__all__ = ["requests"]


def test_instructions_that_change_in_mid_turn_count_from_the_next_turn_on(
    world: World, requests: Requests
) -> None:
    outside = Outside(world)
    outside.define(LOOK_UP)
    world.grant("agent_instructions", "test_math")
    put(world, "/AGENTS.md", "Rhyme.")
    turn_id = world.say("Go", **script(calls("look_up"), calls("look_up")))
    for _ in range(2):
        world.worker().run(turn_id)
        put(world, "/AGENTS.md", "Never rhyme.")
        outside.give((asked(world)[0], "x"))
    world.worker().run(turn_id)

    assert_ended_once(world)
    first, *later = [request.system_prompt for request in requests.seen]
    assert "Rhyme." in first
    assert later == [first, first]
    world.worker().run(world.say("And now?", response={"type": "echo"}))
    assert "Never rhyme." in requests.seen[-1].system_prompt


def test_a_turn_that_began_without_instructions_gets_none(world: World, requests: Requests) -> None:
    outside = Outside(world)
    outside.define(LOOK_UP)
    world.grant("agent_instructions")
    turn_id = world.say("Go", **script(calls("look_up")))
    world.worker().run(turn_id)
    put(world, "/AGENTS.md", "Rhyme.")
    outside.give((asked(world)[0], "x"))
    world.worker().run(turn_id)

    first, second = [request.system_prompt for request in requests.seen]
    assert first == second
    assert "Rhyme." not in second


@pytest.mark.parametrize(
    ("granted", "more"), [(("test_math", "session_file_system"), 0), (("agent_instructions",), 1)]
)
def test_only_prompts_that_could_come_out_otherwise_are_kept(
    world: World, granted: tuple[str, ...], more: int
) -> None:
    world.grant(*granted)
    worker = world.worker()
    worker.run(world.post("warm"))
    written: list[str] = []

    def note(statement: str, _values: Any) -> None:
        if "keep" in statement:
            written.append(statement)

    with heard(worker.database.engine, note):
        worker.run(world.post("count"))

    # The configuration goes with the turn's first events.
    assert len(written) == 1 + more
    assert sum("append" in each for each in written) == 1
    named = [e.data for e in world.events() if e.type == "reason.completed"]
    assert sum("prompts_hash" in data for data in named) == 2 * more
