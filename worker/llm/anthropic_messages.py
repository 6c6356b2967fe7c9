"""Anthropic's Messages API."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from common.domain.events import Usage
from common.domain.turn import ToolCall
from worker.llm.anthropic_messages_request import PROVIDER_TYPE, messages_request
from worker.llm.border import token_count
from worker.llm.calls import stream_call
from worker.llm.client_cache import ClientCache
from worker.llm.clients import anthropic_client
from worker.llm.driver import (
    Endpoint,
    ImageLimits,
    LLMRequest,
    Reply,
    Stop,
    Streamed,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
)
from worker.llm.failures import cut_off
from worker.llm.sizes import MOST_PARTS, too_large
from worker.llm.tool_arguments import CallParts, written_calls

_CLIENTS: Final = ClientCache(anthropic_client)

_FINISH_REASONS: Final = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
}


class AnthropicMessages:
    """An `LLMDriver` for one endpoint."""

    # Larger ones the provider would make smaller itself, or refuse.
    image_limits = ImageLimits(side=1568, image_bytes=3_750_000)

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def stream(self, request: LLMRequest, *, stop: Stop) -> Generator[Streamed, None, None]:
        """Yield the answer as it comes.

        Raises:
            LLMFailure: no answer, or none to the end.
        """
        return stream_call(
            endpoint=self._endpoint,
            clients=_CLIENTS,
            open_stream=lambda client: client.messages.create(**messages_request(request)),
            read=lambda events: _Answer(self._endpoint, request.model).read(events),
            stop=stop,
        )


make_driver: Final = AnthropicMessages


@dataclass(slots=True)
class _Block:
    """A content block that is being written.

    Attributes:
        start: how the provider announced it.
        pieces: its thinking so far.
        call: what is called, in a block that is a call.
    """

    start: Any
    pieces: list[str] = field(default_factory=list)
    signature: str = ""
    call: CallParts | None = None


class _Answer:
    """What has come of one answer so far."""

    def __init__(self, endpoint: Endpoint, model: str) -> None:
        self._endpoint = endpoint
        self._model = model
        self._response_id: str | None = None
        self._tokens: dict[str, int] = {}
        self._blocks: dict[int, _Block] = {}
        self._finish_reason: str | None = None

    def read(self, events: Iterator[Any]) -> Iterator[Streamed]:
        for event in events:
            match event.type:
                case "message_start":
                    self._response_id = event.message.id
                    self._model = event.message.model or self._model
                    self._count(event.message.usage)
                case "content_block_start":
                    self._begin(event.index, event.content_block)
                    yield from _first_piece(event.content_block)
                case "content_block_delta":
                    yield from _take(self._blocks[event.index], event.delta)
                case "message_delta":
                    self._finish_reason = event.delta.stop_reason or self._finish_reason
                    self._count(event.usage)
                case "message_stop":
                    break
                case _:
                    pass
        yield self._reply()

    def _begin(self, index: int, start: Any) -> None:
        if len(self._blocks) == MOST_PARTS:
            raise too_large()
        block = self._blocks[index] = _Block(start)
        if start.type == "tool_use":
            block.call = CallParts(start.id, start.name)

    def _count(self, usage: Any) -> None:
        # The second count corrects the first, as far as it has one.
        for name in (
            "input_tokens",
            "output_tokens",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
        ):
            count = getattr(usage, name, None)
            if count is not None:
                self._tokens[name] = token_count(count)

    def _reply(self) -> Reply:
        if self._finish_reason is None:
            raise cut_off(self._endpoint)
        blocks = [self._blocks[index] for index in sorted(self._blocks)]
        return Reply(
            usage=self._usage(),
            finish_reason=_FINISH_REASONS.get(self._finish_reason, self._finish_reason),
            model=self._model,
            # Of an answer that it took back the model wants nothing done.
            tool_calls=() if self._finish_reason == "refusal" else self._calls(blocks),
            response_id=self._response_id,
            thinking=tuple(thought for each in blocks for thought in _thought(each)),
        )

    def _calls(self, blocks: list[_Block]) -> tuple[ToolCall, ...]:
        calls = [_whole(each.start, each.call) for each in blocks if each.call is not None]
        is_cut = _FINISH_REASONS.get(self._finish_reason or "") == "length"
        return written_calls(calls, is_cut=is_cut)

    def _usage(self) -> Usage:
        read = self._tokens.get("cache_read_input_tokens", 0)
        written = self._tokens.get("cache_creation_input_tokens", 0)
        return Usage(
            # The provider counts as input only what has to do with no cache.
            input_tokens=self._tokens.get("input_tokens", 0) + read + written,
            output_tokens=self._tokens.get("output_tokens", 0),
            cache_read_tokens=read,
            cache_creation_tokens=written,
        )


def _first_piece(start: Any) -> Iterator[Streamed]:
    if start.type == "text" and start.text:
        yield TextDelta(start.text)


def _take(block: _Block, delta: Any) -> Iterator[Streamed]:
    match delta.type:
        case "text_delta" if delta.text:
            yield TextDelta(delta.text)
        case "thinking_delta" if delta.thinking:
            block.pieces.append(delta.thinking)
            yield ThinkingDelta(delta.thinking)
        case "signature_delta":
            block.signature += delta.signature
        case "input_json_delta" if block.call is not None:
            block.call.add(delta.partial_json)
        case _:
            pass


def _whole(start: Any, call: CallParts) -> CallParts:
    if start.input and not call.has_arguments:
        # Servers that are only like Anthropic's may send it whole.
        call.add(json.dumps(start.input))
    return call


def _thought(block: _Block) -> Iterator[ThinkingBlock]:
    if block.start.type == "redacted_thinking":
        yield ThinkingBlock("", PROVIDER_TYPE, {"redacted": block.start.data})
    elif block.start.type == "thinking":
        text = (block.start.thinking or "") + "".join(block.pieces)
        signature = block.signature or block.start.signature or ""
        yield ThinkingBlock(text, PROVIDER_TYPE, {"signature": signature} if signature else {})
