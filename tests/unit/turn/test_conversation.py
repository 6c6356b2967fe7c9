import base64
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from common.domain.message import agent_message
from common.domain.turn import ToolCall
from common.event_codec import LoggedEvent
from worker.llm.driver import InlineImage, LinkedImage, ModelMessage, ThinkingBlock
from worker.turn.context_window import UploadedImage
from worker.turn.conversation import (
    Conversation,
    asks_to_think,
    effort_of,
    result_text,
    weight_of,
)

_TOKYO = ToolCall("call_1", "get_weather", {"location": "Tokyo"})
_OSLO = ToolCall("call_2", "get_weather", {"location": "Oslo"})
_STEP = {"exec_id": "exec_1"}


class _Log:
    """Message events, numbered as they are made."""

    def __init__(self) -> None:
        self.events: list[LoggedEvent] = []

    def _add(self, event_type: str, context: dict[str, Any], data: dict[str, Any]) -> None:
        self.events.append(
            LoggedEvent(
                UUID(int=1),
                len(self.events) + 1,
                event_type,
                datetime(2026, 1, 15, tzinfo=UTC),
                orjson.dumps(context).decode(),
                orjson.dumps(data).decode(),
            )
        )

    def user(self, *parts: dict[str, Any] | str, **controls: Any) -> None:
        content = [{"type": "text", "text": p} if isinstance(p, str) else p for p in parts]
        message: dict[str, Any] = {"id": "m", "role": "user", "content": content}
        if controls:
            message["controls"] = controls
        self._add("input.message", {}, {"message": message})

    def agent(self, text: str, *calls: ToolCall, private: str | None = None) -> None:
        message = agent_message(UUID(int=2), text, calls=calls)
        self._add("output.message.completed", _STEP, {"message": message})
        self.events[-1] = replace(self.events[-1], private_json=private)

    def notice(self, text: str) -> None:
        message = agent_message(UUID(int=3), text)
        self._add("output.message.completed", {}, {"message": message})

    def result(self, call: ToolCall, text: str) -> None:
        data = {
            "tool_call_id": call.id,
            "success": True,
            "result": [{"type": "text", "text": text}],
        }
        self._add("tool.completed", _STEP, data)

    def error(self, call: ToolCall, error: str) -> None:
        data = {"tool_call_id": call.id, "success": False, "error": error}
        self._add("tool.completed", _STEP, data)

    def conversation(self) -> Conversation:
        conversation = Conversation()
        conversation.extend(self.events)
        return conversation


def _messages(log: _Log, *, takes_images: bool = True) -> tuple[ModelMessage, ...]:
    entries = log.conversation().entries(takes_images=takes_images)
    return tuple(entry.message for entry in entries)


def test_words_are_sent_in_the_order_of_the_log() -> None:
    log = _Log()
    log.user("Hi")
    log.agent("Hello")
    log.user("How are you?")
    assert _messages(log) == (
        ModelMessage("user", "Hi"),
        ModelMessage("assistant", "Hello"),
        ModelMessage("user", "How are you?"),
    )


def test_results_stand_behind_the_answer_that_asked_in_the_order_it_asked() -> None:
    log = _Log()
    log.user("Weather?")
    log.agent("Let me look.", _TOKYO, _OSLO)
    log.user("Hurry up")
    log.result(_OSLO, "snow")
    log.result(_TOKYO, "rain")
    assert _messages(log) == (
        ModelMessage("user", "Weather?"),
        ModelMessage("assistant", "Let me look.", (_TOKYO, _OSLO)),
        ModelMessage("tool", "rain", tool_call_id="call_1"),
        ModelMessage("tool", "snow", tool_call_id="call_2"),
        ModelMessage("user", "Hurry up"),
    )


def test_every_call_has_a_result_even_if_the_log_has_none() -> None:
    # Providers refuse a conversation with a call that is not answered.
    log = _Log()
    log.agent("", _TOKYO, _OSLO)
    log.result(_OSLO, "snow")
    first, second = _messages(log)[1:]
    assert first.tool_call_id == "call_1"
    assert "cancelled" in first.text
    assert first.is_error
    assert second == ModelMessage("tool", "snow", tool_call_id="call_2")


def test_what_we_told_the_user_ourselves_is_not_put_into_the_model_s_mouth() -> None:
    log = _Log()
    log.user("Hi")
    log.notice("Something went wrong")
    assert _messages(log) == (ModelMessage("user", "Hi"),)


