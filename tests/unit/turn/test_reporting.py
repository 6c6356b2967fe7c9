from dataclasses import dataclass, field

from common.domain.events import EventType, Json
from worker.turn.reporting import OUTPUT_BYTES, CallReport


@dataclass
class _Watcher:
    """A report and what was told of it, by a clock that the test moves."""

    now: float = 0.0
    is_over: bool = False
    told: list[tuple[EventType, Json]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.report = CallReport(
            lambda kind, data: self.told.append((kind, data)),
            tool_call_id="c",
            tool_name="tool",
            display_name="The tool",
            is_over=lambda: self.is_over,
            monotonic=lambda: self.now,
        )

    @property
    def texts(self) -> list[str]:
        return [str(data.get("delta", data.get("message"))) for _, data in self.told]


def test_a_first_line_goes_out_at_once_in_the_contracts_shape() -> None:
    watcher = _Watcher()
    watcher.report.progress("half done")
    watcher.now = 1
    watcher.report.output("oops\n", stream="stderr")
    call = {"tool_call_id": "c", "tool_name": "tool"}
    assert watcher.told == [
        (EventType.TOOL_PROGRESS, {**call, "message": "half done", "display_name": "The tool"}),
        (EventType.TOOL_OUTPUT_DELTA, {**call, "stream": "stderr", "delta": "oops\n"}),
    ]


def test_what_comes_within_the_gap_goes_out_together() -> None:
    watcher = _Watcher()
    watcher.report.output("a")
    for text in "bcd":
        watcher.now += 0.01
        watcher.report.output(text)
    assert watcher.texts == ["a"]
    watcher.now = 0.11
    watcher.report.flush_if_due()
    assert watcher.texts == ["a", "bcd"]


def test_of_several_messages_within_the_gap_the_last_is_shown() -> None:
    watcher = _Watcher()
    for message in ("1 %", "2 %", "3 %"):
        watcher.report.progress(message)
    watcher.report.close()
    assert watcher.texts == ["1 %", "3 %"]


def test_the_two_streams_are_told_apart_and_keep_their_order() -> None:
    watcher = _Watcher()
    watcher.report.output("0")
    watcher.report.output("1")
    watcher.report.output("2", stream="stderr")
    watcher.report.output("3")
    watcher.report.close()
    assert [(data["stream"], data["delta"]) for _, data in watcher.told] == [
        ("stdout", "0"),
        ("stdout", "1"),
        ("stderr", "2"),
        ("stdout", "3"),
    ]


def test_a_call_shows_a_bounded_amount_of_output_and_says_so() -> None:
    watcher = _Watcher()
    for _ in range(5):
        watcher.now += 1
        watcher.report.output("é" * (OUTPUT_BYTES // 4 - 1))
    shown = "".join(watcher.texts)
    assert len(shown.removesuffix("\n[more output is not shown]\n").encode()) == OUTPUT_BYTES
    assert shown.endswith("[more output is not shown]\n")


def test_after_its_end_a_call_tells_nothing() -> None:
    watcher = _Watcher()
    watcher.report.close()
    watcher.report.progress("late")
    watcher.report.output("late")
    watcher.now = 9
    watcher.report.flush_if_due()
    assert watcher.told == []


def test_a_call_that_nobody_waits_for_tells_nothing() -> None:
    watcher = _Watcher(is_over=True)
    watcher.report.output("late")
    watcher.report.close()
    assert watcher.told == []


def test_text_is_made_storable() -> None:
    watcher = _Watcher()
    watcher.report.output("a\0b\ud800")
    assert watcher.texts == ["a\ufffdb\ufffd"]
