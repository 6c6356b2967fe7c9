"""The Chat Completions API: OpenAI's, Azure's, OpenRouter's, and of every server alike."""

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
from worker.llm.failures import cut_off, unavailable
from worker.llm.openai_completions_request import completions_request
from worker.llm.tool_arguments import tool_call

_CLIENTS: Final = ClientCache(openai_client)

_FINISH_REASONS: Final = {"function_call": "tool_calls", "content_filter": "refusal"}
# Where servers put what OpenAI itself does not show; the first that has a text counts.
_THINKING_FIELDS: Final = ("reasoning_content", "reasoning")


class OpenAICompletions:
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
            open_stream=lambda client: client.chat.completions.create(
                **completions_request(request, self._endpoint)
            ),
            read=lambda chunks: _Answer(self._endpoint, request.model).read(chunks),
            stop=stop,
        )


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)


class _Answer:
    """What has come of one answer so far."""

    def __init__(self, endpoint: Endpoint, model: str) -> None:
        self._endpoint = endpoint
        self._model = model
        self._response_id: str | None = None
        self._usage = Usage()
        self._calls: list[_Call] = []
        self._at: dict[int, _Call] = {}
        self._thoughts: list[str] = []
        self._finish_reason: str | None = None
        self._is_refused = False

    def read(self, chunks: Iterator[Any]) -> Iterator[Streamed]:
        for chunk in chunks:
            self._response_id = chunk.id or self._response_id
            self._model = chunk.model or self._model
            if chunk.usage is not None:
                self._usage = _usage(chunk.usage)
            # None in the chunk with the usage, and in Azure's first one.
            for choice in (chunk.choices or ())[:1]:
                if choice.delta is not None:
                    yield from self._take(choice.delta)
                self._finish_reason = choice.finish_reason or self._finish_reason
        yield self._reply()

    def _take(self, delta: Any) -> Iterator[Streamed]:
        thought = _thought(delta)
        if thought:
            self._thoughts.append(thought)
            yield ThinkingDelta(thought)
        if delta.content:
            yield TextDelta(delta.content)
        if delta.refusal:
            self._is_refused = True
            yield TextDelta(delta.refusal)
        for piece in delta.tool_calls or ():
            self._take_call(piece)

    def _take_call(self, piece: Any) -> None:
        call = self._call_of(piece)
        call.id = call.id or piece.id or ""
        if piece.function is not None:
            call.name = call.name or piece.function.name or ""
            call.pieces.append(piece.function.arguments or "")

    def _call_of(self, piece: Any) -> _Call:
        known = self._at.get(piece.index)
        # Some servers number every call 0 or none at all, and send each whole.
        is_another = known is not None and piece.id and known.id and piece.id != known.id
        if known is None or is_another:
            known = self._at[piece.index] = _Call()
            self._calls.append(known)
        return known

    def _reply(self) -> Reply:
        finish = self._finish_reason
        if finish is None:
            raise cut_off(self._endpoint)
        if finish == "error":
            raise unavailable("the provider gave up on the answer", self._endpoint)
        thoughts = "".join(self._thoughts)
        return Reply(
            usage=self._usage,
            finish_reason=self._finish(finish),
            model=self._model,
            tool_calls=tuple(
                tool_call(call.id, call.name, "".join(call.pieces)) for call in self._calls
            ),
            response_id=self._response_id,
            thinking=(ThinkingBlock(thoughts, self._endpoint.provider_type),) if thoughts else (),
        )

    def _finish(self, word: str) -> str:
        if word == "stop" and self._calls:
            return "tool_calls"
        if word == "stop" and self._is_refused:
            return "refusal"
        return _FINISH_REASONS.get(word, word)


def _thought(delta: Any) -> str:
    for name in _THINKING_FIELDS:
        text = getattr(delta, name, None)
        if isinstance(text, str) and text:
            return text
    return ""


def _usage(usage: Any) -> Usage:
    details = usage.prompt_tokens_details
    return Usage(
        input_tokens=usage.prompt_tokens or 0,
        output_tokens=usage.completion_tokens or 0,
        cache_read_tokens=getattr(details, "cached_tokens", None) or 0,
        cache_creation_tokens=getattr(details, "cache_write_tokens", None) or 0,
    )
