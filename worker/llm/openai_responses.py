"""OpenAI's Responses API."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, Final

from common.domain.events import Usage
from worker.llm.border import token_count
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
from worker.llm.sizes import MOST_PARTS, too_large
from worker.llm.tool_arguments import CallParts, written_calls

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


make_driver: Final = OpenAIResponses


class _Answer:
    """What has come of one answer so far.

    Some servers stream no deltas: then the items they end with are the answer.
    """

    def __init__(self, endpoint: Endpoint, model: str) -> None:
        self._endpoint = endpoint
        self._model = model
        self._response_id: str | None = None
        self._calls: dict[int, CallParts] = {}
        self._thinking: list[ThinkingBlock] = []
        self._has_thought = False
        self._has_spoken = False
        self._is_in_message = False
        self._is_refused = False

    def read(self, events: Iterator[Any]) -> Iterator[Streamed]:
        for event in events:
            match event.type:
                case "response.output_text.delta":
                    yield from self._say(event.delta)
                case "response.refusal.delta":
                    self._is_refused = True
                    yield from self._say(event.delta)
                case "response.output_item.done" if event.item.type == "message":
                    if not self._is_in_message:
                        yield from self._say_whole(event.item)
                    self._is_in_message = False
                case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                    self._has_thought = True
                    yield ThinkingDelta(event.delta)
                case "response.reasoning_summary_part.added" if self._has_thought:
                    yield ThinkingDelta(_BETWEEN_SUMMARIES)
                case "response.completed" | "response.incomplete":
                    yield from self._make_up(event.response)
                    yield self._reply(event.response)
                    return
                case "response.failed" | "error":
                    raise failure_of(_error(event), self._endpoint)
                case _:
                    self._collect(event)
        raise cut_off(self._endpoint)

    def _say(self, text: str) -> Iterator[TextDelta]:
        if text:
            self._has_spoken = self._is_in_message = True
            yield TextDelta(text)

    def _say_whole(self, message: Any) -> Iterator[TextDelta]:
        for part in message.content or ():
            if part.type == "output_text":
                yield from self._say(part.text)
            elif part.type == "refusal":
                self._is_refused = True
                yield from self._say(part.refusal)

    def _make_up(self, response: Any) -> Iterator[TextDelta]:
        """Take from the whole answer what did not come before it."""
        has_spoken, has_calls = self._has_spoken, bool(self._calls)
        has_thinking = bool(self._thinking)
        for index, item in enumerate(response.output or ()):
            if item.type == "message" and not has_spoken:
                yield from self._say_whole(item)
            elif item.type == "function_call" and not has_calls:
                self._begin_call(index, item).rewrite(item.arguments)
            elif item.type == "reasoning" and not has_thinking:
                self._take_thought(item)

    def _collect(self, event: Any) -> None:
        match event.type:
            case "response.created":
                self._response_id = event.response.id
            case "response.output_item.added" if event.item.type == "function_call":
                self._begin_call(event.output_index, event.item)
            case "response.function_call_arguments.delta":
                self._calls[event.output_index].add(event.delta)
            case "response.function_call_arguments.done":
                self._calls[event.output_index].rewrite(event.arguments)
            case "response.output_item.done" if event.item.type == "function_call":
                self._begin_call(event.output_index, event.item).rewrite(event.item.arguments)
            case "response.output_item.done" if event.item.type == "reasoning":
                self._take_thought(event.item)
            case _:
                pass

    def _begin_call(self, index: int, item: Any) -> CallParts:
        if len(self._calls) == MOST_PARTS and index not in self._calls:
            raise too_large()
        call = self._calls[index] = CallParts(item.call_id, item.name)
        return call

    def _take_thought(self, item: Any) -> None:
        if len(self._thinking) == MOST_PARTS:
            raise too_large()
        self._thinking.append(_thought(item))

    def _reply(self, response: Any) -> Reply:
        calls = [self._calls[index] for index in sorted(self._calls)]
        is_cut = _cut_reason(response) in _CUT_REASONS
        return Reply(
            usage=_usage(response.usage),
            finish_reason=self._finish_reason(response),
            model=response.model or self._model,
            # Of an answer that it took back the model wants nothing done.
            tool_calls=() if self._is_refused else written_calls(calls, is_cut=is_cut),
            response_id=response.id or self._response_id,
            thinking=tuple(self._thinking),
        )

    def _finish_reason(self, response: Any) -> str:
        cut = _cut_reason(response)
        if cut is not None:
            return _CUT_REASONS.get(cut, cut)
        if self._is_refused:
            return "refusal"
        return "tool_calls" if self._calls else "stop"


def _cut_reason(response: Any) -> str | None:
    """Why the answer ends before the model has ended it."""
    cut = getattr(response, "incomplete_details", None)
    reason = None if cut is None else cut.reason
    return str(reason) if reason else None


def _thought(item: Any) -> ThinkingBlock:
    summary = [part.text for part in item.summary or ()]
    texts = summary or [part.text for part in item.content or ()]
    replay: dict[str, Any] = {}
    if item.encrypted_content:
        replay = {"id": item.id, "encrypted_content": item.encrypted_content, "summary": summary}
    return ThinkingBlock(_BETWEEN_SUMMARIES.join(texts), PROVIDER_TYPE, replay)


def _usage(usage: Any) -> Usage:
    details = getattr(usage, "input_tokens_details", None)
    return Usage(
        input_tokens=token_count(getattr(usage, "input_tokens", None)),
        output_tokens=token_count(getattr(usage, "output_tokens", None)),
        cache_read_tokens=token_count(getattr(details, "cached_tokens", None)),
        cache_creation_tokens=token_count(getattr(details, "cache_write_tokens", None)),
    )


def _error(event: Any) -> ProviderError:
    error = event if event.type == "error" else event.response.error
    code, message = getattr(error, "code", None), getattr(error, "message", None)
    return ProviderError(
        message=message or "the provider gave up on the answer",
        codes=frozenset({str(code)} if code else ()),
    )
