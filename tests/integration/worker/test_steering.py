"""Messages that arrive while a turn runs: each is read, or visibly not (I6)."""

from tests.conditions import wait_until
from tests.integration.worker.conftest import World, in_background

SLOW = {"tokens_per_second": 30, "response": {"type": "fixed", "text": "one two three four five"}}


def test_a_message_in_mid_answer_is_read_by_the_same_turn(world: World) -> None:
    turn_id = world.say("first", **SLOW)
    thread = in_background(world.worker(), turn_id)
    wait_until(lambda: "output.message.started" in world.types(), description="stream opens")

    assert world.post("second") == turn_id
    thread.join(10)

    types = world.types()
    assert types.count("turn.started") == types.count("turn.completed") == 1
    assert types.count("session.idled") == 1
    assert types.index("input.message", 1) < types.index("output.message.completed")
    assert world.answers() == ["one two three four five", "Echo: second"]


def test_a_message_during_a_failing_step_gets_a_turn_of_its_own(world: World) -> None:
    script = [{"text": "a few words that take a while to say", "error": "other"}]
    turn_id = world.say(
        "first", response={"type": "scripted", "turns": script}, tokens_per_second=30
    )
    worker = world.worker()
    thread = in_background(worker, turn_id)
    wait_until(lambda: "output.message.started" in world.types(), description="stream opens")
    assert world.post("second") == turn_id
    thread.join(20)

    types = world.types()
    assert types[-2:] == ["turn.failed", "output.message.completed"], "the session is not idle"
    assert world.row("SELECT status FROM session_heads").status == "active"
    following = world.row("SELECT id, status, input_sequence FROM turns WHERE status = 'queued'")
    second = next(event for event in world.events()[1:] if event.type == "input.message")
    assert following.input_sequence == second.sequence
    assert world.row("SELECT open_turn_id FROM session_heads").open_turn_id == following.id

    worker.run(following.id)

    assert world.answers()[-1] == "Echo: second"
    assert world.types()[-1] == "session.idled"
    assert world.types().count("session.idled") == 1
    started = [event for event in world.events() if event.type == "turn.started"]
    assert started[1].data["input_message_id"] == second.data["message"]["id"]


def test_every_message_of_many_is_read_when_they_come_at_the_last_moment(world: World) -> None:
    """Posts race with the end of the turn: none may be left unread."""
    worker = world.worker()
    turns = {world.post("message 0")}
    for number in range(1, 40):
        thread = in_background(worker, max(turns, key=lambda turn: turn.int))
        turns.add(world.post(f"message {number}"))
        thread.join(10)
    head = world.row("SELECT open_turn_id, last_input_sequence FROM session_heads")
    while head.open_turn_id is not None:
        worker.run(head.open_turn_id)
        head = world.row("SELECT open_turn_id, last_input_sequence FROM session_heads")

    reads = [event.sequence for event in world.events() if event.type == "reason.started"]
    assert max(reads) > head.last_input_sequence
    assert world.types()[-1] == "session.idled"
    started = world.types().count("turn.started")
    assert started == world.types().count("turn.completed")
