"""The conversation as a model is sent it, from the log's messages.  Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast, get_args

from common.domain.events import EventType
from common.domain.ids import Kind, parse_id
from common.domain.message import Part, calls_of, text_of
from common.domain.turn import ToolCall
from common.event_codec import LoggedEvent
from worker.llm.driver import Effort, InlineImage, LinkedImage, ModelMessage
from worker.turn.context_window import Entry, EntryImage, UploadedImage, entry_of
from worker.turn.reason_events import kept_thinking

_UNANSWERED: Final = '{"error":"This call was cancelled by a newer message"}'
_UNSEEN_NOTE: Final = "[an image that this model cannot see]"
_EFFORTS: Final = frozenset(get_args(Effort))


@dataclass(frozen=True, slots=True)
class _Result:
    text: str
    is_error: bool


_NO_RESULT: Final = _Result(_UNANSWERED, is_error=True)


@dataclass(slots=True)
class Conversation:
    """The messages so far, in log order, grown as the turn goes on.

    Attributes:
        read_through: sequence of the newest message taken in.
        controls: what the newest user message asks of the generation.
        call_ids: every tool-call id of the messages that were read.
        summary: stands for what came before the first message, None for nothing.
        is_whole: whether every message of the session was read.
    """

    read_through: int = 0
    controls: Mapping[str, Any] = field(default_factory=dict)
    call_ids: set[str] = field(default_factory=set)
    summary: str | None = None
    is_whole: bool = True
    _messages: list[Entry] = field(default_factory=list)
    _results: dict[str, _Result] = field(default_factory=dict)

    def extend(self, events: Iterable[LoggedEvent]) -> None:
        """Take in message events, oldest first."""
        for event in events:
            self.read_through = event.sequence
            data = event.data
            if event.type == EventType.INPUT_MESSAGE:
                self.controls = data["message"].get("controls") or {}
            elif event.type == EventType.TOOL_COMPLETED:
                is_error = not data["success"]
                self._results[data["tool_call_id"]] = _Result(result_text(data), is_error)
            entry = _entry_of(event, data)
            if entry is not None:
                for call in entry.message.tool_calls:
                    self.call_ids.add(call.id)
                self._messages.append(entry)

    def compact(self, summary: str | None, *, before: int) -> None:
        """Let a summary stand for the messages before a sequence."""
        self.summary = summary
        self._messages = [entry for entry in self._messages if entry.sequence >= before]

    def entries(self, *, takes_images: bool = True) -> list[Entry]:
        """The transcript: results directly after the answer that asked, in call order."""
        transcript: list[Entry] = []
        for entry in self._messages:
            transcript.append(entry if takes_images else without_images(entry))
            transcript.extend(
                entry_of(entry.sequence, self._result_of(call)) for call in entry.message.tool_calls
            )
        return transcript

    def _result_of(self, call: ToolCall) -> ModelMessage:
        result = self._results.get(call.id, _NO_RESULT)
        return ModelMessage("tool", result.text, tool_call_id=call.id, is_error=result.is_error)


def weight_of(event: LoggedEvent) -> int:
    """About how many tokens a message event adds to the transcript."""
    data = event.data
    if event.type == EventType.TOOL_COMPLETED:
        return entry_of(event.sequence, ModelMessage("tool", result_text(data))).tokens
    entry = _entry_of(event, data)
    return 0 if entry is None else entry.tokens


def without_images(entry: Entry, note: str = _UNSEEN_NOTE) -> Entry:
    """The entry with words in place of its images."""
    if not entry.images:
        return entry
    return entry_of(entry.sequence, noted(entry.message, [note] * len(entry.images)))


def noted(message: ModelMessage, notes: Sequence[str]) -> ModelMessage:
    """The message with lines of ours after its own words."""
    lines = [message.text, *notes] if message.text else notes
    return replace(message, text="\n".join(lines))


def _entry_of(event: LoggedEvent, data: Mapping[str, Any]) -> Entry | None:
    """The message of its own that an event is; a result belongs to the answer that asked."""
    match event.type:
        case EventType.INPUT_MESSAGE:
            return _user_entry(event.sequence, data["message"]["content"])
        # Without a step it is a notice of ours: for people, the model did not say it.
        case EventType.OUTPUT_COMPLETED if "exec_id" in event.context:
            message = data["message"]
            thinking = kept_thinking(event.private)
            said = ModelMessage("assistant", text_of(message), calls_of(message), thinking=thinking)
            return entry_of(event.sequence, said)
        case _:
            return None


def _user_entry(sequence: int, parts: Sequence[Part]) -> Entry:
    words: list[str] = []
    images: list[EntryImage] = []
    for part in parts:
        if part["type"] == "text":
            words.append(str(part["text"]))
        elif (image := _image(part)) is not None:
            images.append(image)
    return entry_of(sequence, ModelMessage("user", "\n".join(words)), tuple(images))


def effort_of(controls: Mapping[str, Any]) -> Effort | None:
    """How much a message asks the model to think; None when it does not say, or unknowably."""
    wish = controls.get("reasoning")
    effort = wish.get("effort") if isinstance(wish, Mapping) else None
    return cast(Effort, effort) if effort in _EFFORTS else None


def asks_to_think(controls: Mapping[str, Any]) -> bool:
    """Whether thinking is to be expected before the answer."""
    return effort_of(controls) not in (None, "none")


def result_text(data: Mapping[str, Any]) -> str:
    """What the model is told of a call: its result, or its error."""
    if not data["success"]:
        return f"Error: {data.get('error') or 'the call failed'}"
    return "".join(part.get("text", "") for part in data.get("result") or ())


def _image(part: Part) -> EntryImage | None:
    match part:
        case {"type": "image", "base64": str(encoded), "media_type": str(media_type)}:
            return InlineImage(media_type, base64.b64decode(encoded))
        case {"type": "image", "url": str(url)}:
            return LinkedImage(url)
        case {"type": "image_file", "image_id": str(image_id)}:
            return UploadedImage(parse_id(Kind.IMAGE, image_id), part.get("filename"))
        case _:
            return None
