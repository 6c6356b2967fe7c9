"""OpenAI's Responses API."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from common.domain.events import Usage
from worker.llm.calls import stream_call
from worker.llm.client_cache import ClientCache
from worker.llm.clients import openai_client
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
from worker.llm.failures import ProviderError, cut_off, failure_of
from worker.llm.openai_responses_request import PROVIDER_TYPE, responses_request
from worker.llm.tool_arguments import tool_call

_CLIENTS: Final = ClientCache(openai_client)

_CUT_REASONS: Final = {"max_output_tokens": "length", "content_filter": "refusal"}
_BETWEEN_SUMMARIES: Final = "\n\n"


class OpenAIResponses:
    """An `LLMDriver` for one endpoint."""

    image_limits = ImageLimits()

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
            open_stream=lambda client: client.responses.create(**responses_request(request)),
            read=lambda events: _Answer(self._endpoint, request.model).read(events),
            stop=stop,
        )


@dataclass(slots=True)
class _Call:
    id: str
    name: str
    pieces: list[str] = field(default_factory=list)


class _Answer:
    """What has come of one answer so far."""

    def __init__(self, endpoint: Endpoint, model: str) -> None:
        self._endpoint = endpoint
        self._model = model
        self._response_id: str | None = None
        self._calls: dict[int, _Call] = {}
        self._thinking: list[ThinkingBlock] = []
        self._has_thought = False
        self._is_refused = False

    def read(self, events: Iterator[Any]) -> Iterator[Streamed]:
        for event in events:
            match event.type:
                case "response.output_text.delta":
                    yield from _text(event.delta)
                case "response.refusal.delta":
                    self._is_refused = True
                    yield from _text(event.delta)
                case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                    self._has_thought = True
                    yield ThinkingDelta(event.delta)
                case "response.reasoning_summary_part.added" if self._has_thought:
                    yield ThinkingDelta(_BETWEEN_SUMMARIES)
                case "response.completed" | "response.incomplete":
                    yield self._reply(event.response)
                    return
                case "response.failed" | "error":
                    raise failure_of(_error(event), self._endpoint)
                case _:
                    self._collect(event)
        raise cut_off(self._endpoint)

    def _collect(self, event: Any) -> None:
        match event.type:
            case "response.created":
                self._response_id = event.response.id
            case "response.output_item.added" if event.item.type == "function_call":
                self._calls[event.output_index] = _Call(event.item.call_id, event.item.name)
            case "response.function_call_arguments.delta":
                self._calls[event.output_index].pieces.append(event.delta)
            case "response.output_item.done" if event.item.type == "function_call":
                item = event.item
                self._calls[event.output_index] = _Call(item.call_id, item.name, [item.arguments])
            case "response.output_item.done" if event.item.type == "reasoning":
                self._thinking.append(_thought(event.item))
            case _:
                pass

    def _reply(self, response: Any) -> Reply:
        calls = [self._calls[index] for index in sorted(self._calls)]
        return Reply(
            usage=_usage(response.usage),
            finish_reason=self._finish_reason(response),
            model=response.model or self._model,
            tool_calls=tuple(tool_call(call.id, call.name, "".join(call.pieces)) for call in calls),
            response_id=response.id or self._response_id,
            thinking=tuple(self._thinking),
        )

    def _finish_reason(self, response: Any) -> str:
        cut = response.incomplete_details
        if cut is not None and cut.reason:
            return _CUT_REASONS.get(cut.reason, str(cut.reason))
        if self._calls:
            return "tool_calls"
        return "refusal" if self._is_refused else "stop"


def _text(delta: str) -> Iterator[TextDelta]:
    if delta:
        yield TextDelta(delta)


def _thought(item: Any) -> ThinkingBlock:
    summary = [part.text for part in item.summary or ()]
    texts = summary or [part.text for part in item.content or ()]
    replay: dict[str, Any] = {}
    if item.encrypted_content:
        replay = {"id": item.id, "encrypted_content": item.encrypted_content, "summary": summary}
    return ThinkingBlock(_BETWEEN_SUMMARIES.join(texts), PROVIDER_TYPE, replay)


def _usage(usage: Any) -> Usage:
    if usage is None:
        return Usage()
    details = usage.input_tokens_details
    return Usage(
        input_tokens=usage.input_tokens or 0,
        output_tokens=usage.output_tokens or 0,
        cache_read_tokens=getattr(details, "cached_tokens", None) or 0,
        cache_creation_tokens=getattr(details, "cache_write_tokens", None) or 0,
    )


def _error(event: Any) -> ProviderError:
    error = event if event.type == "error" else event.response.error
    code, message = getattr(error, "code", None), getattr(error, "message", None)
    return ProviderError(
        message=message or "the provider gave up on the answer",
        codes=frozenset({str(code)} if code else ()),
    )
