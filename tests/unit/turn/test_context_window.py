from hypothesis import given
from hypothesis import strategies as st

from common.domain.model import ModelProfile
from common.domain.turn import ToolCall
from worker.llm.driver import ModelMessage
from worker.turn.context_window import (
    ASSUMED_CONTEXT_TOKENS,
    Entry,
    entry_of,
    estimated_tokens,
    fitting,
    is_due_for_compaction,
    room_for_messages,
    split_for_summary,
    total_tokens,
)
from worker.turn.summary import summary_message, transcript_of


def _user(sequence: int, tokens: int = 10) -> Entry:
    return Entry(sequence, ModelMessage("user", f"question {sequence}"), tokens)


def _agent(sequence: int, tokens: int = 10) -> Entry:
    return Entry(sequence, ModelMessage("assistant", f"answer {sequence}"), tokens)


def _result(sequence: int, tokens: int = 10) -> Entry:
    return Entry(sequence, ModelMessage("tool", "result", tool_call_id=f"c{sequence}"), tokens)


def _sequences(entries: tuple[Entry, ...]) -> list[int]:
    return [entry.sequence for entry in entries]


@st.composite
def _transcripts(draw: st.DrawFn) -> list[Entry]:
    """Exchanges as the log has them: a question, then answers, some with results."""
    entries: list[Entry] = []
    tokens = st.integers(1, 400)
    for _ in range(draw(st.integers(1, 6))):
        entries.append(_user(len(entries), draw(tokens)))
        for _ in range(draw(st.integers(0, 4))):
            entries.append(_agent(len(entries), draw(tokens)))
            for _ in range(draw(st.integers(0, 3))):
                entries.append(_result(len(entries), draw(tokens)))
    return entries


def test_letters_beyond_ascii_count_for_more() -> None:
    assert estimated_tokens("") == 0
    assert estimated_tokens("a" * 350) == 101
    assert estimated_tokens("汉" * 350) > 3 * estimated_tokens("a" * 350)


def test_everything_a_message_carries_is_counted() -> None:
    plain = entry_of(1, ModelMessage("assistant", "hello"))
    call = ToolCall("call_1", "search", {"query": "x" * 3500})
    assert entry_of(1, ModelMessage("assistant", "hello", (call,))).tokens > plain.tokens + 1000


def test_the_answer_the_prompt_and_a_margin_are_kept_free() -> None:
    profile = ModelProfile(context_tokens=10_000, output_tokens=1_000)
    room = room_for_messages(profile, system_prompt="p" * 3_500, tools=(), max_tokens=None)
    assert room == 10_000 - 1_000 - 500 - 1_001
    unknown = room_for_messages(ModelProfile(), system_prompt="", tools=(), max_tokens=1_000)
    assert unknown == ASSUMED_CONTEXT_TOKENS - 1_000 - ASSUMED_CONTEXT_TOKENS // 20
    # An answer may not take the whole window.
    huge = room_for_messages(profile, system_prompt="", tools=(), max_tokens=10_000)
    assert huge == 10_000 - 2_500 - 500


def test_the_newest_exchanges_that_fit_are_sent_from_a_question_on() -> None:
    entries = [_user(1), _agent(2), _user(3), _agent(4), _user(5)]
    assert _sequences(fitting(entries, 50)) == [1, 2, 3, 4, 5]
    assert _sequences(fitting(entries, 49)) == [3, 4, 5]
    assert _sequences(fitting(entries, 29)) == [5]


def test_in_a_long_exchange_the_question_stays_with_the_newest_steps() -> None:
    entries = [_user(1), _agent(2), _result(3), _agent(4), _result(5), _agent(6), _result(7)]
    assert _sequences(fitting(entries, 50)) == [1, 4, 5, 6, 7]
    assert _sequences(fitting(entries, 30)) == [1, 6, 7]


def test_a_question_that_alone_is_too_long_is_cut_in_its_middle() -> None:
    question = entry_of(1, ModelMessage("user", "begin " + "x" * 40_000 + " end"))
    (sent,) = fitting([question], 1_000)
    assert sent.tokens <= 1_000
    assert sent.message.text.startswith("begin ")
    assert sent.message.text.endswith(" end")
    assert "shortened" in sent.message.text


def test_what_is_short_is_not_cut_for_what_is_long() -> None:
    question = entry_of(1, ModelMessage("user", "What does the file say?"))
    long = entry_of(2, ModelMessage("tool", "y" * 70_000, tool_call_id="c"))
    sent = fitting([question, _agent(2), long], 2_000)
    assert total_tokens(sent) <= 2_000
    assert sent[0].message.text == "What does the file say?"


@given(_transcripts(), st.integers(1, 3_000))
def test_what_is_sent_never_begins_with_a_result_and_ends_with_the_newest(
    entries: list[Entry], room: int
) -> None:
    sent = fitting(entries, room)
    assert sent[0].is_user
    assert sent[-1].sequence == entries[-1].sequence
    # Beyond the room only where one group cannot be made any smaller.
    if total_tokens(sent) > room:
        assert sum(entry.opens_group for entry in sent) <= 2


@given(_transcripts(), st.integers(1, 3_000))
def test_a_summary_never_parts_a_result_from_its_call(entries: list[Entry], room: int) -> None:
    split = split_for_summary(entries, room)
    assert 0 <= split < len(entries)
    assert entries[split].opens_group
    if is_due_for_compaction(entries, room, threshold=0.85):
        assert split > 0


def test_a_summary_is_due_only_near_the_edge_and_with_something_to_sum_up() -> None:
    entries = [_user(1, 40), _agent(2, 40), _user(3, 10)]
    assert not is_due_for_compaction(entries, 106, threshold=0.85)
    assert is_due_for_compaction(entries, 105, threshold=0.85)
    assert split_for_summary(entries, 105) == 2
    assert not is_due_for_compaction([_user(1, 1000)], 100, threshold=0.85)


def test_the_transcript_for_a_summary_names_who_said_what() -> None:
    call = ToolCall("c1", "search", {"q": "x"})
    entries = [
        entry_of(1, ModelMessage("user", "Find x")),
        entry_of(2, ModelMessage("assistant", "", (call,))),
        entry_of(2, ModelMessage("tool", "found", tool_call_id="c1")),
    ]
    text = transcript_of(entries, earlier="Before that, nothing.")
    assert text.index("Before that") < text.index("User: Find x")
    assert 'Assistant calls search with {"q":"x"}' in text
    assert "Tool result: found" in text
    assert summary_message("S").text.endswith("S")
