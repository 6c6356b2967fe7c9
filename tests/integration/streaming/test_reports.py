"""What running tool calls report: live only, in its place, and resumed from without loss."""

from typing import Any

from common.clock import now
from common.domain.events import EventDraft, EventType
from common.domain.turn import TurnStatus
from common.event_codec import report_body
from tests.integration.streaming.author import Author
from tests.integration.streaming.conftest import ReadStream, World
from tests.integration.streaming.reader import Reader

CALL = {"tool_call_id": "call_1", "tool_name": "act"}
TOOL_TYPES = ("tool.started", "tool.progress", "tool.output.delta", "tool.completed")


def append(author: Author, kind: EventType, **data: Any) -> None:
    author.append([EventDraft(kind, {**CALL, **data}, author.context)])


def begin_call(author: Author) -> None:
    """An answer that calls a tool, and the call's start."""
    author.post("Hi")
    author.start()
    author.say("Let me see")
    author.append([author.message(author.said, stream_sequence=author.stream.opener)])
    append(author, EventType.TOOL_STARTED)


def end_call(author: Author) -> None:
    append(author, EventType.TOOL_COMPLETED, success=True)


def report(author: Author, kind: EventType = EventType.TOOL_PROGRESS, **data: Any) -> None:
    body = report_body(
        author.session_id, kind, now(), context=author.context, data={**CALL, **data}
    )
    author.live.report(author.session_id, kind, body)


def tool_types(reader: Reader) -> list[str]:
    return [each for each in reader.types if each in TOOL_TYPES]


def test_reports_come_between_the_calls_start_and_its_end(author: Author, read: ReadStream) -> None:
    reader = read(author, start="all").wait_open()
    begin_call(author)
    reader.wait_for("tool.started")
    report(author, message="half done", display_name="Act")
    report(author, EventType.TOOL_OUTPUT_DELTA, stream="stdout", delta="line\u2028\n")
    end_call(author)
    reader.wait_for("tool.completed")

    assert tool_types(reader) == list(TOOL_TYPES)
    progress = next(each for each in reader.events if each["type"] == "tool.progress")
    assert progress["data"] == {**CALL, "message": "half done", "display_name": "Act"}
    assert progress["session_id"] == author.shown_id
    assert progress["context"] == author.context
    assert "sequence" not in progress
    frame = next(each for each in reader.frames if each.event == "tool.output.delta")
    assert frame.id == frame.body["id"]
    assert frame.body["data"]["delta"] == "line\u2028\n"
    ids = [each["id"] for each in reader.events]
    assert len(set(ids)) == len(ids)


def test_a_client_resumes_from_a_report_without_loss_or_repeat(
    author: Author, read: ReadStream
) -> None:
    reader = read(author, start="all").wait_open()
    begin_call(author)
    reader.wait_for("tool.started")
    report(author, message="half done")
    reader.wait_for("tool.progress")
    kept = reader.events
    reader.close()
    report(author, message="nobody is there to see it")
    end_call(author)
    author.end([], EventType.TURN_COMPLETED, TurnStatus.COMPLETED)

    with read(author, since_id=kept[-1]["id"]) as resumed:
        resumed.wait_for("session.idled")
        sequences = [each["sequence"] for each in [*kept, *resumed.events] if "sequence" in each]
        assert sequences == [event.sequence for event in author.log()]
        assert "tool.progress" not in resumed.types, "reports are never replayed"


def test_reports_pass_the_filters_of_a_stream(world: World) -> None:
    world.serve()
    author = world.author()
    without = world.read(author, start="all", exclude="tool.progress").wait_open()
    alone = world.read(author, start="all", types="tool.output.delta").wait_open()
    begin_call(author)
    without.wait_for("tool.started")
    report(author, message="half done")
    report(author, EventType.TOOL_OUTPUT_DELTA, stream="stdout", delta="line")
    end_call(author)
    without.wait_for("tool.completed")
    alone.wait_for("tool.output.delta")
    assert tool_types(without) == ["tool.started", "tool.output.delta", "tool.completed"]
    assert alone.types == ["tool.output.delta"]


def test_a_subscriber_that_comes_later_is_told_nothing_of_earlier_reports(
    author: Author, read: ReadStream
) -> None:
    first = read(author, start="all").wait_open()
    begin_call(author)
    first.wait_for("tool.started")
    report(author, message="half done")
    first.wait_for("tool.progress")
    with read(author, start="all") as second:
        second.wait_for("tool.started")
        end_call(author)
        second.wait_for("tool.completed")
        assert tool_types(second) == ["tool.started", "tool.completed"]