def test_a_message_of_several_parts_is_one_and_an_image_is_mentioned() -> None:
    log = _Log()
    log.user("See:", _UPLOADED, "and tell me")
    (message,) = _messages(log)
    assert message.text == "See:\nand tell me"


_PNG = b"\x89PNG\r\n\x1a\n"
_INLINE = {
    "type": "image",
    "base64": base64.b64encode(_PNG).decode(),
    "media_type": "image/png",
}
_LINKED = {"type": "image", "url": "https://example.org/a.gif"}


_UPLOADED = {
    "type": "image_file",
    "image_id": "01933b5a-0000-7000-8000-000000000001",
    "filename": "photo.png",
}


def test_images_are_beside_the_words_in_their_order() -> None:
    log = _Log()
    log.user("What", _INLINE, "is this?", _UPLOADED, _LINKED)
    (entry,) = log.conversation().entries()
    assert entry.message == ModelMessage("user", "What\nis this?")
    assert entry.images == (
        InlineImage("image/png", _PNG),
        UploadedImage(UUID(_UPLOADED["image_id"]), "photo.png"),
        LinkedImage("https://example.org/a.gif"),
    )


def test_images_count_in_the_estimate() -> None:
    log = _Log()
    log.user("What is this?")
    log.user("What is this?", _UPLOADED)
    plain, shown = log.conversation().entries()
    assert shown.tokens >= plain.tokens + 1000
    assert weight_of(log.events[1]) == shown.tokens


def test_a_model_that_takes_no_images_is_told_that_there_were_some() -> None:
    log = _Log()
    log.user("What is this?", _INLINE)
    log.user(_UPLOADED)
    first, second = log.conversation().entries(takes_images=False)
    assert not first.images
    assert not second.images
    assert first.message.text == "What is this?\n" + second.message.text
    assert "image" in second.message.text


def test_a_result_that_is_an_error_says_so() -> None:
    log = _Log()
    log.agent("", _TOKYO, _OSLO)
    log.error(_TOKYO, "no such city")
    log.result(_OSLO, "snow")
    failed, good = _messages(log)[1:]
    assert (failed.is_error, failed.text) == (True, "Error: no such city")
    assert not good.is_error


def test_thinking_goes_back_to_the_provider_as_it_came() -> None:
    log = _Log()
    log.user("Hi")
    log.agent(
        "Hello",
        private='{"thinking":[{"text":"hm","provider_type":"anthropic","replay":{"s":"1"}}]}',
    )
    log.agent("Again")
    _, first, second = _messages(log)
    assert first.thinking == (ThinkingBlock("hm", "anthropic", {"s": "1"}),)
    assert second.thinking == ()


def test_an_effort_counts_when_it_is_a_known_one() -> None:
    assert effort_of({"reasoning": {"effort": "high"}}) == "high"
    assert effort_of({"reasoning": {"effort": "none"}}) == "none"
    unsaid: list[dict[str, Any]] = [
        {},
        {"reasoning": None},
        {"reasoning": {}},
        {"reasoning": {"effort": "max"}},
    ]
    for controls in unsaid:
        assert effort_of(controls) is None
        assert not asks_to_think(controls)
    assert asks_to_think({"reasoning": {"effort": "low"}})
    assert not asks_to_think({"reasoning": {"effort": "none"}})


def test_the_newest_user_message_says_how_to_answer() -> None:
    log = _Log()
    log.user("Hi", max_tokens=5, temperature=0.8)
    assert log.conversation().controls == {"max_tokens": 5, "temperature": 0.8}
    log.agent("Hello")
    assert log.conversation().controls == {"max_tokens": 5, "temperature": 0.8}
    log.user("Again")
    assert log.conversation().controls == {}


def test_it_grows_with_the_log() -> None:
    log = _Log()
    log.user("Weather?")
    log.agent("", _TOKYO)
    conversation = log.conversation()
    assert (conversation.read_through, conversation.call_ids) == (2, {"call_1"})
    log.result(_TOKYO, "rain")
    log.agent("Rain.", _OSLO)
    conversation.extend(log.events[2:])
    assert (conversation.read_through, conversation.call_ids) == (4, {"call_1", "call_2"})
    assert conversation.entries() == log.conversation().entries()


def test_a_result_is_told_as_its_text_or_as_its_error() -> None:
    parts = [{"type": "text", "text": "4"}, {"type": "text", "text": "2"}]
    assert result_text({"success": True, "result": parts}) == "42"
    assert not result_text({"success": True})
    assert result_text({"success": False, "error": "too late"}) == "Error: too late"
    assert result_text({"success": False}) == "Error: the call failed"
